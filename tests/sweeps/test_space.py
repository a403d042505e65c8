from __future__ import annotations

import pickle

import pytest

from rnn_magics.errors import ConfigError
from rnn_magics.options import describe
from rnn_magics.sweeps.space import OWNERS, Space


def test_every_option_of_the_magics_is_one_of_a_space() -> None:
    owned = {field.name for owner in OWNERS for field in describe(owner)}
    assert {field.name for field in describe(Space)} == owned
    assert len(owned) == sum(len(describe(owner)) for owner in OWNERS)  # no name twice


def test_a_space_knows_what_is_tried_and_what_stays() -> None:
    space = Space(cell=["gru", "lstm"], num_hiddens="8:10", epochs=3, clip=None)
    assert set(space.dimensions) == {"cell", "num_hiddens"}
    assert space.fixed == {"epochs": 3}
    assert space.size == 6
    assert Space(lr="1e-3:1e-2", cell="gru,lstm").size is None
    assert repr(space) == "Space(cell='gru,lstm', num_hiddens='8:10', epochs='3')"
    assert str(space) == "cell gru, lstm; num_hiddens 8:10"


def test_a_space_travels_to_another_process() -> None:
    space = Space(cell="gru,lstm", lr="1e-3:1e-2", tie="yes,no")
    assert pickle.loads(pickle.dumps(space)) == space
    assert pickle.loads(pickle.dumps(space)).dimensions == space.dimensions


@pytest.mark.parametrize("name", ["threads", "device", "precision", "score_every", "max_time"])
def test_what_makes_trials_incomparable_has_one_value(name: str) -> None:
    texts = {"device": "cpu,cuda", "precision": "float32,bf16"}
    with pytest.raises(ConfigError, match="cannot be swept; give it one value"):
        Space(**{name: texts.get(name, "1,2")})


def test_a_space_of_one_point_is_refused() -> None:
    for space in (Space(), Space(cell="gru", lr=0.1), Space(cell="gru,gru")):
        with pytest.raises(ConfigError, match="needs an option with several values"):
            space.require_several()


def test_other_tokens_are_seen() -> None:
    assert Space(token="char,word").has_other_tokens
    assert not Space(token="word", lr="1e-3,1e-2").has_other_tokens
