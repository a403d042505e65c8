"""The model that runs in the page: examples with what PyTorch computes.

The TypeScript tests read them, too. After a change that is meant, write them anew with
``RNN_MAGICS_WRITE_PAYLOADS=1``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.inspection.interventions.changes import Intervention, parts_of
from rnn_magics.inspection.interventions.walk import walk
from rnn_magics.inspection.play.packed_model import packed_model
from rnn_magics.inspection.views.unrolled import input_vectors, unroll
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, read
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab

CLOSE = 1e-5
FOLDER = Path(__file__).parent / "models"
PREFIX = "the time 中"
MODELS = {
    **{
        f"{cell}-{layers}": ModelConfig(cell, 10, layers)
        for cell in ("rnn", "gru", "lstm", "mingru", "minlstm")
        for layers in (1, 2, 3)
    },
    "gru-embedded": ModelConfig("gru", 10, 2, embedding_size=5),
    "lstm-tied": ModelConfig("lstm", 10, 1, tie=True),
    "mingru-embedded": ModelConfig("mingru", 10, 2, embedding_size=5),
    "minlstm-tied": ModelConfig("minlstm", 10, 1, tie=True),
    "gru-state": ModelConfig("gru", 10, 2, learn_state=True),
    "lstm-state": ModelConfig("lstm", 10, 2, learn_state=True),
}


def trained(name: str) -> Any:
    corpus = Corpus.from_text("the time traveller 中文\n" * 3, CorpusConfig(valid=0))
    vocab = Vocab.from_corpus(corpus)
    model = RNNModel(MODELS[name], len(vocab))
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            places = torch.arange(parameter.numel(), dtype=torch.float64)
            mixed = (places**2 * 7 + places * 311 + seed * 103) % 1009  # the same on every machine
            parameter.copy_((mixed / 504.5 - 1).view(parameter.shape) * 1.5)
    return SimpleNamespace(model=model, vocab=vocab)


def example(name: str) -> dict[str, Any]:
    run = trained(name)
    ids = torch.tensor(run.vocab[run.vocab.split(PREFIX)])
    logits, _ = read(run.model, ids[None])
    with torch.no_grad():
        layers = unroll(run.model, input_vectors(run.model, ids))
        gates = layers[-1].cell.gates(
            layers[-1].x[-1:], tuple(part[-2:-1] for part in layers[-1].states)
        )
    return {
        "model": packed_model(run),
        "prefix": PREFIX,
        "ids": ids.tolist(),
        # Of each layer, of each part: after each token, each hidden unit.
        "states": [[part[1:].tolist() for part in layer.states] for layer in layers],
        "logits": logits[0].tolist(),  # (tokens, vocab)
        "gates": {
            gate: values[0].tolist() for gate, values in gates.items()
        },  # of the top layer, at the end
        "changed": [_changed(run, ids, part) for part in (*parts_of(layers[0].cell), *gates)],
        "greedy": generate(run, PREFIX, DecodingConfig(length=60, greedy=True, no_unk=True)).text,
    }


def _changed(run: Any, ids: torch.Tensor, part: str) -> dict[str, Any]:
    """Return a held unit of the lowest layer, as the page writes it, and the logits at the end."""
    held = Intervention(part, [3], value=0.5, layer=0, first=2, last=7)
    change = {"layer": 0, "part": part, "unit": 3, "value": 0.5, "from": 2, "until": 7}
    return {"change": change, "logits": walk(run.model, ids, [held]).logits[-1].tolist()}


def assert_close(found: Any, kept: Any) -> None:
    # Another CPU adds in another order: 2.4e-6 was seen between an AMD and an Intel one.
    assert found.keys() == kept.keys()
    for key in ("model", "prefix", "ids", "greedy"):
        assert found[key] == kept[key], key
    for key in ("states", "logits"):
        np.testing.assert_allclose(found[key], kept[key], atol=CLOSE, err_msg=key)
    for now, before in zip(found["changed"], kept["changed"], strict=True):
        assert now["change"] == before["change"]
        np.testing.assert_allclose(now["logits"], before["logits"], atol=CLOSE)
    assert found["gates"].keys() == kept["gates"].keys()
    for gate, values in found["gates"].items():
        np.testing.assert_allclose(values, kept["gates"][gate], atol=CLOSE, err_msg=gate)


@pytest.mark.parametrize("name", MODELS)
def test_the_page_is_held_to_what_pytorch_computes(name: str) -> None:
    path, found = FOLDER / f"{name}.json", example(name)
    if os.environ.get("RNN_MAGICS_WRITE_PAYLOADS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(json.dumps(found) + "\n", encoding="ascii")
    assert_close(found, json.loads(path.read_text(encoding="ascii")))


def test_every_model_has_an_example() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MODELS)
