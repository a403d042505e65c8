"""`benchmarks/gpu.py --all`: its checks run on any device, and find a device that differs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
MODULES = ("device_checks", "report")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    made = import_module("device_checks")
    monkeypatch.setattr(made, "STEPS", 3)
    yield made
    for name in MODULES:  # so that no other test takes them for its own
        sys.modules.pop(name, None)


def test_they_hold_on_the_cpu(checks: Any) -> None:
    *rows, last = list(checks.checks("cpu"))
    assert [row.what for row in rows if not row.note.startswith("holds")] == []
    assert len(rows) == 2 * len(checks._MODELS) + 5
    assert last.ours == "not tried"  # taking the memory of a machine is not for a test


def test_they_find_a_device_that_computes_something_else(
    checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = checks._losses

    def spoilt(batches: Any, model: Any, device: str) -> tuple[list[float], str]:
        found, how = losses(batches, model, "cpu")
        return ([1.001 * loss for loss in found] if device == "other" else found), how

    monkeypatch.setattr(checks, "_losses", spoilt)
    row = checks.equal_training("other", "gru", checks._MODELS["gru"], "seq")
    assert row.note.startswith("DOES NOT HOLD")
    assert row.ours == "1.0e-03"


def test_they_find_weights_that_a_resume_does_not_have(
    checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume = checks.resume_run

    def other(folder: Any, batches: Any) -> Any:
        run = resume(folder, batches)
        next(run.model.parameters()).data[0] += 1
        return run

    monkeypatch.setattr(checks, "resume_run", other)
    assert checks.equal_resume("cpu").note.startswith("DOES NOT HOLD")
