"""What a saved notebook keeps of its views, and what a page made of it shows without a kernel."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from rnn_magics.inspection.inspectors import INSPECTORS
from tests.kernel.test_kernel import CORPUS

WIDGET = "application/vnd.jupyter.widget-view+json"
TRAIN = "%train_rnn --num-hiddens 8 --epochs 1 --cell lstm --threads 1"
NEEDS_TEXT = {name for name, inspector in INSPECTORS.items() if "text" in inspector.needs}
LINES = {
    view: f"%inspect_rnn {view}" + (' "the time"' if view in NEEDS_TEXT else "")
    for view in INSPECTORS
}
LINES["match"] += " --span 0:3 --threshold 0"
LINES["patch"] += ' "the"'
LINES["probe"] += " --feature next_space"
LINES["diff"] += " --run lstm-1,lstm-1"
DRAWN = [line for view, line in LINES.items() if INSPECTORS[view].is_drawn]
RAW = re.compile(r"object at 0x|VBox\(children|Widget\(|Model\(")
PLAIN = "text/plain"


@pytest.fixture(scope="module")
def saved() -> Any:
    """A notebook as it is saved: all views, one of them assigned, the panel and a training."""
    cells = [
        "%load_ext rnn_magics\n%config RNNMagics.live = True",
        CORPUS,
        "%vocab\n%sample seq --batch-size 4 --num-steps 8",
        TRAIN,
        *LINES.values(),
        f"trace = {LINES['hidden']}",
        f"trace = {LINES['hidden']}\ntrace",
        "trace",
        "%rnn_lab",
    ]
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
    )
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    return notebook


def outputs(saved: Any, source: str) -> list[Any]:
    (cell,) = [cell for cell in saved.cells if cell.source == source]
    return [output for output in cell.outputs if output.output_type != "stream"]


@pytest.mark.parametrize(
    "source", [*DRAWN, f"trace = {LINES['hidden']}", f"trace = {LINES['hidden']}\ntrace"]
)
def test_a_cell_shows_its_view_once(saved: Any, source: str) -> None:
    widget, kept = outputs(saved, source)
    assert WIDGET in widget.data
    words = kept.data[PLAIN]
    assert kept.data["image/png"]
    assert len(words.splitlines()) > 1  # the table of the result, which nothing repeats
    assert widget.data[PLAIN] == words.splitlines()[0]


def test_a_result_is_shown_again_in_another_cell(saved: Any) -> None:
    first, again = (outputs(saved, source)[-1] for source in (LINES["hidden"], "trace"))
    assert again.data["image/png"] == first.data["image/png"]
    assert again.data[PLAIN] == first.data[PLAIN]


def test_a_training_shows_its_card_once(saved: Any) -> None:
    assert [output.output_type for output in outputs(saved, TRAIN)] == ["display_data"] * 2
    words = "".join(output.data[PLAIN] for output in outputs(saved, TRAIN))
    assert words.count("lstm, 8 hidden units, 1 layer") == 1


def test_every_output_has_words(saved: Any) -> None:
    for cell in saved.cells:
        for output in cell.get("outputs", []):
            words = output.get("text", output.get("data", {}).get(PLAIN))
            assert words.strip(), cell.source
            assert not RAW.search(words), words


def test_the_panel_is_kept_as_lines(saved: Any) -> None:
    lines = outputs(saved, "%rnn_lab")[0].data[PLAIN].splitlines()
    assert [line.split()[0] for line in lines] == [
        "%corpus",
        "%vocab",
        "%sample",
        "%train_rnn",
        "%generate",
    ]


@pytest.mark.parametrize("keeps_widgets", [True, False])
def test_a_page_made_of_it_shows_a_picture_for_each_view(
    saved: Any, *, keeps_widgets: bool
) -> None:
    notebook = nbformat.from_dict(saved)  # type: ignore[no-untyped-call]
    notebook.metadata = {**saved.metadata}
    if not keeps_widgets:
        del notebook.metadata["widgets"]
    page, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    body = page[page.index("<body") :]
    shown = re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)
    assert not RAW.search(shown)
    pictures = len(re.findall(r'<img[^>]+src="data:image/png', body))
    assert pictures == len(LINES) + 4  # three more of `hidden`, and the training
    assert "%train_rnn" in re.sub(r"<[^>]+>", "", shown).split("%rnn_lab")[-1]
