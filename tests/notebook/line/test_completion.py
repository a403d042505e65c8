"""TAB: what is offered, asked for in the way of every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter

from rnn_magics.batching import BATCHERS
from rnn_magics.decoding.decoders import DECODERS
from rnn_magics.models.cells import CELLS
from rnn_magics.text.reading.sources import BUILTINS
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.training.recipes.recipes import RECIPES

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("%train_rnn --ce", ["--cell"]),
        ("%train_rnn --c", ["--checkpoint", "--cluster", "--cell", "--clip"]),
        ("run = %train_rnn --cli", ["--clip"]),
        ("a, b = %train_rnn --cli", ["--clip"]),
        ("  %train_rnn --cli", ["--clip"]),
        ("x = 1\nrun = %train_rnn --cli", ["--clip"]),
        ("%train_rnn --cell gru --ce", []),
        ("%train_rnn --cell ", list(CELLS)),
        ("%train_rnn --cell g", ["gru"]),
        ("%train_rnn --cell=", list(CELLS)),
        ("%train_rnn --epochs 3 --cell=l", ["lstm"]),
        ("%train_rnn --recipe d2l-d", ["d2l-deep-lstm"]),
        ("%train_rnn --recipe ", list(RECIPES)),
        ("%vocab --token ", list(TOKENIZERS)),
        ("%generate the --decoder ", list(DECODERS)),
        ("%sample ra", ["random"]),
        ("%sample --batch-size 4 s", ["seq"]),
        ("%corpus ti", [name for name in BUILTINS if name.startswith("ti")]),
        ("%rnn st", ["stop"]),
        ("%%corpus poem --let", ["--letters-only"]),
        ("%train_rnn --clip ", []),
    ],
)
def test_options_and_values(notebook: Notebook, before: str, offered: list[str]) -> None:
    found = notebook.complete(before)
    assert [word for word in found if word in offered] == offered
    if offered:
        assert found == offered


def test_a_bare_line_offers_words_before_options(notebook: Notebook) -> None:
    found = notebook.complete("%sample ")
    assert found[: len(BATCHERS)] == list(BATCHERS)
    assert "--num-steps" in found
    assert "--explain" in found


def test_runs_and_variables_are_offered(trained: Notebook) -> None:
    trained.variables.update(series=[1, 2], _hidden=[1])
    assert trained.complete("%generate the --run ") == ["gru-1"]
    assert trained.complete("%corpus --data ser") == ["series"]
    assert "_hidden" not in trained.complete("%corpus --data ")
    assert trained.complete("%rnn stop gr") == ["gru-1"]


def test_the_text_that_is_replaced_is_the_word(notebook: Notebook) -> None:
    line = "run = %train_rnn --cell=gr"
    with provisionalcompleter():
        (found,) = notebook.shell.Completer.completions(line, len(line))
    assert line[: found.start] + found.text == "run = %train_rnn --cell=gru"
    assert found.end == len(line)


def test_the_cursor_may_stand_within_the_line(notebook: Notebook) -> None:
    assert notebook.complete("%train_rnn --cli", " --epochs 3") == ["--clip"]


@pytest.mark.parametrize(
    "before",
    [
        "%timeit --cli",
        "%%timeit --cli",
        "%%train_rnn --cli",
        "%train_rnn_too --cli",
        "train_rnn --cli",
        "'%train_rnn --cli",
        "%%corpus poem\n--let",
        "%%corpus poem\n%%corpus --let",
        "%%corpus poem\nsome text\n%train_rnn --cli",
        "%%time_machine\n--let",
    ],
)
def test_nothing_is_offered_elsewhere(notebook: Notebook, before: str) -> None:
    assert not {"--clip", "--letters-only"} & set(notebook.complete(before))


def test_lines_within_somebody_elses_cell_are_python(notebook: Notebook) -> None:
    assert notebook.complete("%%time\n%train_rnn --cli") == ["--clip"]
