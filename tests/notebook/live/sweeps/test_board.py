"""The live view of a sweep shows what happens, obeys, and leaves what a saved notebook can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.live.sweeps.board import SweepBoard
from rnn_magics.notebook.live.sweeps.table import SweepTable
from rnn_magics.notebook.show.bundle import LIVE_MIME
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.sweeps.events import TrialBegin, TrialStep
from tests.notebook.live.sweeps.made_up import made_up

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


class Work:
    """Does what it is asked, and notes it."""

    def __init__(self) -> None:
        self.is_alive, self.is_paused = True, False

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def stop(self) -> None:
        self.is_alive = self.is_paused = False


@pytest.fixture
def board(notebook: Notebook) -> SweepBoard:
    assert notebook
    return SweepBoard(made_up(), Work(), lambda: 0.0)


def ask(made: SweepBoard, command: Any) -> str:
    before = made.widget.answered
    made.obey(command)
    assert made.widget.answered == before + 1
    return str(made.widget.answer)


def test_the_buttons_hold_and_end_the_sweep(board: SweepBoard) -> None:
    found = board._sweep
    board(TrialBegin(found.trials[3]))
    board(TrialStep(found.trials[3], 0.5, 1.0))
    assert ask(board, {"type": "pause"}).startswith("pauses after the current step")
    assert board._work.is_paused
    assert board.widget.sweep["phase"] == "paused"
    assert board.widget.sweep["trials"][3]["done"] == 0.5
    assert ask(board, {"type": "resume"}) == "the sweep continues"
    assert board.widget.sweep["phase"] == "running"
    ask(board, {"type": "pause"})
    assert ask(board, {"type": "stop"}).startswith("stops after the current step")
    assert board.widget.sweep["phase"] == "running"  # it ends its step
    assert ask(board, {"type": "pause"}) == "the sweep has ended"
    assert not board.widget.refused


@pytest.mark.parametrize("command", [{"type": "explode"}, {}, "stop", {"type": ["stop"]}])
def test_what_is_no_command_is_answered_and_changes_nothing(
    board: SweepBoard, command: Any
) -> None:
    assert ask(board, command).startswith("the view sent a command that this version")
    assert board._work.is_alive
    assert not board._work.is_paused


def test_a_saved_notebook_keeps_data_a_picture_and_a_table(
    shown: list[dict[str, Any]], board: SweepBoard
) -> None:
    board.settle(figure=True)
    widget, table, *_, rows, kept = [output["data"] for output in shown]
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert board.widget.sweep["view"] == "sweep"  # from the first on
    assert "text/html" in table
    assert LIVE_MIME not in table  # a page that is loaded without a kernel shows it
    assert rows[LIVE_MIME] == {}
    assert rows["text/plain"] == repr(board._sweep)
    assert kept[RUN_MIME]["view"] == "sweep"
    assert kept[RUN_MIME]["phase"] == "open"
    assert "image/png" in kept
    assert "text/html" not in kept
    transient = [output["transient"]["display_id"] for output in shown]
    assert transient[0] == transient[-1] != transient[1]


def test_without_figures_there_is_no_picture(
    shown: list[dict[str, Any]], board: SweepBoard
) -> None:
    board.settle(figure=False)
    assert not any("image/png" in output["data"] for output in shown)


def test_where_nothing_is_live_the_table_is_all(
    notebook: Notebook, shown: list[dict[str, Any]]
) -> None:
    assert notebook
    SweepTable(made_up()).settle(figure=False)
    assert {"text/html", "text/plain"} == set.union(*(set(o["data"]) for o in shown))
