from __future__ import annotations

import pickle

import pytest
import torch

from rnn_magics.cluster.update import Training, Update
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import iter_train
from tests.training.steps.test_shared import alone, begun, copied


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_training_goes_on_anywhere_as_if_it_had_been_there(keep: str) -> None:
    begin = begun(epochs=3, weights=keep, score_every=300)
    there, here = copied(begin), copied(begin)
    for event in iter_train(*there):
        told = pickle.dumps(Update(event, Training.of(*there), heard=0))
        update: Update = pickle.loads(told)
        assert update.training is not None
        update.training.give(*here)
        if isinstance(event, StepEnd) and there[1].total_steps == 100:
            rest = alone(here)
    whole = alone(begin)
    for run, state in (rest[:2], here):  # from the middle on; and told to the end
        assert run.reason == whole[0].reason == "epochs"
        assert run.weights_from == whole[0].weights_from
        assert run.history.valid_perplexity == whole[0].history.valid_perplexity
        assert all(map(torch.equal, state.learning, whole[1].learning))
    assert here[0].model is here[1].model
    assert here[0].curve.loss.to_dict() == whole[0].curve.loss.to_dict()


def test_settings_that_were_changed_here_meanwhile_stay() -> None:
    there, here = copied(begun()), copied(begun())
    here[0].steer(here[0].config.train, 5)
    Training.of(*there).give(*here, is_steered_here=True)
    assert [steering.step for steering in here[0].steered] == [5]
    Training.of(*there).give(*here)
    assert here[0].steered == []
