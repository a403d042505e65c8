"""An interrupt in the midst of the imports that a first use makes, in a fresh kernel."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from tests.kernel.test_kernel import CORPUS, PATIENCE, Kernel

TEXT = (CORPUS, "%vocab")
BATCHES = (*TEXT, "%sample --batch-size 4 --num-steps 8")
TRAIN = "run = %train_rnn --num-hiddens 8 --epochs 2 --threads 1"
LIVE = "%config RNNMagics.live = True"

# Presses where the import of a module begins, and so in the middle of that of its package.
PRESS_AT = """
import os, signal, sys

class PressAt:
    pressed = 0

    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.pressed:
            self.pressed += 1
            os.kill(os.getpid(), signal.SIGINT)

press_at = PressAt()
sys.meta_path.insert(0, press_at)
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    own = {"OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}
    manager.start_kernel(env={**os.environ, **own}, cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("module", "before", "cell"),
    [
        ("numpy.lib", (), CORPUS),
        ("torch.autograd", TEXT, BATCHES[-1]),
        ("matplotlib.colors", TEXT, "%vocab --zipf"),
        ("numba.core.types", BATCHES, TRAIN),
        ("anywidget.widget", (*BATCHES, TRAIN, LIVE), '%inspect_rnn surprise "the time"'),
        ("ipywidgets.widgets", (*BATCHES, TRAIN), "%rnn_lab"),
    ],
)
def test_an_interrupt_while_a_first_use_imports_breaks_nothing(
    fresh: Kernel, module: str, before: tuple[str, ...], cell: str
) -> None:
    fresh.good("%load_ext rnn_magics\n%config RNNMagics.live = False")
    fresh.good("%config RNNMagics.prepare = False")  # the cell imports it
    for each in before:
        fresh.good(each)
    fresh.good(PRESS_AT.format(module=module))
    reply = fresh.run(cell)
    assert fresh.good("press_at.pressed").value == "1"
    reason = fresh.good("repr(run.reason) if 'run' in globals() else ''").value
    for each in (cell, *BATCHES, TRAIN, "_ = %generate the --length 3"):
        fresh.good(each)
    assert fresh.good("run.reason").value == "'epochs'"
    assert reply.of("error") == []  # no traceback
    if reply.status == "error":
        name = re.findall(r"%(\w+)", cell)[0]
        said = f"UsageError: %{name} was interrupted; everything you had is still there\n"
        assert reply.stderr == said
    else:  # the training had begun
        assert "interrupted" in reason


def test_an_import_that_the_user_cut_short_is_done_again(fresh: Kernel) -> None:
    fresh.good("%load_ext rnn_magics\n%config RNNMagics.live = False")
    fresh.good(PRESS_AT.format(module="sympy.polys"))
    assert fresh.run("import sympy").content["ename"] == "KeyboardInterrupt"
    for each in (*BATCHES, TRAIN):
        fresh.good(each)
    assert fresh.good("run.reason").value == "'epochs'"


def test_an_import_that_cannot_be_done_again_is_named(fresh: Kernel) -> None:
    fresh.good("%load_ext rnn_magics")
    fresh.good(PRESS_AT.format(module="torch.autograd"))
    assert fresh.run("import torch").content["ename"] == "KeyboardInterrupt"
    for each in TEXT:
        fresh.good(each)
    for _ in range(2):
        reply = fresh.run(BATCHES[-1])
        assert reply.of("error") == []
        assert reply.stderr == (
            "UsageError: an earlier import of torch was cut short (by an interrupt?) and cannot be"
            " repeated in this kernel; restart the kernel\n"
        )


@pytest.mark.parametrize("collects", [True, False])
def test_a_first_use_leaves_the_garbage_collector_as_it_was(
    fresh: Kernel, *, collects: bool
) -> None:
    # matplotlib is missing, so that this holds also where getting ready fails in the middle.
    fresh.good(f"import gc, sys\nif not {collects}: gc.disable()\nsys.modules['matplotlib'] = None")
    fresh.good("%load_ext rnn_magics")
    fresh.good(CORPUS)
    fresh.good("from rnn_magics.notebook.live.warm import warm_up\nwarm_up().join()")
    assert fresh.good("gc.isenabled()").value == str(collects)
    assert fresh.good("'torch' in sys.modules").value == "True"


def test_a_training_does_not_import_matplotlib_before_its_first_step(fresh: Kernel) -> None:
    fresh.good("%load_ext rnn_magics\n%config RNNMagics.prepare = False")
    for each in BATCHES:
        fresh.good(each)
    fresh.good(
        "import sys\n"
        "import rnn_magics.notebook.live.dashboard, rnn_magics.notebook.magics.train_rnn"
    )
    assert fresh.good("'matplotlib' in sys.modules").value == "False"
