"""Views across the epochs of a run that was kept in a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import ConfigError, InspectionError, StorageError
from rnn_magics.inspection.epochs import evenly, inspect_epochs
from rnn_magics.inspection.fitting import fitted, json_size, quantized
from rnn_magics.inspection.inspectors import INSPECTORS, inspect_rnn
from rnn_magics.inspection.interventions.probes import ProbeConfig
from rnn_magics.inspection.views.match import MatchConfig
from rnn_magics.inspection.views.payload import pack, to_json, unpack
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

TEXT = "the time traveller for so it will be convenient to speak of him\n"
CONFIGS = {
    "match": MatchConfig(threshold=0, num=2),
    "probe": ProbeConfig(feature="line_position"),
}
VIEWS = [v for v, made in INSPECTORS.items() if "run" in made.needs and made.is_drawn]


@pytest.fixture(scope="module")
def told() -> Corpus:
    return Corpus.from_text(TEXT * 8)


@pytest.fixture(scope="module")
def folder(told: Corpus, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("runs") / "first")
    batches = make_batches(told, Vocab.from_corpus(told), BatchConfig(batch_size=4, num_steps=8))
    watch = Checkpointing(path)
    train(
        batches,
        ModelConfig("lstm", num_hiddens=8),
        TrainConfig(epochs=4),
        name="first",
        watch=watch,
    )
    return path


def things(view: str, told: Corpus) -> list[Any]:
    given: dict[str, Any] = {"text": "the time", "into": "machine", "corpus": told, "passage": told}
    return [given[need] for need in INSPECTORS[view].needs if need != "run"]


@pytest.mark.parametrize("view", VIEWS)
def test_each_epoch_is_looked_at_as_by_itself(folder: str, told: Corpus, view: str) -> None:
    given = things(view, told)
    if view in CONFIGS:
        given.append(CONFIGS[view])
    found = inspect_epochs(view, folder, *given)
    assert list(found) == [1, 2, 3, 4]
    run = load_run(folder, epoch=4)
    assert found[4].to_data() == inspect_rnn(view, run, *given).to_data()
    assert found.valid_perplexity[-1] == run.valid_perplexity
    first, last = found[1].to_data(), found[4].to_data()
    assert first != last
    same = {"gradient": "target", "match": "units", "units": "unit"}.get(view, "view")
    assert first[same] == last[same]
    json.loads(to_json(found.to_data()))
    assert repr(found).startswith(f"{found.title}\nepoch  train ppl  held-out ppl\n1 ")


def test_the_states_are_those_of_the_epochs(folder: str) -> None:
    found = inspect_epochs("hidden", folder, "the time")
    early = inspect_rnn("hidden", load_run(folder, epoch=2), "the time").states
    np.testing.assert_array_equal(found[2].states, early)
    with pytest.raises(KeyError, match="epoch 9 is not in this view, which has 1, 2, 3, 4"):
        found[9]


def test_of_many_epochs_some_are_chosen_evenly(folder: str) -> None:
    assert evenly(range(1, 101), 5) == [1, 26, 51, 75, 100]
    assert evenly([3, 7], 12) == [3, 7]
    assert evenly([3, 7], 1) == [7]
    assert list(inspect_epochs("hidden", folder, "the", most=2)) == [1, 4]


def test_an_epoch_that_no_view_can_be_made_of_is_left_out(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = INSPECTORS["surprise"].inspect
    calls = iter([False, True, False, True])

    def sometimes(*given: Any) -> Any:
        if next(calls):
            msg = "not now"
            raise InspectionError(msg)
        return whole(*given)

    half = replace(INSPECTORS["surprise"], inspect=sometimes)
    monkeypatch.setitem(INSPECTORS, "surprise", half)
    found = inspect_epochs("surprise", folder, "the time")
    assert list(found) == [2, 4]
    assert found.left_out == ((1, "not now"), (3, "not now"))
    assert "epoch 3 left out: not now" in repr(found)


def test_what_is_refused(folder: str, told: Corpus, tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match="the view 'batches' shows batches"):
        inspect_epochs("batches", folder)
    with pytest.raises(ConfigError, match="not one of hidden"):
        inspect_epochs("films", folder)
    with pytest.raises(StorageError, match="not the folder of a run"):
        inspect_epochs("hidden", tmp_path, "the")
    bare = str(tmp_path / "bare")
    batches = make_batches(told, Vocab.from_corpus(told), BatchConfig(batch_size=4, num_steps=8))
    small = ModelConfig(num_hiddens=4)
    train(batches, small, TrainConfig(epochs=1), watch=Checkpointing(bare, keep=0))
    with pytest.raises(InspectionError, match="keeps no model of any epoch"):
        inspect_epochs("hidden", bare, "the")


def test_a_payload_is_made_to_fit(folder: str) -> None:
    whole = inspect_epochs("hidden", folder, "the time traveller").to_data()
    size = json_size(whole)
    assert fitted(whole, size) == whole
    sizes = []
    for share in (0.9, 0.5, 0.3):
        small = fitted(whole, int(size * share))
        assert small is not None
        assert json_size(small) <= size * share
        sizes.append((json_size(small), len(small["frames"]), small.get("note", "")))  # type: ignore[typeddict-item]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0][1:] == (4, "")
    assert "0.4 %" in sizes[-1][2]
    assert fitted(whole, 100) is None
    assert whole["frames"][0]["data"]["states"][0]["dtype"] == "float32"  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("dtype", "share"), [("int16", 2e-5), ("int8", 4e-3)])
def test_integers_are_as_near_as_is_said(dtype: Any, share: float) -> None:
    array = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    near = unpack(quantized(pack(array), dtype))
    assert np.abs(near - array).max() <= share * np.abs(array).max()
    odd = pack(np.array([1, np.nan]))
    assert quantized(odd, dtype) == odd
    assert unpack(quantized(pack(np.zeros(3)), dtype)).tolist() == [0, 0, 0]
