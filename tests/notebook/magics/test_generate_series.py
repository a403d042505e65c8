"""``%generate``: futures of a series of numbers, from a trained and from a loaded run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rnn_magics.decoding.forecast import Forecast
from rnn_magics.text.series.levels import Series
from tests.notebook.conftest import TRAIN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Notebook

X = np.sin(np.arange(1200) / 5)


@pytest.fixture
def waves(notebook: Notebook) -> Notebook:
    """With a run on a series, and its series."""
    notebook.variables["x"] = X
    notebook.run("%config RNNMagics.figures = False")
    for line in ("%corpus --data x --levels 9", "%vocab", "%sample --num-steps 8", TRAIN):
        notebook.run(line)
    return notebook


def test_several_paths_are_a_forecast_over_the_held_out_part(waves: Notebook) -> None:
    found = waves.run("%generate --num 12 --length 30")
    assert isinstance(found, Forecast)
    assert found.values.shape == (12, 30)
    assert found.truth.tolist() == X[1080:1110].tolist()
    assert {path.config.temperature for path in found} == {1.0}
    assert waves.rich(found)["text/plain"] == repr(found)
    alone = waves.run("%generate --length 30")
    assert alone[0].tokens == found[0].tokens
    cooler = waves.run("%generate --num 2 --temperature 0.5")
    assert cooler[0].config.temperature == 0.5
    assert waves.run("%generate --num 2 --greedy")[1].config.decoder == "greedy"


def test_its_fan_chart_is_a_picture(waves: Notebook, shown: list[dict[str, Any]]) -> None:
    waves.run("%config RNNMagics.figures = True")
    waves.run("%generate --num 12 --length 30")
    (output,) = shown
    assert output["data"]["image/png"].startswith(b"\x89PNG")
    assert "Forecast: 12 paths of 30 steps" in output["data"]["text/plain"]
    assert "of the 30 values that followed" in output["data"]["text/html"]


def test_a_loaded_run_still_knows_what_its_levels_stand_for(
    waves: Notebook, tmp_path: Path
) -> None:
    before = waves.run("%generate --num 3 --length 9")
    waves.run(f"%save_rnn {tmp_path / 'run.safetensors'}")
    waves.run("_ = %rnn --reset")
    waves.run(f"_ = %load_rnn {tmp_path / 'run.safetensors'}")
    assert waves.refused("%generate --num 3").startswith("no series to continue: type its %corpus")
    text = waves.run('%generate "3 4 5" --length 9')
    assert text.values == tuple(before.levels.value(token) for token in text.tokens)
    assert waves.run('%generate "3 4 5" --length 9 --num 3').values.shape == (3, 9)
    waves.run("%corpus --data x --levels 4")  # read in the levels of the run all the same
    assert waves.run("%generate --num 3 --length 9").values.tolist() == before.values.tolist()


def test_explain_prints_the_call_that_is_made(waves: Notebook) -> None:
    printed = waves.printed("%generate --num 12 --length 30 --explain")
    assert "# values: (12, 30)" in printed
    assert "# a band from l to u:" in printed
    session = waves.session
    names = {"run": session.runs["gru-1"], "corpus": session.corpus}
    exec(printed, names)
    found = waves.run("%generate --num 12 --length 30")
    assert names["forecast"].values.tolist() == found.values.tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--num 3 --novelty", "--novelty is for texts, and this is a forecast of a series; leave"),
        ("--surprise", "--surprise is for texts, and this is a forecast of a series; leave it out"),
        ("--num 3 --stop 4", "a path of a series has no end token; leave --stop out"),
        ("--num 1001", "--num must be in [1, 1000], not 1001"),
        ("--num 3 --beam 2", "a beam search finds one text, not 3; leave out --num or --beam"),
        ("--score", '%generate needs "TEXT" to continue'),
    ],
)
def test_what_is_refused(waves: Notebook, options: str, said: str) -> None:
    assert waves.refused(f"%generate {options}").startswith(said)


def test_another_corpus_is_no_series(waves: Notebook) -> None:
    waves.run("%%corpus text\nabcabc")
    assert waves.refused("%generate --num 3").startswith("'text' is no series of numbers; read one")


def test_a_run_on_text_needs_a_text_to_continue(trained: Notebook) -> None:
    assert trained.refused("%generate --num 3").startswith('%generate needs "TEXT" to continue')
    assert trained.refused("%generate").startswith('%generate needs "TEXT" to continue')


def test_a_run_that_trains_can_be_asked(waves: Notebook) -> None:
    waves.run("%train_rnn --num-hiddens 8 --epochs 500 --background")
    assert isinstance(waves.run("%generate --num 3 --length 5"), Forecast)
    waves.run("_ = %rnn stop")


def test_a_series_is_written_out_as_plain_pytorch(waves: Notebook, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    script = waves.run(f"%rnn code gru-1 {file}")
    assert isinstance(waves.session.corpus, object)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(str(script), "script", "exec"), names)
    assert waves.session.corpus is not None
    assert isinstance(waves.session.corpus.behind, Series)
    assert names["tokens"] == list(waves.session.corpus.data)
