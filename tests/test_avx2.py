"""`benchmarks/avx2.py`: a process in which nothing uses more than AVX2, and the kernels there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
SCRIPT = """
import sys
sys.path[:0] = {paths!r}
import avx2, torch
avx2.limited(sys.argv)
from numba import njit
from rnn_magics.models.fast import compiling, products, tile
from rnn_magics.models.fast.layout import pack

@njit(**compiling.OPTIONS)
def add(rows, panels, sums):
    products.add_matrix_product(rows, panels, sums)

for num_rows in range(1, 26):
    rows, weight = torch.rand(num_rows, 37), torch.rand(37, 48)
    sums = torch.ones(num_rows, 48)
    add(rows.numpy(), pack(weight), sums.numpy())
    torch.testing.assert_close(sums, rows @ weight + 1)
    alone = torch.ones(1, 48)
    add(rows[-1:].numpy(), pack(weight), alone.numpy())
    assert torch.equal(sums[-1:], alone), num_rows
code = "".join(add.inspect_asm().values())
print(tile.ROWS, torch.backends.cpu.get_cpu_capability(), "%ymm" in code, "%zmm" in code)
sys.exit(3)
"""


@pytest.fixture
def avx2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield import_module("avx2")
    sys.modules.pop("avx2", None)  # so that no other test takes it for its own


def test_products_are_right_with_its_registers_and_no_others(avx2: Any, tmp_path: Path) -> None:
    features = avx2.binding.get_host_cpu_features()
    if not features.get("avx2"):
        pytest.skip("this CPU has no AVX2")
    script = tmp_path / "limited_to_avx2.py"
    script.write_text(SCRIPT.format(paths=[str(SCRIPTS), str(SCRIPTS.parent)]))
    done = run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stdout.split() == ["6", "AVX2", "True", "False"]
