from __future__ import annotations

import pytest

from tests.notebook.conftest import Notebook

TRAIN = "%train_rnn --num-hiddens 8 --epochs 1 --seed 3"


def test_a_run_has_the_ladder_of_its_split_and_says_where_it_stands(
    prepared: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = prepared.run(TRAIN), prepared.run(TRAIN)
    assert first.ladder is second.ladder is not None
    assert first.ladder.num_valid_tokens == first.num_valid_tokens - 1
    assert "held-out perplexity" in capsys.readouterr().out


def test_without_it_the_same_seed_gives_the_same_run(prepared: Notebook) -> None:
    plain, compared = prepared.run(f"{TRAIN} --no-baseline"), prepared.run(TRAIN)
    assert plain.ladder is None
    assert plain.history.train_perplexity == compared.history.train_perplexity
