"""`benchmarks/jax_scan.py`: the peer in JAX computes what our models do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
MODULES = ("avx2", "jax_scan", "peers", "report", "training")


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setenv("PJRT_NPROC", "1")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    yield import_module("training")
    for name in MODULES:  # so that no other test takes them for its own
        sys.modules.pop(name, None)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_it_has_the_losses_of_our_model(cell: str, training: Any) -> None:
    pytest.importorskip("jax")
    training.jax_scan.check(cell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.jax_scan, "losses", lambda *_: [1.0] * 6)
        with pytest.raises(SystemExit, match="other losses"):
            training.jax_scan.check(cell)


def test_without_jax_the_row_says_so(training: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    row = training.against_jax("gru", 5, 1)
    assert row.ratio is None
    assert (row.ours, row.note) == ("not measured", "JAX is not installed")
