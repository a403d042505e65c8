"""Several runs in one picture, and what it says in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rnn_magics.notebook.show.run_payload import RUN_MIME

if TYPE_CHECKING:
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
