"""Do to rnn_magics many times what notebooks do to it, and write down what held.

    python benchmarks/torture/run.py [--quick]

This script tries interrupts at random moments, non-finite numbers, lines and bytes of all kinds,
and a hostile server. It also runs the scripts of `BESIDE`, which try kernels, files, paths and
objects: their lines that begin with ``|`` are rows of the table. The table goes into
docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import io
import math
import os
import platform
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from traitlets.config import Config  # noqa: E402

from rnn_magics.batching import BatchConfig, Batches  # noqa: E402
from rnn_magics.errors import CorpusError  # noqa: E402
from rnn_magics.models.rnn_model import ModelConfig, RNNModel  # noqa: E402
from rnn_magics.notebook.extension import MAGICS  # noqa: E402
from rnn_magics.text.reading.download import DownloadConfig, download  # noqa: E402
from rnn_magics.training.config import TrainConfig  # noqa: E402
from rnn_magics.training.events import StepEnd  # noqa: E402
from rnn_magics.training.loop import begin, iter_train  # noqa: E402
from rnn_magics.training.steps import step  # noqa: E402
from tests import fuzz  # noqa: E402
from tests.text.hostile import NAMED, hostile_server  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- torture: begin -->", "<!-- torture: end -->"
DEADLINE = 2.0
STOP_SECONDS = 0.25  # in addition to one step
Row = tuple[str, str, str]


def bits(model: RNNModel) -> bytes:
    """Return every parameter, bit for bit."""
    return b"".join(p.detach().contiguous().numpy().tobytes() for p in model.parameters())


class InterruptedNotebook:
    """A shell whose cells are interrupted during training."""

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        config = Config()
        config.HistoryManager.enabled = False
        self.shell = InteractiveShell.instance(config=config)
        for cell in (
            "%load_ext rnn_magics",
            "%config RNNMagics.figures = False",
            "%config RNNMagics.progress = False",
            "%corpus --max-tokens 20000",
            "%vocab",
            "%sample --batch-size 8 --num-steps 16",
        ):
            self.shell.run_cell(cell, silent=True).raise_error()
        self.session: Any = self.shell._rnn_magics_session  # noqa: SLF001

    def interrupt(self, seed: int) -> tuple[bool, bool, float]:
        """Return whether the model is whole, whether the next cell runs, and seconds to stop."""
        name, sent = f"run-{seed}", [math.nan]

        def strike() -> None:
            while name not in self.session.jobs or not self.session.jobs[name].is_alive:
                time.sleep(0.001)
            time.sleep(random.Random(seed).uniform(0, 0.15))  # noqa: S311  (no secret)
            sent[0] = time.perf_counter()
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=strike, daemon=True).start()
        options = f"--num-hiddens 32 --seed {seed} --threads 1"
        line = f"%train_rnn --name {name} {options} --epochs 1000"
        done = self.shell.run_cell(line, silent=True)
        late = time.perf_counter() - sent[0]
        run, job = self.session.runs[name], self.session.jobs[name]
        stopped = done.success and run.reason == "interrupted" and not job.is_alive
        state = job._state  # noqa: SLF001
        whole = stopped and bits(run.model) == self.trained(run, state.total_steps)
        with contextlib.redirect_stdout(io.StringIO()):
            after = f"%generate the --length 3 --run {name}"
            runs_on = self.shell.run_cell(after, silent=True).success
        seconds = state.train_seconds / max(1, state.total_steps)
        scoring = state.evaluation_seconds / max(1, len(run.history))  # once more, at the end
        return whole, runs_on, late - seconds - scoring

    def trained(self, run: Any, steps: int) -> bytes:
        """Return the weights after so many steps without an interrupt."""
        fresh, state = begin(self.session.batches, run.config.model, run.config.train)
        if steps:
            for _ in iter_train(fresh, state, lambda: "x" if state.total_steps >= steps else None):
                pass
        return bits(state.model)


def interrupts(count: int) -> list[Row]:
    """Interrupt training runs at random moments."""
    notebook = InterruptedNotebook()
    results = [notebook.interrupt(seed) for seed in range(count)]
    whole, on, late = zip(*results, strict=True)
    middle, longest = sorted(late)[count // 2] * 1e3, max(late) * 1e3
    in_time = sum(seconds <= STOP_SECONDS for seconds in late)
    return [
        ("interrupts: the model is that of a whole step, bit for bit", *held(sum(whole), count)),
        ("interrupts: the next cell runs", *held(sum(on), count)),
        (
            "interrupts: the cell ends within one step, one scoring + 250 ms",
            held(in_time, count)[0],
            f"{in_time}; median {middle:.0f} ms, longest {longest:.0f} ms beyond the mean of both",
        ),
    ]


def spoilt(seed: int) -> bool:
    """Whether one injected number ends a run at its last good step, with the right reason."""
    draw = random.Random(seed)  # noqa: S311
    where = ("loss", "gradient", "weights")[seed % 3]
    bad, at = draw.choice([math.nan, math.inf, -math.inf]), draw.randrange(2, 25)
    batches = Batches([i * i % 19 for i in range(2_000)], BatchConfig("seq", 4, 8))
    optimizer = draw.choice(["sgd", "adam", "adamw"])
    run, state = begin(
        batches,
        ModelConfig(cell=draw.choice(["rnn", "gru", "lstm"]), num_hiddens=8),
        TrainConfig(epochs=1, seed=seed, optimizer=optimizer, lr=0.01, threads=1),
    )
    real, taken = step.forward_loss, 0

    def forward(*args: Any) -> Any:
        nonlocal taken
        taken += 1
        loss, hidden = real(*args)
        return (loss * bad if where == "loss" and taken == at else loss), hidden

    def gradient(given: torch.Tensor) -> torch.Tensor:
        return given * bad if where == "gradient" and taken == at else given

    def weights(*_: Any) -> None:
        if where == "weights" and taken == at:
            with torch.no_grad():
                spoilt_one = draw.choice(list(state.model.parameters()))
                spoilt_one[(0,) * spoilt_one.dim()] = bad

    if where == "weights":
        state.optimizer.register_step_post_hook(weights)
    state.model.output.weight.register_hook(gradient)
    good = bits(state.model)
    step.forward_loss = forward
    try:
        for event in iter_train(run, state):
            if isinstance(event, StepEnd):
                good = bits(state.model)
    finally:
        step.forward_loss = real
    named = f"non-finite in epoch 1, step {at} (" in run.message
    return run.reason == "non_finite" and named and bits(state.model) == good


def numbers(count: int) -> list[Row]:
    """Inject non-finite numbers."""
    kept = sum(map(spoilt, range(count)))
    what = "nan, inf or -inf in loss, gradient or weights: a named stop, weights of the last good"
    return [(f"{what} step", *held(kept, count))]


def parser(what: str, count: int, check: Callable[..., None], *inputs: Any) -> Row:
    """Feed one parser; Hypothesis raises the errors that it finds."""
    fed = 0

    def feed(values: tuple[Any, ...]) -> None:
        nonlocal fed
        fed += 1
        check(*values)

    thorough = settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        thorough(given(st.tuples(*inputs))(feed))()
    except Exception as error:  # noqa: BLE001  (the finding)
        return what, f"no: {type(error).__name__}", f"after {fed:,}"
    return what, f"{fed:,}", f"{fed:,}"


def parsers(count: int) -> list[Row]:
    """Feed every parser."""
    rows = [
        parser(
            f"%{name} lines: an answer or an error of ours",
            count,
            lambda line, name=name: fuzz.parse_line(name, line),
            fuzz.lines(name),
        )
        for name in MAGICS
    ]
    rows.append(
        parser(
            "bytes of a corpus: the same",
            count,
            lambda data, encoding, d2l: fuzz.read_bytes(data, encoding, d2l=d2l),
            fuzz.BYTES,
            fuzz.ENCODINGS,
            st.booleans(),
        )
    )
    rows.append(parser("JSON of a vocabulary: the same", count, fuzz.read_vocab, fuzz.VOCAB_JSON))
    for what, cls in fuzz.CONFIGS.items():

        def read(values: dict[str, Any], cls: Any = cls) -> None:
            fuzz.read_settings(cls, values)

        rows.append(parser(f"{what}: the same", count, read, fuzz.settings_of(cls)))
    return rows


def downloads(_count: int) -> list[Row]:
    """Download from the hostile server."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    limits = DownloadConfig(max_download=1, max_download_time=DEADLINE)
    named, longest = 0, 0.0
    with hostile_server() as address:
        for path, words in NAMED.items():
            begun = time.perf_counter()
            try:
                download(address + path, limits)
            except CorpusError as error:
                named += words in str(error)
            longest = max(longest, time.perf_counter() - begun)
    figure = f"{named}; longest {longest:.2f} s, the deadline being {DEADLINE:g} s"
    what = "hostile answers of a server (drip, loop, redirect inside, wrong length, bomb ...)"
    return [(f"{what}: a named error in time", held(named, len(NAMED))[0], figure)]


