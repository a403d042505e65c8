"""Which perplexities can be compared: those of the same tokens of the same text."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.comparable import basis_of, comparable, difference_in_words
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import begin
from rnn_magics.training.run import Run

TEXTS = ("the time machine and the time traveller " * 20, "one two three one two three four " * 20)
BASES = st.fixed_dictionaries(
    {
        "text": st.sampled_from(TEXTS),
        "valid": st.sampled_from([0, 0.1, 0.2]),
        "token": st.sampled_from(["char", "word"]),
        "max_size": st.sampled_from([None, 4]),
        "bidirectional": st.booleans(),
    }
)


def run_of(name: str = "a", num_hiddens: int = 3, **basis: Any) -> Run:
    """Return a run that is about to begin, on this basis."""
    corpus = Corpus.from_text(basis["text"], CorpusConfig(valid=basis["valid"]))
    vocab = Vocab.from_corpus(corpus, VocabConfig(basis["token"], max_size=basis["max_size"]))
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=2, num_steps=3))
    model = ModelConfig("gru", num_hiddens, bidirectional=basis["bidirectional"])
    return begin(batches, model, TrainConfig(threads=1), name)[0]


@given(st.lists(st.tuples(BASES, st.integers(2, 5)), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_runs_are_grouped_by_all_that_a_perplexity_depends_on(drawn: list[Any]) -> None:
    runs = [run_of(num_hiddens=size, **basis) for basis, size in drawn]
    groups = comparable(runs)
    assert sorted(map(id, runs)) == sorted(map(id, itertools.chain(*groups)))
    place = {id(run): number for number, group in enumerate(groups) for run in group}
    for (one, (mine, _)), (other, (theirs, _)) in itertools.product(
        zip(runs, drawn, strict=True), repeat=2
    ):
        assert (place[id(one)] == place[id(other)]) == (mine == theirs)
    assert bool(difference_in_words(groups)) == (len(groups) > 1)


def test_the_difference_is_named() -> None:
    given_basis = {
        "text": TEXTS[0],
        "valid": 0.1,
        "token": "char",
        "max_size": None,
        "bidirectional": False,
    }
    said = {
        "held-out parts": {"valid": 0.2},
        "vocabularies": {"max_size": 5},
        "state rules": {"bidirectional": True},
        "kinds of token and vocabularies": {"token": "word"},
        "vocabularies and texts": {"text": TEXTS[1]},
    }
    for words, change in said.items():
        groups = comparable([run_of(**given_basis), run_of(**{**given_basis, **change})])
        assert difference_in_words(groups) == (
            f"Perplexities of different groups cannot be compared: they have different {words}."
        )


def test_the_order_of_a_vocabulary_is_no_difference() -> None:
    tokens = "abcabcab" * 20
    runs = []
    for counted in (tokens, "c" * 999 + tokens):
        vocab = Vocab(counted)
        batches = Batches(vocab.indices(tokens), BatchConfig("seq", 2, 3), vocab=vocab)
        runs.append(begin(batches, ModelConfig(num_hiddens=2), TrainConfig(threads=1), "a")[0])
    assert runs[0].vocab.fingerprint != runs[1].vocab.fingerprint  # type: ignore[union-attr]
    assert basis_of(runs[0]) == basis_of(runs[1])


def test_bare_indices_are_their_own_basis() -> None:
    batches = Batches(torch.arange(200) % 7, BatchConfig("seq", 2, 3))
    bare = begin(batches, ModelConfig(num_hiddens=2), TrainConfig(threads=1), "a")[0]
    assert basis_of(bare).token == "index"
