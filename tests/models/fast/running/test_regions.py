"""Compiled functions on several threads: torch's own, or those of a pool."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit, types
from numba.extending import intrinsic

from rnn_magics.models.fast import products, scans
from rnn_magics.models.fast.amx import products as amx
from rnn_magics.models.fast.functions import GRU, Scan
from rnn_magics.models.fast.gated import scans as gated_scans
from rnn_magics.models.fast.learning import losses, updates
from rnn_magics.models.fast.linear import Linear
from rnn_magics.models.fast.running import parallel, regions
from rnn_magics.models.fast.running.parallel import in_parallel
from rnn_magics.models.fast.writing import loop


@njit
def _mark(marks, calls, first, last):  # noqa: ANN001, ANN202
    if first == 7:
        raise ValueError
    calls[first] = last
    marks[first:last] += 1


@njit
def _mark_all(size, grain, parts, threads, marks, calls):  # noqa: ANN001, ANN202
    return in_parallel(_mark, (marks, calls), size, grain, parts, threads)


@pytest.fixture(params=["torch's own", "pool"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pool":
        monkeypatch.setattr(parallel, "is_available", lambda: False)
    elif not parallel.is_available():
        pytest.skip("torch does not run on GNU OpenMP here")
    monkeypatch.setitem(regions._REGIONS, _mark, _mark_all)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(
    ("size", "grain", "at_once", "number"),
    [(1, 1, 1, 1), (2, 1, 9, 2), (10, 4, 9, 3), (100, 8, 200, 3), (100, 8, 20, 6), (3, 8, 8, 1)],
)
def test_every_part_is_done_once(size: int, grain: int, at_once: int, number: int) -> None:
    marks, calls = torch.zeros(size).numpy(), torch.zeros(size).numpy()
    regions.run(_mark, size, grain, at_once, marks, calls)
    assert (marks == 1).all()
    begins = calls.nonzero()[0]
    assert len(begins) == number
    assert (begins % grain == 0).all()


@intrinsic
def _owner_of(_typing: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.ptrtoint(made.meminfo, context.get_value_type(types.intp))

    return types.intp(array), codegen


@njit
def _note_owners(arrays, owners, first, last):  # noqa: ANN001, ANN202
    for place in range(first, last):
        owners[place] = _owner_of(arrays[0][place:])


@njit
def _note_all(threads, arrays, owners):  # noqa: ANN001, ANN202
    in_parallel(_note_owners, (arrays, owners), 4, 1, 2, threads)
    return _owner_of(arrays[0])


def test_threads_do_not_count_the_views_of_what_they_share() -> None:
    # Counting is one instruction that two threads cannot do at once; it took a quarter of the time
    # of a step with 64 units.
    if not parallel.is_available():
        pytest.skip("torch does not run on GNU OpenMP here")
    shared, owners = np.ones(4), np.full(4, -1)
    before = sys.getrefcount(shared)
    assert _note_all(2, (shared, shared), owners)  # it has an owner
    assert owners.tolist() == [0] * 4
    assert sys.getrefcount(shared) == before


@pytest.mark.usefixtures("_way")
def test_nothing_to_do_is_nothing_done() -> None:
    regions.run(_mark, 0, 4, 16)


@pytest.mark.usefixtures("_way")
def test_a_part_that_fails_is_told() -> None:
    marks = torch.zeros(14).numpy()
    with pytest.raises((MemoryError, ValueError)):
        regions.run(_mark, 14, 7, 7, marks, marks.copy())


def test_both_ways_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(0)
    shapes = [(60, 11), (60,), (60, 20), (60,), (37, 20)]
    given = [torch.randn(s, generator=draw).requires_grad_() for s in shapes]
    tokens = torch.randint(11, (5, 37), generator=draw)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    results = []
    for _ in range(2):
        outputs, last = Scan.apply(GRU, None, tokens, *given)
        logits = Linear.apply(outputs, given[2], given[3])
        loss = logits.pow(2).sum() + last.sum()
        results.append([logits, *torch.autograd.grad(loss, given)])
        monkeypatch.setattr(parallel, "is_available", lambda: False)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize(("size", "threads"), [(4, 1), (5, 3)])
def test_a_single_part_wakes_no_other_thread(
    size: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def region(_size: int, _grain: int, _parts: int, threads: int) -> int:
        used.append(threads)
        return 0

    monkeypatch.setattr(parallel, "is_available", lambda: True)
    monkeypatch.setitem(regions._REGIONS, _mark, region)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    regions.run(_mark, size, 4, 16)
    assert used == [threads]


def test_every_kernel_has_a_region_of_its_own() -> None:
    kernels = {
        *(
            getattr(scans, f"{cell}_{way}")
            for cell in ("rnn", "gru", "lstm")
            for way in ("forward", "backward")
        ),
        *(
            getattr(gated_scans, f"{cell}_{way}")
            for cell in ("mingru", "minlstm")
            for way in ("forward", "backward")
        ),
        products.linear_rows,
        products.linear_columns,
        products.scan_columns,
        products.pack_rows,
        products.pack_columns,
        amx.split_panels,
        loop.write_rows,
        losses.nats_of_rows,
        updates.sum_squares,
        updates.update_sgd,
        updates.update_adam,
    }
    assert set(regions._REGIONS) == kernels
    names = {kernel.__name__: region.__name__ for kernel, region in regions._REGIONS.items()}
    assert all(region == f"_{kernel}" for kernel, region in names.items())