def held(number: int, count: int) -> tuple[str, str]:
    """Return how often something was tried, and how often it held."""
    return f"{count:,}", f"{number:,}"


BESIDE = (
    "first_use.py",
    "storage.py",
    "folders.py",
    "objects.py",
    "outputs.py",
    "paths.py",
    "sweeps.py",
    "workers.py",
)


def rows_of(name: str, *, quick: bool) -> list[str]:
    """Return the rows that another script here prints."""
    script = Path(__file__).with_name(name)
    command = [sys.executable, str(script), *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return table[2:]  # the head of the table is written here


def main() -> None:
    """Run everything and write the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the counts; no table")
    quick = options.parse_args().quick
    torch.set_num_threads(1)
    part = 10 if quick else 1
    lines = ["| what was done | times | held |", "| --- | --- | --- |"]
    for work, count in ((downloads, 1), (numbers, 50), (interrupts, 300), (parsers, 5000)):
        begun = time.perf_counter()
        for row in work(max(1, count // part)):
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], flush=True)
        print(f"# {work.__name__}: {time.perf_counter() - begun:.0f} s", flush=True)
    for name in BESIDE:
        lines += rows_of(name, quick=quick)
    if not quick:
        write("\n".join(lines))


def write(table: str) -> None:
    """Put the table between its markers."""
    where = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores, one thread, Python"
        f" {platform.python_version()}, torch {torch.__version__}"
    )
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{where}\n\n{table}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
