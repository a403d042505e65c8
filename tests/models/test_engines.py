"""The rule that chooses an engine."""

from __future__ import annotations

import pytest
import torch

from rnn_magics.models import fast
from rnn_magics.models.cells import Cell, GRUCell, LSTMCell, RNNCell
from rnn_magics.models.engines import choose_engine, compile_cell, is_compiled


class MyGRU(GRUCell):
    """A user's own cell, whatever it inherits from."""


@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_on_the_cpu_what_numba_compiled_runs(
    cell: type[Cell], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "is_available", lambda: True)
    assert choose_engine(cell, torch.zeros(1, dtype=dtype), one_hot_size=28) == "compiled"


@pytest.mark.parametrize(
    ("cell", "one_hot_size", "engine"),
    [
        (RNNCell, 28, "fused"),
        (GRUCell, 28, "fused"),
        (GRUCell, 100_000, "fused"),
        (LSTMCell, 0, "torch"),
        (LSTMCell, 1024, "torch"),
        (LSTMCell, 1025, "fused"),
    ],
)
def test_without_numba(
    cell: type[Cell], one_hot_size: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "is_available", lambda: False)
    assert choose_engine(cell, torch.zeros(1), one_hot_size=one_hot_size) == engine


def test_what_numba_does_not_know_is_not_compiled() -> None:
    assert choose_engine(GRUCell, torch.zeros(1, dtype=torch.bfloat16)) == "fused"


@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
def test_an_accelerator_runs_torchs_kernels(cell: type[Cell]) -> None:
    assert choose_engine(cell, torch.zeros(1, device="meta"), one_hot_size=100_000) == "torch"


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("cell", [Cell, MyGRU])
def test_a_cell_of_ones_own_runs_as_it_is_written(cell: type[Cell], device: str) -> None:
    assert choose_engine(cell, torch.zeros(1, device=device)) == "scratch"


def test_scratch_is_a_wish_that_counts() -> None:
    assert choose_engine(LSTMCell, torch.zeros(1), scratch=True) == "scratch"


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_cell_is_compiled_once(cell: str) -> None:
    pytest.importorskip("numba", reason="numba, the extra `fast`, is not installed")
    before = torch.get_rng_state()
    compile_cell(cell, torch.float32)
    assert is_compiled(cell, torch.float32)
    assert not is_compiled(cell, torch.float16)
    assert torch.equal(torch.get_rng_state(), before)
