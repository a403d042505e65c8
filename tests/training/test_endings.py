"""Ending: how a run ended, as a string that knows what it means."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError
from rnn_magics.language import speaking
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending, state_in_words
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, iter_train

SMALL = ModelConfig(num_hiddens=8)


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_is_its_name(ending: Ending) -> None:
    name = ending.name.lower()
    assert ending == name
    assert f"{ending}" == name
    assert repr(ending) == repr(name)
    assert json.dumps({"reason": ending}) == json.dumps({"reason": name})
    assert Ending.named(name) is ending
    assert copy.deepcopy(ending) is pickle.loads(pickle.dumps(ending)) is ending


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_is_said_in_words_in_both_languages(ending: Ending) -> None:
    assert "_" not in ending.in_words
    assert state_in_words(str(ending)) == ending.in_words == ending.words
    with speaking("zh"):
        assert state_in_words(str(ending)) == ending.in_words
        assert not ending.in_words.isascii()


def test_another_state_is_said_as_it_is() -> None:
    assert state_in_words("not ended") == "not ended"
    assert state_in_words("{brace") == "{brace"
    with speaking("zh"):
        assert state_in_words("not ended") == "未结束"


def test_the_limits_that_were_given_end_a_run_as_planned() -> None:
    planned = {ending for ending in Ending if ending.as_planned}
    assert planned == {"epochs", "max_time", "max_tokens", "patience"}


def test_a_run_cannot_end_as_nobody_knows(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1))
    with pytest.raises(ConfigError, match=r"^reason: 'stoped' is not one of epochs, .*'stopped'"):
        list(iter_train(run, state, lambda: "stoped"))
    with pytest.raises(ConfigError, match="reason: 'bored' is not one of epochs"):
        Job(run, state).stop("bored")


def test_what_stops_a_run_may_be_named(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1))
    list(iter_train(run, state, lambda: "stopped"))
    assert run.reason is Ending.STOPPED
