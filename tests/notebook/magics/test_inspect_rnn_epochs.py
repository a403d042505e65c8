"""``%inspect_rnn --epochs``, and what a page may ask of a view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.page.search import answer
from rnn_magics.notebook.page.view import INSPECTION_MIME, KEPT_BYTES
from rnn_magics.notebook.session.views import MOST_SOURCES, ViewSource, ViewSources
from rnn_magics.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

TRAIN = "%train_rnn --num-hiddens 8 --epochs 3"


@pytest.fixture
def kept(prepared: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """With a run of three epochs in the folder ``runs/a``."""
    monkeypatch.chdir(tmp_path)
    prepared.run(f"{TRAIN} --checkpoint runs/a")
    return prepared


def test_the_epochs_of_the_newest_run_or_of_a_folder(kept: Notebook) -> None:
    trace = kept.run('%inspect_rnn hidden "the time" --epochs')
    assert list(trace) == [1, 2, 3]
    named = kept.run('%inspect_rnn hidden "the time" --epochs runs/a')
    assert named.to_data() == trace.to_data()
    kept.run("%rnn --reset")
    kept.run("%load_rnn runs/a --name again")
    assert list(kept.run("%inspect_rnn surprise the --epochs --run again")) == [1, 2, 3]
    shown = kept.rich(trace)["text/plain"]
    assert shown.startswith(trace.title)


def test_the_epochs_of_a_run_that_trains(prepared: Notebook, tmp_path: Path) -> None:
    where = str(tmp_path / "long")
    prepared.variables["where"] = where
    line = "%train_rnn --num-hiddens 8 --epochs 100000 --background --checkpoint $where"
    prepared.run(line)
    while len(RunFolder(Path(where)).epochs) < 2:
        pass
    assert len(prepared.run("%inspect_rnn hidden the --epochs")) > 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hidden the --epochs --run gru-1", "run 'gru-1' has no checkpoints: train with"),
        ("hidden the --epochs nowhere", "'nowhere' is not the folder of a run"),
        (
            "hidden the --epochs runs/a --run gru-1",
            "--epochs DIR already names the run; leave out either --run or DIR",
        ),
        ("batches --epochs", "%inspect_rnn batches takes no --epochs; it is for hidden"),
        ("hidden --epochs", "%inspect_rnn hidden needs a text"),
    ],
)
def test_what_is_refused(trained: Notebook, line: str, said: str) -> None:
    assert said in trained.refused(f"%inspect_rnn {line}")


def test_an_older_namesake_keeps_its_folder(kept: Notebook) -> None:
    name = next(iter(kept.session.runs))
    kept.run(f"%train_rnn --num-hiddens 8 --epochs 1 --name {name}")
    assert "has no checkpoints" in kept.refused("%inspect_rnn hidden the --epochs")
    assert len(kept.run(f"%inspect_rnn hidden the --epochs --run {name}~1")) == 3


def test_the_explained_call_gives_the_same(kept: Notebook) -> None:
    line = '%inspect_rnn match "the time" --threshold 0 --num 2 --epochs'
    source = kept.printed(f"{line} --explain")
    plain: dict[str, Any] = {"corpus": kept.session.corpus}
    exec(source, plain)
    assert plain["trace"].to_data() == kept.run(line).to_data()


def test_a_saved_notebook_has_the_view_its_picture_and_words(
    kept: Notebook, shown: list[dict[str, Any]]
) -> None:
    kept.run("%config RNNMagics.figures = True")
    for flag in ("", " --epochs"):
        trace = kept.run(f'trace = %inspect_rnn hidden "the time"{flag}\ntrace')
        data = shown.pop()["data"]
        assert data["image/png"].startswith(b"\x89PNG")
        assert data["text/plain"] == repr(trace)
        view = data[INSPECTION_MIME]
        assert view["text"] == "the time"
        assert view["view"] == ("epochs" if flag else "hidden")
        assert len(json.dumps(view, allow_nan=False)) <= KEPT_BYTES


def test_what_is_too_large_is_not_kept(
    kept: Notebook, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.notebook.page.view.KEPT_BYTES", 100)
    kept.run("%config RNNMagics.figures = True")
    kept.run("trace = %inspect_rnn hidden the")
    (output,) = shown
    assert set(output["data"]) == {"image/png", "text/plain"}


def asked(key: str, **changes: Any) -> dict[str, Any]:
    question = {"type": "search", "id": 7, "look": key, "first": 1, "last": 2, "layer": 0}
    return {**question, **changes}


def test_a_page_is_told_similar_places(kept: Notebook) -> None:
    session = kept.session
    run = session.require_run()
    key = session.views.keep(ViewSource("the time", run))
    found = answer(session, asked(key, last=4))
    assert (found["type"], found["id"]) == ("found", 7)
    assert found["data"]["span"] == (1, 4)
    assert len(found["data"]["matches"]) == 10
    key = session.views.keep(ViewSource("the time", folder="runs/a"))
    assert answer(session, asked(key, last=4, epoch=3)) == found
    assert answer(session, asked(key, last=4, epoch=1)) != found
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"look": "other"}, "the kernel no longer knows this view"),
        ({"look": ["other"]}, "the kernel no longer knows this view"),
        ({"first": -1}, "first must be a whole number of at least 0, not -1"),
        ({"last": True}, "last must be a whole number of at least 0, not True"),
        ({"layer": "0; import os"}, "layer must be a whole number"),
        ({"layer": 3}, "the model has no layer 3"),
        ({"first": 2, "last": 99}, "span must be A:B"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_in_one_line(
    trained: Notebook, changes: dict[str, Any], said: str
) -> None:
    session = trained.session
    key = session.views.keep(ViewSource("the time", session.require_run()))
    with trained.unchanged():
        found = answer(session, asked(key, **changes))
    assert said in found["said"]
    assert "\n" not in found["said"]
    assert "data" not in found


def test_looks_are_forgotten_in_turn() -> None:
    looks = ViewSources()
    keys = [looks.keep(ViewSource(str(number))) for number in range(MOST_SOURCES + 1)]
    assert keys[0] not in looks.kept
    assert looks.kept[keys[-1]].text == str(MOST_SOURCES)
