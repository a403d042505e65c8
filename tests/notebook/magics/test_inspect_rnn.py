"""%inspect_rnn: each view from a line, what is shown, what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rnn_magics.inspection.inspectors import INSPECTORS, Inspector
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.inspection.views.windows import WindowsConfig

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

LINES = {
    "hidden": '%inspect_rnn hidden "the time" --order variance --num-units 3',
    "gates": '%inspect_rnn gates "the time"',
    "surprise": '%inspect_rnn surprise "the time" --top 2',
    "gradient": '%inspect_rnn gradient "the time" --step 3 --target m',
    "match": '%inspect_rnn match "the time" --span 4:8 --threshold 0 --num 2',
    "units": "%inspect_rnn units --unit 3 --num 2",
    "batches": "%inspect_rnn batches --show 2",
    "play": '%inspect_rnn play "the time" --length 20',
    "patch": '%inspect_rnn patch "the time" "he said" --place 3 --length 20',
    "ablate": "%inspect_rnn ablate --tokens 50 --groups 4",
    "probe": "%inspect_rnn probe --feature next_space",
    "diff": '%inspect_rnn diff "the time" --run gru-1,gru-1',
}


def test_there_is_a_line_for_each_view_that_is_drawn() -> None:
    assert list(LINES) == [view for view, inspector in INSPECTORS.items() if inspector.is_drawn]


@pytest.mark.parametrize("view", LINES)
def test_a_view_returns_its_arrays_and_changes_nothing(trained: Notebook, view: str) -> None:
    with trained.unchanged():
        trace = trained.run(LINES[view])
    assert trace.to_data()["view"] == view
    shown = trained.rich(trace)["text/plain"]
    assert shown.splitlines()[0] == trace.title
    assert len(shown.splitlines()) > 1


@pytest.mark.parametrize("view", LINES)
def test_the_explained_call_gives_the_same(trained: Notebook, view: str) -> None:
    with trained.unchanged():
        source = trained.printed(f"{LINES[view]} --explain")
    session = trained.session
    plain: dict[str, Any] = {
        "run": session.runs["gru-1"],
        "other": session.runs["gru-1"],
        "corpus": session.corpus,
        "batches": session.batches,
    }
    exec(source, plain)
    assert plain["trace"].to_data() == trained.run(LINES[view]).to_data()


@pytest.mark.parametrize("view", LINES)
def test_a_view_is_shown_once_as_a_picture_with_its_words(
    trained: Notebook, shown: list[dict[str, Any]], view: str
) -> None:
    trained.run(LINES[view])
    assert shown == []  # figures are not wanted
    trained.run("%config RNNMagics.figures = True")
    for cell in (LINES[view], f"trace = {LINES[view]}", f"trace = {LINES[view]}\ntrace"):
        shown.clear()
        trace = trained.run(cell) or trained.variables["trace"]
        trained.shell.displayhook(trace)  # what the value of a cell is given to
        (output,) = shown
        assert output["data"]["image/png"].startswith(b"\x89PNG")
        assert output["data"]["text/plain"] == repr(trace)


def test_a_later_cell_shows_the_view_again(trained: Notebook, shown: list[dict[str, Any]]) -> None:
    trained.run("%config RNNMagics.figures = True")
    trained.run(f"trace = {LINES['hidden']}")
    trained.run("trace")
    assert len(shown) == 2
    assert shown[0]["data"] == shown[1]["data"]


def test_a_terminal_shows_the_words_once(
    trained: Notebook, shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    trained.run("%config RNNMagics.figures = True")
    trained.shell.display_formatter.active_types = ["text/plain"]
    capsys.readouterr()
    trace = trained.run(LINES["hidden"])
    assert shown == []
    assert capsys.readouterr().out.count(trace.title) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hidden", '%inspect_rnn hidden needs a text: %inspect_rnn hidden "the "'),
        ('hidden ""', "the text has 0 char tokens, but this view needs at least 1"),
        ("surprise t", "the text has 1 char token, but this view needs at least 2"),
        ("hidden the --layer 1", "the model has no layer 1: 0 is its only layer"),
        ("hidden the --layer -1", "--layer must be at least 0, not -1"),
        ("hidden the --unit 3", "%inspect_rnn hidden takes no --unit; it is for units"),
        ("hidden the --num 3", "takes no --num; it is for match, units"),
        ("units the", "%inspect_rnn units takes no text; it is for hidden, gates, surprise"),
        ("batches --run gru-1", "%inspect_rnn batches takes no --run; it is for hidden"),
        ("hiden the", "view: 'hiden' is not one of hidden, gates"),
        ("hidden the --run gru-9", "no run 'gru-9'; did you mean 'gru-1'?"),
        ("units --unit 8", "the model has no unit 8: its units are 0 to 7"),
        ("gradient the --target zz", "'zz' is not a char token"),
        ("match the --span 0:9", "span must be A:B"),
        ("", "%inspect_rnn needs"),
        ("diff the", "diff compares two runs: name them with --run A,B"),
        ("diff the --run gru-1", "diff compares two runs: name them with --run A,B"),
        ("diff the --run gru-1,gru-1,gru-1", "diff compares two runs"),
        ("diff the --run gru-1,gru-9", "no run 'gru-9'; did you mean 'gru-1'?"),
        ("diff --run gru-1,gru-1", "%inspect_rnn diff needs a text"),
        ("diff the --epochs", "%inspect_rnn diff takes no --epochs"),
        ("diff the --layer 0", "%inspect_rnn diff takes no --layer"),
        ("patch the", "%inspect_rnn patch needs a second text"),
        ("patch the he --place 2", "the text has no place 2: its places are 0 to 1"),
        ("ablate --groups 3,8", "layer 0 has no unit 8: its units are 0 to 7"),
        ("ablate the", "the text has 3 tokens to read; an ablation needs more than 20"),
        ("ablate the he", "%inspect_rnn ablate takes no into; it is for patch"),
        ("probe --feature in_brackets", "there is nothing to find"),
    ],
)
def test_what_is_refused(trained: Notebook, line: str, said: str) -> None:
    assert said in trained.refused(f"%inspect_rnn {line}")


def test_a_view_out_of_order(notebook: Notebook) -> None:
    assert notebook.refused("%inspect_rnn hidden the").startswith("no run yet")
    assert notebook.refused("%inspect_rnn batches").startswith("no corpus yet")


def test_a_corpus_is_needed_to_be_searched(trained: Notebook) -> None:
    trained.session.corpus = None
    assert trained.refused("%inspect_rnn units").startswith("no corpus yet")
    trained.run("%inspect_rnn hidden the")


def test_an_ablation_reads_the_text_that_was_typed_else_the_corpus(trained: Notebook) -> None:
    typed = trained.run('%inspect_rnn ablate "the time traveller said"')
    assert (typed.part, "".join(typed.tokens)) == ("text", "the time traveller said")
    assert trained.run("%inspect_rnn ablate --tokens 30").part == "held-out"
    trained.session.corpus = None
    assert trained.refused("%inspect_rnn ablate").startswith("no corpus yet")
    trained.run('%inspect_rnn ablate "the time traveller said"')


def test_two_runs_are_compared_the_newest_two_by_default(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 8 --epochs 1 --cell lstm --no-baseline")
    found = trained.run('%inspect_rnn diff "the time"')
    assert found.runs == ("gru-1", "lstm-1")
    turned = trained.run('%inspect_rnn diff "the time" --run "lstm-1, gru-1"')
    assert turned.runs == ("lstm-1", "gru-1")
    np.testing.assert_allclose(found.gain, -turned.gain)
    trained.run("%vocab --token word\n%sample seq --batch-size 2 --num-steps 4")
    trained.run("%train_rnn --num-hiddens 4 --epochs 1 --no-baseline --name words")
    said = trained.refused('%inspect_rnn diff "the time" --run gru-1,words')
    assert "the runs have different vocabularies" in said


def test_a_bidirectional_or_gateless_model_is_one_line(prepared: Notebook) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --bidirectional --name both")
    assert "bidirectional" in prepared.refused("%inspect_rnn hidden the")
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --cell rnn")
    assert "the cell 'rnn' names no gates" in prepared.refused("%inspect_rnn gates the")


def test_a_run_that_trains_is_looked_at_in_a_copy(prepared: Notebook) -> None:
    run = prepared.run("%train_rnn --num-hiddens 8 --epochs 1000000 --background")
    for line in LINES.values():
        prepared.run(line)
    assert run.reason is None


def test_text_is_never_evaluated(trained: Notebook) -> None:
    trace = trained.run('%inspect_rnn surprise "{1+1} $x <b>\x1b[31m"')
    assert "\x1b" not in trained.rich(trace)["text/plain"]
    assert trace.unknown[0] == "{"


class Mine(Trace):
    """A view of a user."""

    kind = "mine"
    title = "mine \x1b[31m"

    def rows(self) -> Iterator[Sequence[str]]:
        yield "token", "value"
        yield "\x1b[31m", "1"


def test_a_registered_view_is_offered_and_safe_to_look_at(
    trained: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Inspector(lambda _batches, _config=None: Mine(), ("batches",), WindowsConfig, "mine")
    monkeypatch.setitem(INSPECTORS, "mine", mine)
    assert trained.complete("%inspect_rnn mi") == ["mine"]
    trained.run("%config RNNMagics.figures = True")
    trace = trained.run("%inspect_rnn mine")
    assert isinstance(trace, Mine)
    expected = "mine \\x1b[31m\ntoken     value\n\\x1b[31m  1"
    assert trained.rich(trace)["text/plain"] == expected
    assert "\x1b" not in trained.rich([trace])["text/plain"]


def test_a_view_does_not_depend_on_the_engine(prepared: Notebook) -> None:
    states = []
    for flag in ("", "--scratch"):
        prepared.run(f"%train_rnn --num-hiddens 8 --epochs 1 {flag}")
        states.append(prepared.run("%inspect_rnn hidden the").states)
    np.testing.assert_allclose(*states, atol=1e-4)
