"""The rule that chooses an engine."""

from __future__ import annotations

import pytest
import torch

from rnn_magics.models import fast
from rnn_magics.models.cells import CELLS, Cell, GRUCell, LSTMCell
from rnn_magics.models.engines import choose_engine, compile_cell, is_compiled
from rnn_magics.models.rnn_model import ModelConfig, RNNModel


class MyGRU(GRUCell):
    """A user's own cell, whatever it inherits from."""


@pytest.mark.parametrize("cell", CELLS.values())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_on_the_cpu_what_numba_compiled_runs(
    cell: type[Cell], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "is_available", lambda: True)
    assert choose_engine(cell, torch.zeros(1, dtype=dtype)) == "compiled"


@pytest.mark.parametrize("cell", CELLS.values())
def test_where_numba_does_not_work_torchs_kernels_run(
    cell: type[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "is_available", lambda: False)
    assert choose_engine(cell, torch.zeros(1)) == "torch"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("cell", CELLS)
def test_what_numba_does_not_know_runs_through_torchs_kernels(
    cell: str, dtype: torch.dtype
) -> None:
    draw = torch.Generator().manual_seed(0)
    model = RNNModel(ModelConfig(cell, 16), 5, draw)
    tokens = torch.randint(5, (3, 7), generator=draw)
    wanted, _ = model(tokens)
    logits, _ = model.to(dtype)(tokens)
    logits.float().pow(2).sum().backward()
    assert model.engine == "torch"
    assert all(parameter.grad is not None for parameter in model.parameters())
    torch.testing.assert_close(logits.float(), wanted, atol=0.03, rtol=0)


@pytest.mark.parametrize("cell", CELLS.values())
def test_an_accelerator_runs_torchs_kernels(cell: type[Cell]) -> None:
    assert choose_engine(cell, torch.zeros(1, device="meta")) == "torch"


def test_every_built_in_cell_is_compiled() -> None:
    chosen = {choose_engine(cell, torch.zeros(1)) for cell in CELLS.values()}
    assert chosen == {"compiled"}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("cell", [Cell, MyGRU])
def test_a_cell_of_ones_own_runs_as_it_is_written(cell: type[Cell], device: str) -> None:
    assert choose_engine(cell, torch.zeros(1, device=device)) == "scratch"


def test_scratch_is_a_wish_that_counts() -> None:
    assert choose_engine(LSTMCell, torch.zeros(1), scratch=True) == "scratch"


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_is_compiled_once(cell: str) -> None:
    before = torch.get_rng_state()
    compile_cell(cell, torch.float32)
    assert is_compiled(cell)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("cell", CELLS)
def test_a_larger_model_finds_all_of_its_cell_compiled(cell: str) -> None:
    from rnn_magics.models.fast.running import regions

    def number() -> int:
        return sum(len(region.signatures) for region in regions._REGIONS.values())

    compile_cell(cell, torch.float32)
    before = number()
    model = RNNModel(ModelConfig(cell, 160), 5, torch.Generator().manual_seed(0))
    logits, _ = model(torch.zeros(16, 3, dtype=torch.long))
    logits.sum().backward()  # type: ignore[no-untyped-call]
    assert number() == before


@pytest.mark.parametrize("cell", CELLS)
def test_few_tokens_without_a_gradient_are_not_packed_for(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_magics.models.fast import functions, layout
    from rnn_magics.models.fast.gated import functions as gated_functions

    model = RNNModel(ModelConfig(cell, 16), 5, torch.Generator().manual_seed(0))
    few, many = torch.ones(2, 8, dtype=torch.long), torch.ones(2, 9, dtype=torch.long)
    packed: list[int] = []
    pack = layout.pack
    for module in (layout, functions, gated_functions):
        monkeypatch.setattr(module, "pack", lambda w: packed.append(1) or pack(w))
    with torch.no_grad():
        logits, _ = model(few)
        assert not packed
        model(many)
    assert packed
    packed.clear()
    with_gradient, _ = model(few)
    assert packed
    torch.testing.assert_close(logits, with_gradient, rtol=1e-5, atol=1e-6)
