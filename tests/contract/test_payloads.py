"""The payloads of the views: examples that the TypeScript tests read, too.

After a change that is meant, write them anew with ``RNN_MAGICS_WRITE_PAYLOADS=1``.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.inspection.diff import DiffConfig
from rnn_magics.inspection.inspectors import INSPECTORS, NEEDS, inspect_rnn
from rnn_magics.inspection.interventions.effect import PatchConfig
from rnn_magics.inspection.interventions.probes import ProbeConfig
from rnn_magics.inspection.views.match import MatchConfig
from rnn_magics.inspection.views.payload import number, pack, to_json, unpack
from rnn_magics.inspection.views.units import UnitsConfig
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.options import describe
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab

LABEXTENSION = Path(__file__).parents[2] / "labextension"
FOLDER = Path(__file__).parent / "payloads"
DRAWN = [view for view, inspector in INSPECTORS.items() if inspector.is_drawn]
TEXT = "the <b> 中\n\ud800 §"
OPTIONS = {
    "match": [MatchConfig(span="0:3", num=2, margin=4, units=("0", "2"))],
    "units": [UnitsConfig(unit=1, num=2, margin=4)],
    "patch": [PatchConfig(place=4, length=12)],
    "probe": [ProbeConfig(feature="next_space")],
    "diff": [DiffConfig(num=2, margin=4, width=3)],
}


def traced(view: str) -> Any:
    corpus = Corpus.from_text("the <b>time</b> 中文\n\ud800 the\n" * 3, CorpusConfig(valid=0))
    vocab = Vocab.from_corpus(corpus)
    model = RNNModel(ModelConfig("lstm", num_hiddens=4, num_layers=2), len(vocab))
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            places = torch.arange(parameter.numel(), dtype=torch.float32)
            parameter.copy_(torch.sin(places * 1.7 + seed).view(parameter.shape) * 1.5)
    if view in ("probe", "diff"):
        corpus = Corpus.from_text(str(corpus.data) * 10)
    other = copy_model(model)
    with torch.no_grad():
        other.output.bias.neg_()
    things = {
        "run": SimpleNamespace(model=model, vocab=vocab),
        "runs": [SimpleNamespace(model=each, vocab=vocab) for each in (model, other)],
        "text": "the time" if view == "patch" else TEXT,
        "into": TEXT,
        "passage": TEXT * 2,
        "corpus": corpus,
        "batches": Batches(range(40), BatchConfig(batch_size=2, num_steps=5)),
    }
    needs = [things[need] for need in INSPECTORS[view].needs]
    return inspect_rnn(view, *needs, *OPTIONS.get(view, []))


def example(view: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(to_json(traced(view).to_data()))
    return data


def assert_close(found: Any, expected: Any, where: str = "") -> None:
    assert type(found) is type(expected), where
    if isinstance(expected, dict):
        assert list(found) == list(expected), where
        if "base64" in expected:
            assert found["shape"] == expected["shape"], where
            np.testing.assert_allclose(unpack(found), unpack(expected), atol=1e-4, err_msg=where)  # type: ignore[arg-type]
            return
        for key, value in expected.items():
            assert_close(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for place, pair in enumerate(zip(found, expected, strict=True)):
            assert_close(*pair, f"{where}[{place}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-3, abs=2e-3), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("view", DRAWN)
def test_a_payload_is_that_of_the_example(view: str) -> None:
    data, path = example(view), FOLDER / f"{view}.json"
    if os.environ.get("RNN_MAGICS_WRITE_PAYLOADS"):
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="ascii")
    assert_close(data, json.loads(path.read_text(encoding="ascii")))


@pytest.mark.parametrize("view", DRAWN)
def test_a_payload_says_what_it_is(view: str) -> None:
    data = example(view)
    assert (data["view"], data["version"]) == (view, 1)
    if "text" in INSPECTORS[view].needs:
        assert data["tokens"] == [*"the <b> 中\n\ud800 ", "<unk>"]
        assert data["unknown"] == ["§"]


@pytest.mark.parametrize("view", INSPECTORS)
def test_an_inspector_says_what_it_found(view: str) -> None:
    trace = traced(view)
    assert len(trace.title.splitlines()) == 1
    assert repr(trace).startswith(trace.title)


def test_the_pages_draw_the_views_that_say_so() -> None:
    contract = (LABEXTENSION / "src/contract/inspection.ts").read_text(encoding="utf-8")
    (shapes,) = re.findall(r"^const SHAPES: .*?^};", contract, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^  (\w+): ", shapes, re.MULTILINE) == DRAWN


@pytest.mark.parametrize("view", INSPECTORS)
def test_an_inspector_is_declared_for_the_magic(view: str) -> None:
    inspector = INSPECTORS[view]
    assert inspector.needs == tuple(need for need in NEEDS if need in inspector.needs)
    assert inspector.help
    assert inspector.config() == inspector.config.from_dict({})
    # The magic declares an option of several views once, so it must be the same in all.
    for other in INSPECTORS.values():
        theirs = {field.name: field for field in describe(other.config)}
        for field in describe(inspector.config):
            assert theirs.get(field.name, field) == field


def test_an_array_is_packed_least_byte_first() -> None:
    packed = pack(np.array([[1, -2.5]], np.float64))
    assert packed["shape"] == [1, 2]
    assert base64.b64decode(packed["base64"]) == bytes.fromhex("0000803f000020c0")
    assert unpack(packed).tolist() == [[1, -2.5]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null(value: float) -> None:
    assert number(value) is None
    with pytest.raises(ValueError, match="JSON"):
        to_json({"view": "x", "version": value})  # type: ignore[typeddict-item]


@given(token=st.text(st.characters(), min_size=1))
def test_any_token_survives_json(token: str) -> None:
    data: Any = {"view": "hidden", "version": 1, "tokens": [token]}
    text = to_json(data)
    assert text.isascii()
    assert json.loads(text) == data
