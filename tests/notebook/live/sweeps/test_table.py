"""The table of a sweep while it fills."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_magics.notebook.live.sweeps.table import SweepTable
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import Events, never
from rnn_magics.sweeps.loop import sweep
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from tests.sweeps.conftest import make

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.2
        return self.now


def test_a_row_waits_for_each_trial_and_the_time_left_is_told(
    notebook: Notebook, shown: list[dict[str, Any]], tmp_path: Path
) -> None:
    def drive(made: SweepRuns, events: Events) -> None:
        table = SweepTable(made, Clock())
        for event in events(never):
            table(event)
        table.settle(figure=True)

    space = Space(num_hiddens="4,5,6", epochs=1)
    config = SweepConfig(search="grid", budget="1h")
    found = sweep(make(), space, config, folder=tmp_path / "one", drive=drive)
    first, *updates, last = [output["data"] for output in shown]
    assert len({output["transient"]["display_id"] for output in shown}) == 1
    assert first["text/html"].count("<tr>") == 1 + 3  # the height that it will have
    assert all(update["text/html"].count("<tr>") == 1 + 3 for update in updates)
    assert any("left in all" in update["text/plain"] for update in updates)
    assert len(updates) > 3
    assert last["text/plain"] == repr(found)
    assert "data:image/png;base64," in last["text/html"]
    assert f"<b>{found.best.number}</b>" in last["text/html"]  # type: ignore[union-attr]
    assert notebook.session.sweeps == {}
