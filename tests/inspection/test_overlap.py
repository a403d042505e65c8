from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches, EpochPlan
from rnn_magics.inspection import overlap
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.inspection.overlap import WINDOW, check_overlap
from rnn_magics.models.rnn_model import ModelConfig, RNNModel

CONFIG = BatchConfig(batch_size=4, num_steps=12)


def text(length: int, seed: int, size: int = 11) -> Tensor:
    return torch.randint(size, (length,), generator=torch.Generator().manual_seed(seed))


TRAIN, OTHER = text(3000, 0), text(1280, 1)


@pytest.mark.parametrize(
    "valid",
    [
        TRAIN[-500:],  # cut off, but trained on all the same
        TRAIN[37:537],
        torch.cat([OTHER[:640], TRAIN[100:740]]),  # half of it
    ],
)
def test_held_out_text_that_was_trained_on_is_found_out(valid: Tensor) -> None:
    problem = check_overlap(Batches(TRAIN, CONFIG, valid=valid))
    assert problem is not None
    assert "of the held-out windows of 64 tokens occur in the training text" in problem
    assert "0% of its own windows occur twice" in problem


def test_it_is_found_across_the_slices_of_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "_SLICE", 100)
    problem = check_overlap(Batches(TRAIN, CONFIG, valid=TRAIN[37:537]))
    assert problem is not None
    assert problem.startswith("100% of the held-out windows")


@pytest.mark.parametrize("valid", [OTHER, OTHER[: 2 * WINDOW], OTHER[:10], ()])
def test_other_text_is_no_problem(valid: Tensor) -> None:
    assert check_overlap(Batches(TRAIN, CONFIG, valid=valid)) is None


def test_a_few_windows_in_common_are_no_problem() -> None:
    valid = torch.cat([OTHER, TRAIN[:WINDOW]])
    assert check_overlap(Batches(TRAIN, CONFIG, valid=valid)) is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=90))
def test_a_text_that_repeats_itself_is_no_problem(period: list[int]) -> None:
    whole = torch.tensor(period * (3000 // len(period)))
    assert check_overlap(Batches(whole[:-500], CONFIG, valid=whole[-500:])) is None


class ReachesTooFar(Batches):
    """Its last windows go on behind the training text, or begin before it and wrap around."""

    by = 40

    def plan(self, generator: torch.Generator) -> EpochPlan:
        plan = super().plan(generator)
        starts = plan.starts.clone()
        starts[-1] += self.by
        return EpochPlan(plan.offset, starts, plan.left_over)


class WrapsAround(ReachesTooFar):
    by = -4000


@pytest.mark.parametrize("broken", [ReachesTooFar, WrapsAround])
def test_windows_that_leave_the_training_text_are_found_out(broken: type[Batches]) -> None:
    problem = check_overlap(broken(TRAIN, CONFIG, valid=OTHER))
    assert problem is not None
    assert "training text has tokens 0 to 2,999" in problem


def test_the_doctor_asks_for_it() -> None:
    model = RNNModel(ModelConfig(num_hiddens=24), 11)
    problems = diagnose(model, Batches(TRAIN, CONFIG, valid=TRAIN[:500])).problems
    assert list(problems) == ["overlap"]
    assert diagnose(model, Batches(TRAIN, CONFIG, valid=OTHER)).problems == {}
