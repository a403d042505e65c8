"""Several runs in one picture, and what it says in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from bs4 import BeautifulSoup

from rnn_magics import plotting
from rnn_magics.notebook.show.comparison import MOST_DRAWN, comparison_bundle, comparison_payload
from rnn_magics.plotting.curves import curves_figure
from rnn_magics.reports.comparison import compare_runs
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.training.events import EpochEnd
from tests.reports.test_run_payload import assert_close, example_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tests.notebook.conftest import Notebook

EXAMPLE = Path(__file__).parents[2] / "contract" / "payloads" / "compare.json"
MARKDOWN = EXAMPLE.with_suffix(".md")


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
    payload = forms[RUN_MIME]
    assert [run["name"] for run in payload["runs"]] == ["better", "gru-1"]
    assert [row[0] for row in payload["groups"][0]["rows"]] == ["better", "gru-1"]
    json.dumps(payload, allow_nan=False)
    assert "+ better: training" in forms["text/plain"]
    assert "o gru-1: training" in forms["text/plain"]
    assert forms["text/plain"].endswith(repr(result))


@pytest.mark.parametrize(
    ("against", "label", "ends"),
    [
        ("epochs", "epoch", lambda _run: [1, 2]),
        ("steps", "steps", lambda run: [steps for steps, _ in run.curve.epochs]),
        (
            "tokens",
            "tokens of training",
            lambda run: [
                steps * run.config.batching.batch_size * run.config.batching.num_steps
                for steps, _ in run.curve.epochs
            ],
        ),
        ("seconds", "seconds of training", lambda run: [spent for _, spent in run.curve.epochs]),
    ],
)
def test_the_picture_is_against_what_is_asked_for(
    trained: Notebook, against: str, label: str, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.run("%train_rnn --num-hiddens 4 --epochs 2 --name other")
    drawn: list[Any] = []
    keep = lambda groups: drawn.append(curves_figure(groups)) or drawn[-1]  # noqa: E731
    monkeypatch.setattr("rnn_magics.notebook.show.comparison.curves_figure", keep)
    trained.rich(trained.run(f"%rnn compare other --against {against}"))
    axes = drawn[0].axes[0]
    assert axes.get_xlabel() == label
    other = trained.session.runs["other"]
    assert list(axes.lines[0].get_xdata()) == pytest.approx(ends(other))
    assert drawn[0].axes[1].get_xlabel() == label


def test_what_the_picture_is_against_is_for_compare_only(trained: Notebook) -> None:
    said = trained.refused("%rnn doctor --against steps")
    assert said == "--against is for %rnn compare; leave it out"
    assert trained.refused("%rnn compare --against step").endswith("did you mean 'steps'?")


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
    assert [[group.letter, *(run.name for run in group.runs)] for group in result.groups] == [
        ["A", "gru-1", "gru 中"],
        ["B", "words"],
        ["C", "few"],
        ["D", "other"],
    ]
    said = (
        "Perplexities of different groups cannot be compared: they have different kinds of token,"
        " vocabularies and texts."
    )
    forms = grouped.rich(result)
    assert said in forms["text/plain"]
    nor = "Nor can their bits per byte: they have different texts."
    assert forms[RUN_MIME]["notes"] == [said, nor]
    assert [group["letter"] for group in forms[RUN_MIME]["groups"]] == ["A", "B", "C", "D"]
    assert forms[RUN_MIME]["groups"][1]["basis"].startswith("33 word tokens; 'tiny'")
    assert "B: 33 word tokens; 'tiny'" in forms["text/plain"]
    assert said in forms["text/html"]


def test_each_group_has_charts_of_its_own(
    grouped: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(plotting, "to_png", lambda figure: figures.append(figure) or b"png")
    grouped.rich(compared(grouped, "%rnn compare"))
    figure = figures[-1]
    titles = [axes.get_title() for axes in figure.axes[::2]]
    assert titles == [
        *("A: Perplexity", "B, words: Perplexity", "C, few: Perplexity", "D, other: Perplexity")
    ]
    (legend,) = [part.legends[0] for part in figure.subfigs if part.legends]
    assert {text.get_text() for text in legend.get_texts()} >= {
        "gru 中: training",
        "gru-1: training",
    }


def test_runs_of_one_basis_are_one_group(grouped: Notebook) -> None:
    result = compared(grouped, "%rnn compare gru-1 'gru 中'")
    assert [group.letter for group in result.groups] == ["A"]
    assert result.notes == []
    assert "A:" not in repr(result)
    assert grouped.rich(result)[RUN_MIME]["notes"] == []


def test_the_page_the_picture_and_the_text_have_one_table(grouped: Notebook) -> None:
    result = compared(grouped, "%rnn compare")
    forms = grouped.rich(result)
    html = BeautifulSoup(forms["text/html"], "html.parser")
    shown = [
        [cell.get_text() for cell in row.find_all(["th", "td"])] for row in html.find_all("tr")
    ]
    table = result.table
    expected = [row for _, rows in table.sections for row in (table.head, *rows)]
    assert shown == expected
    payload = forms[RUN_MIME]
    told = [row for group in payload["groups"] for row in (payload["head"], *group["rows"])]
    assert told == expected
    for row in expected:
        assert all(cell in forms["text/plain"] for cell in row)
    assert html.img["src"].startswith("data:image/png;base64,iVBOR")
    assert html.img["alt"]


def test_the_view_of_many_runs_is_bounded() -> None:
    one = example_run()
    while len(one.history) < 300:
        one.curve.extend(torch.rand(9, dtype=torch.float64), torch.rand(9, dtype=torch.float64))
        one.curve.end_epoch(2.0)
        one.history.append(
            EpochEnd(len(one.history) + 1, True, 1.0, 1.0, 2.0, 270.0, 0.5, 9.5, 0.0)
        )
    runs = [replace(one, name=f"run {place}") for place in range(MOST_DRAWN)]
    payload = comparison_payload(compare_runs(runs))
    points = sum(len(run["series"]["loss"]) + len(run["epochs"]) for run in payload["runs"])
    assert points * len(runs) <= 4_000_000  # of saved.ts
    assert len(json.dumps(payload)) < 4_000_000
    last = payload["runs"][0]["epochs"][-1]
    assert (last["epoch"], len(payload["groups"][0]["rows"])) == (300, MOST_DRAWN)
    more = comparison_bundle(compare_runs([*runs, one]))
    assert set(more) == {"text/html", "text/plain"}
    assert "run 99" in more["text/html"]


def example() -> Any:
    """Return two groups of runs whose numbers are made up, as a notebook keeps them."""
    best, other = example_run(), replace(example_run(), name="a|b", reason=None)
    other.history.valid_bits[-1] = other.history.valid_perplexity[-1] = None
    other.config = replace(other.config, train=replace(other.config.train, lr=0.5, seed=1))
    alone = replace(example_run(), name="__alone__", num_valid_tokens=7)
    return compare_runs([best, other, alone])


def as_json(comparison: Any) -> Any:
    return json.loads(json.dumps(comparison_payload(comparison), allow_nan=False))


def test_the_example_is_what_runs_give() -> None:
    """To renew it: python -m tests.notebook.show.test_comparison."""
    assert_close(as_json(example()), json.loads(EXAMPLE.read_text(encoding="utf-8")))
    assert f"{example().to_markdown()}\n" == MARKDOWN.read_text(encoding="utf-8")


if __name__ == "__main__":
    EXAMPLE.write_text(json.dumps(as_json(example()), indent=1) + "\n", encoding="utf-8")
    MARKDOWN.write_text(f"{example().to_markdown()}\n", encoding="utf-8")
