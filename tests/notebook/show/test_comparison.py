"""Several runs in one picture, and what it says in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.show import comparison
from rnn_magics.notebook.show.run_payload import RUN_MIME

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tests.notebook.conftest import Notebook


def compared(notebook: Notebook, line: str) -> Any:
    return notebook.run(line)


def test_all_runs_are_compared_unless_some_are_named(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 8 --epochs 3")
    trained.run("%train_rnn --num-hiddens 4 --epochs 1")
    names = [run.name for run in compared(trained, "%rnn compare").runs]
    assert names == ["gru-1", "gru-2", "gru-3"]
    names = [run.name for run in compared(trained, "%rnn compare gru-3 gru-1").runs]
    assert names == ["gru-3", "gru-1"]


def test_the_best_stands_first_in_words_and_all_in_the_picture(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 8 --epochs 5 --name better")
    result = compared(trained, "%rnn compare")
    first = repr(result).splitlines()[1]
    assert first.startswith("better")
    forms = trained.rich(result)
    assert forms["image/png"]
    runs = forms[RUN_MIME]["runs"]
    assert [run["name"] for run in runs] == ["gru-1", "better"]
    json.dumps(forms[RUN_MIME], allow_nan=False)
    assert "o better: training" in forms["text/plain"]
    assert forms["text/plain"].endswith(repr(result))


def test_what_cannot_be_compared(prepared: Notebook) -> None:
    assert prepared.refused("%rnn compare") == "no run yet: type %train_rnn first"
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1")
    assert prepared.refused("%rnn compare gru-7").startswith("no run 'gru-7'")
    prepared.session.runs["gru-1"].history.__init__()  # type: ignore[misc]
    assert prepared.refused("%rnn compare").startswith("nothing to compare yet")


@pytest.fixture
def grouped(trained: Notebook) -> Notebook:
    """Runs on characters, on words, with a smaller vocabulary, and on another text."""
    trained.run("%train_rnn --num-hiddens 4 --epochs 1 --name 'gru 中'")
    for line in (
        "%vocab --token word",
        "%sample seq --batch-size 2 --num-steps 4",
        "%train_rnn --num-hiddens 4 --epochs 1 --name words",
        "%vocab --token word --max-size 9",
        "%sample seq --batch-size 2 --num-steps 4",
        "%train_rnn --num-hiddens 4 --epochs 1 --name few",
        "%corpus --data text",
        "%vocab",
        "%sample seq --batch-size 2 --num-steps 4",
        "%train_rnn --num-hiddens 4 --epochs 1 --name other",
    ):
        trained.variables["text"] = "another text for runs to read, again and again. " * 9
        trained.run(line)
    return trained


def test_what_cannot_be_compared_is_grouped_and_said(grouped: Notebook) -> None:
    result = compared(grouped, "%rnn compare")
    groups = {letter: [run.name for run in runs] for letter, runs in result.groups.items()}
    assert {letter: sorted(names) for letter, names in groups.items()} == {
        "A": ["gru 中", "gru-1"],
        "B": ["words"],
        "C": ["few"],
        "D": ["other"],
    }
    said = (
        "Perplexities of different groups cannot be compared: they have different kinds of token,"
        " vocabularies and texts."
    )
    forms = grouped.rich(result)
    assert said in forms["text/plain"]
    assert forms[RUN_MIME]["notes"][0] == said
    assert [note[:3] for note in forms[RUN_MIME]["notes"][1:]] == ["A: ", "B: ", "C: ", "D: "]
    assert "B: 32 word tokens; 'tiny'" in forms["text/plain"]
    rows = [line.split()[:2] for line in repr(result).splitlines()[1:6]]
    assert [row[0] for row in rows] == ["A", "A", "B", "C", "D"]


def test_the_chart_says_it_too(grouped: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(comparison, "to_png", lambda figure: figures.append(figure) or b"")
    result = compared(grouped, "%rnn compare")
    grouped.rich(result)
    figure = figures[-1]
    assert figure.get_suptitle() == result.notes[0]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "A: gru 中: training" in legend
    assert "D: other: training" in legend


def test_runs_of_one_basis_are_one_group(grouped: Notebook) -> None:
    result = compared(grouped, "%rnn compare gru-1 'gru 中'")
    assert list(result.groups) == ["A"]
    assert result.notes == []
    assert "group" not in repr(result)
    assert grouped.rich(result)[RUN_MIME]["notes"] == []
