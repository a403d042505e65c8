"""The table of compared runs: what differs, what was reached, and its three forms."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import replace
from typing import Any

import mistune
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.digits import rounded
from rnn_magics.errors import TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import describe
from rnn_magics.reports.comparison import best_score, compare_runs, markdown_table
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.loop import begin
from rnn_magics.training.run import Run

TEXT = "The time machine and the time traveller. " * 30
# A value of each option that is not the default, and that trains together with the others.
OTHER: dict[type[Any], dict[str, Any]] = {
    ModelConfig: {
        "cell": "lstm",
        "num_hiddens": 7,
        "num_layers": 2,
        "dropout": 0.25,
        "embedding_size": 5,
        "bidirectional": True,
        "scratch": True,
        "learn_state": True,
    },
    TrainConfig: {
        "epochs": 4,
        "optimizer": "sgd",
        "lr": 0.125,
        "schedule": "constant",
        "warmup": 0.25,
        "clip": None,
        "weight_decay": 0.5,
        "max_time": 9.0,
        "max_tokens": 99,
        "score_every": 64,
        "patience": 2,
        "weights": "best",
        "seed": 3,
        "device": "cpu",
        "threads": 2,
        "freeze": ("1",),
    },
    BatchConfig: {"batching": "random", "batch_size": 3, "num_steps": 4},
    CorpusConfig: {
        "lower": True,
        "letters_only": True,
        "simplified": True,
        "d2l": True,
        "valid": 0.3,
        "test": 0.1,
        "max_tokens": 500,
        "documents": "line",
        "seed": 2,
    },
    VocabConfig: {"token": "word", "min_freq": 2, "max_size": 9, "reserved": ("<a>", "<b>")},
}
BASE: dict[type[Any], dict[str, Any]] = {
    ModelConfig: {"num_hiddens": 4},
    TrainConfig: {"threads": 1},
    BatchConfig: {"batch_size": 2, "num_steps": 5},
}


def run_of(name: str, *nats: float | None, **options: Any) -> Run:
    """Return a run with these held-out scores and these options, by the name of their class."""
    configs = {
        kind: kind(**{**BASE.get(kind, {}), **options.get(kind.__name__, {})}) for kind in OTHER
    }
    text = TEXT.replace(". ", ".\n") if configs[CorpusConfig].documents else TEXT
    corpus = Corpus.from_text(text, configs[CorpusConfig])
    vocab = Vocab.from_corpus(corpus, configs[VocabConfig])
    batches = make_batches(corpus, vocab, configs[BatchConfig])
    run, _ = begin(batches, configs[ModelConfig], configs[TrainConfig], name)
    for epoch, valid in enumerate(nats, start=1):
        run.history.append(EpochEnd(epoch, True, 1.5, valid, 2.0, 270.0, 0.5, 9.5, 0.04))
        run.curve.end_epoch(2.0 * epoch)
    return run


OPTIONS = [(kind, name) for kind, options in OTHER.items() for name in options]


def test_every_option_but_those_of_other_machines_is_tried() -> None:
    tried = {(kind, name) for kind, name in OPTIONS}
    all_of_them = {(kind, field.name) for kind in OTHER for field in describe(kind)}
    # One needs a GPU, the other an embedding as wide as the state.
    assert all_of_them - tried == {(TrainConfig, "precision"), (ModelConfig, "tie")}


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=[f"{k.__name__}-{n}" for k, n in OPTIONS])
def test_an_option_has_a_column_where_it_differs_and_only_there(kind: Any, name: str) -> None:
    plain = run_of("plain", 1.0)
    other = run_of("other", 1.0, **{kind.__name__: {name: OTHER[kind][name]}})
    results = compare_runs([plain, plain]).table.head
    head = compare_runs([plain, other]).table.head
    both = {
        each: {TrainConfig: f"training {each}", CorpusConfig: f"corpus {each}"}
        for each in ("max_tokens", "seed")
    }
    # Perplexities of other vocabularies are no measure of both.
    added = [word for word in head if word not in results and word != "bits per byte"]
    assert added == [both.get(name, {}).get(kind, name)]
    assert ("bits per byte" in head) is (kind is VocabConfig and name != "min_freq")
    assert results[:2] == ["run", "parameters"]
    column = compare_runs([plain, other]).table.columns[1]
    assert OTHER[kind][name] in column.entries


def of_tokens(token: str, nats: float, **cleaning: Any) -> Run:
    config = {"token": token, "max_size": 270 if token == "bpe" else None}
    options = {"VocabConfig": config, "CorpusConfig": {"valid": 0.3, **cleaning}}
    return run_of(token, nats, **options)


def test_runs_with_other_tokens_of_one_text_are_sorted_by_bits_per_byte() -> None:
    # A word costs most, and has the most bytes: 3.4 nats over some 4.6 of them.
    runs = [of_tokens("char", 2.0), of_tokens("bpe", 3.3), of_tokens("word", 3.4)]
    comparison = compare_runs(runs)
    table = comparison.table
    (column,) = (column for column in table.columns if column.name == "bits per byte")
    sizes = [run.valid_counts.size for run in runs if run.valid_counts is not None]
    assert [bool(size and size.lost_bits) for size in sizes] == [False, False, True]
    by_name = {
        run.name: (best.bits * (run.num_valid_tokens - 1) + size.lost_bits) / size.num_bytes
        for run, size in zip(runs, sizes, strict=True)
        if (best := best_score(run)) is not None and size is not None
    }
    names = [run.name for group in table.groups for run in group.runs]
    assert [by_name[name] for name in names] == pytest.approx(column.entries)
    assert column.entries == sorted(column.entries)
    assert names == ["word", "bpe", "char"]
    perplexities = table.columns[table.head.index("best held-out ppl")].entries
    assert perplexities == sorted(perplexities, reverse=True)  # the other way round
    why, ranked = comparison.notes
    assert why.startswith("Perplexities of different groups cannot be compared")
    assert ranked.startswith("Bits per byte of the same held-out text can, the fewest first: word ")
    assert ranked.endswith(f"char {rounded(by_name['char'])}.")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"lower": True}, "they have different texts"),
        ({"valid": 0.2}, "they have different held-out parts"),
        ({"max_tokens": 300}, "they have different held-out parts"),
    ],
)
def test_what_bits_per_byte_cannot_compare_is_said(other: dict[str, Any], why: str) -> None:
    comparison = compare_runs([of_tokens("char", 2.0), of_tokens("word", 3.0, **other)])
    assert comparison.notes[-1] == f"Nor can their bits per byte: {why}."
    assert "bits per byte" not in comparison.table.head


def test_runs_of_before_have_no_bits_per_byte() -> None:
    runs = [of_tokens("char", 2.0), of_tokens("word", 3.0)]
    runs[1].valid_counts = replace(runs[1].valid_counts, size=None)  # type: ignore[type-var]
    assert "length of the held-out text in bytes is not known" in compare_runs(runs).notes[-1]


def test_a_value_that_is_not_set_says_what_that_means() -> None:
    runs = [
        run_of("a", 1.0),
        run_of("b", 2.0, TrainConfig={"lr": 0.25, "clip": None}),
        run_of("c", 3.0, TrainConfig={"lr": 1e-5}),
    ]
    table = compare_runs(runs).table
    (_, rows), head = table.sections[0], table.head
    assert head[:3] == ["run", "lr", "clip"]
    assert [row[:3] for row in rows] == [
        ["a", "default", "1"],
        ["b", "0.25", "none"],
        ["c", "1e-05", "1"],
    ]


def test_what_a_run_does_not_tell_is_no_difference() -> None:
    old = replace(run_of("old", 1.0), reading=None)
    new = run_of("new", 2.0, CorpusConfig={"lower": False})
    assert "lower" not in compare_runs([old, new]).table.head
    newer = run_of("newer", 3.0, CorpusConfig={"lower": True})
    table = compare_runs([old, new, newer]).table
    column = next(column for column in table.columns if column.name == "lower")
    assert sorted(column.cells) == ["", "no", "yes"]


def test_the_best_epoch_is_told_and_the_best_run_stands_first() -> None:
    worse, better = run_of("worse", 2.0, 1.5, 1.7), run_of("better", 1.4, None, float("nan"))
    silent = run_of("silent", None)
    table = compare_runs([silent, worse, better]).table
    told = {column.name: column.entries for column in table.columns}
    assert told["run"] == ["better", "worse", "silent"]
    assert told["after epoch"] == [1, 2, None]
    assert told["best held-out ppl"][:2] == pytest.approx([4.0552, 4.4817], rel=1e-4)
    assert told["best held-out ppl"][2] is None
    assert told["epochs trained"] == [3, 3, 1]
    assert told["seconds"] == [6.0, 6.0, 2.0]
    assert told["tokens/s"] == [270.0, 270.0, 270.0]
    assert told["parameters"] == [worse.model.num_parameters] * 3
    assert best_score(silent) is None


def test_the_verdict_stands_beside_counting() -> None:
    run = run_of("a <b>", 2.0, 1.5)
    (group,) = compare_runs([run]).groups
    assert group.verdict == "a <b>: held-out perplexity 4.482 after epoch 2."
    run.ladder = Ladder((Rung(1, 15.0, 16.0), Rung(2, 7.0, 4.0)), 28, run.num_valid_tokens - 1)
    (group,) = compare_runs([run]).groups
    assert group.verdict.endswith("after epoch 2, above the best bigram (4.000) by 12.0%.")
    assert [mark.name for mark in group.marks] == ["uniform", "unigram", "best, bigram"]
    assert compare_runs([run_of("b", None)]).groups[0].verdict == ""
    (group,) = compare_runs([run, run_of("b", 3.0)]).groups
    assert group.verdict.startswith("a <b> predicts held-out text best: perplexity 4.482 after ")


def test_groups_stand_apart_in_every_form() -> None:
    runs = [run_of("chars", 1.0), run_of("words", 3.0, VocabConfig={"token": "word"})]
    runs += [run_of("more", 0.5, ModelConfig={"num_hiddens": 8})]
    comparison = compare_runs(runs)
    assert [[run.name for run in group.runs] for group in comparison.groups] == [
        ["more", "chars"],
        ["words"],
    ]
    lines = repr(comparison).splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["run", "A:", "more", "chars", "B:", "words"]
    assert comparison.notes[0] in lines
    text = comparison.to_markdown()
    assert text.count("\n| --- |") == 2
    assert text.index("A: 16 char tokens") < text.index("| more |") < text.index("B: ")
    frame = comparison.to_pandas()
    assert frame["group"].tolist() == ["A", "A", "B"]
    assert frame.index.tolist() == ["more", "chars", "words"]
    assert frame.index.name == "run"
    assert frame.loc["more", "num_hiddens"] == 8
    assert frame["token"].tolist() == ["char", "char", "word"]


def test_a_run_that_was_steered_says_so() -> None:
    run = run_of("a", 1.0)
    run.steer(replace(run.config.train, lr=0.5), 7)
    said = "a was steered while it trained: learning rate 0.5 and clip 1 from step 8 on."
    assert compare_runs([run, run_of("b", 2.0)]).notes == [said]


def test_without_a_finished_epoch_there_is_nothing_to_compare() -> None:
    with pytest.raises(
        TrainingError, match=r"^nothing to compare yet: a must first finish an epoch$"
    ):
        compare_runs([run_of("a")])
    with pytest.raises(TrainingError, match="no run must first"):
        compare_runs([])


def test_without_pandas_the_frame_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TrainingError, match=r"pip install 'rnn_magics\[pandas\]'") as caught:
        compare_runs([run_of("a", 1.0)]).to_pandas()
    assert len(str(caught.value).splitlines()) == 1


def rendered(markdown: str) -> list[list[str]]:
    """Return the cells of the tables of a text as a Markdown renderer shows them."""
    html = mistune.create_markdown(plugins=["table"])(markdown)
    rows = BeautifulSoup(str(html), "html.parser").find_all("tr")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows]


CELLS = st.text(st.sampled_from("ab_*`~[]<>|&$#\\!().-+ 中"), min_size=1, max_size=12).map(
    lambda text: f"x{text}x"
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_cells_are_not_read_as_markdown(rows: list[list[str]]) -> None:
    assert rendered(markdown_table(rows[0], rows[1:])) == rows


def test_a_comparison_reads_well_as_markdown() -> None:
    runs = [run_of("a|b", 1.0), run_of("__c__ <i>", 2.0, ModelConfig={"num_hiddens": 8})]
    comparison = compare_runs(runs)
    table = comparison.table
    assert rendered(comparison.to_markdown()) == [table.head, *table.sections[0][1]]
    assert "| run | num_hiddens | parameters |" in comparison.to_markdown()


def test_a_table_cannot_be_changed_by_mistake() -> None:
    table = compare_runs([run_of("a", 1.0)]).table
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.columns = []  # type: ignore[misc]
