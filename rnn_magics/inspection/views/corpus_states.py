"""The states of a model along a corpus, computed once and cached."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from rnn_magics.decoding.prefix import Trained, reading_of, vocab_of
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.unrolled import (
    Array,
    LayerConfig,
    layer_of,
    require_finite_states,
    require_readable,
    to_array,
)
from rnn_magics.language import say
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.options import AT_LEAST_ONE, NOT_NEGATIVE, Options, option
from rnn_magics.scores.rows import Rows
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.numbered import Numbered
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.vocab import Vocab, encode_corpus, numbered_as

_STEPS = 128  # read at once
_KEPT = 4  # sets of states in the cache, for each numbering of a corpus


@dataclass(frozen=True, repr=False)
class PlacesConfig(Options):
    """The common options of the views that show places of a corpus."""

    num: int = option(10, "number of places in the corpus", within=AT_LEAST_ONE)
    margin: int = option(20, "tokens shown before and after each place", within=NOT_NEGATIVE)
    search: int = option(100_000, "number of corpus tokens searched", within=AT_LEAST_ONE)


@dataclass(frozen=True, repr=False)
class SearchConfig(PlacesConfig, LayerConfig):
    """The common options of the views that search a corpus for states of one layer."""


@dataclass(frozen=True, eq=False)
class CorpusStates:
    """The states of one layer along the beginning of a training text.

    Parameters
    ----------
    ids
        Token indices, (num_tokens,).
    states
        The outputs h of the layer after each token, (num_tokens, num_hiddens), in float16. That
        takes half the memory, with an error of at most 0.0005 for values in [-1, 1].
    vocab
        The vocabulary of the indices.
    layer
        The layer.
    """

    ids: Array
    states: Array
    vocab: Vocab
    layer: int

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)

    def around(self, first: int, last: int, margin: int) -> tuple[int, list[Any]]:
        """Return the position and the tokens of the context of [first, last)."""
        start = max(0, first - margin)
        return start, self.vocab.to_tokens(self.ids[start : last + margin].tolist())


_known: WeakKeyDictionary[Numbered, dict[tuple[str | int, ...], CorpusStates]] = WeakKeyDictionary()


def read_corpus(
    run: Trained, corpus: Corpus, layer: int | None = None, num_tokens: int = 100_000
) -> CorpusStates:
    """Return the states of a model along the training text of a corpus, computed or cached.

    The text is read in up to 64 rows at once, each warmed up on the 256 tokens before it; the state
    at the beginning of a row does not depend on earlier tokens. Cached states are used again as
    long as weights, layer and number of tokens are the same.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    corpus
        The corpus, which need not be the one that the model was trained on; it is cleaned as
        that one was.
    layer
        The layer; None for the top one.
    num_tokens
        The number of tokens to read.

    Raises
    ------
    InspectionError
        If there is no such layer, the text is empty, or the model is bidirectional.
    """
    model, vocab = run.model, vocab_of(run)
    require_readable(model)
    layer, corpus = layer_of(model, layer), corpus_as(reading_of(run), corpus)
    ids = np.asarray(encode_corpus(corpus, vocab).train[:num_tokens])
    if not len(ids):
        msg = say(
            "the training text of {corpus!r} is empty; there is nothing to search",
            corpus=corpus.name,
        )
        raise InspectionError(msg)
    known = _known.setdefault(numbered_as(corpus, vocab), {})
    key = (_fingerprint(model), vocab.fingerprint, layer, len(ids))
    found = known.pop(key, None) or CorpusStates(ids, _states(model, ids, layer), vocab, layer)
    known[key] = found  # the latest is last
    while len(known) > _KEPT:
        del known[next(iter(known))]
    return found


def _fingerprint(model: RNNModel) -> str:
    digest = hashlib.sha256(repr(model.config).encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


@torch.no_grad()
def _states(model: RNNModel, ids: Array, layer: int) -> Array:
    device = model.output.weight.device
    rows = Rows.of(len(ids))
    states = np.empty((len(rows), rows.length, model.config.num_hiddens), np.float16)
    tokens = torch.from_numpy(ids.astype(np.int64))
    if len(rows) > 1:
        warm_up = tokens[rows.warm_up()].to(device)
        _, carried = _run_layers(model, warm_up, _begin(model, len(rows) - 1), layer)
        pairs = zip(carried, _begin(model, 1), strict=False)  # of the layers that are read
        before = [rows.begin(state, first) for state, first in pairs]
    else:
        before = _begin(model, 1)
    for first, last, places in rows.places(_STEPS):
        read = tokens[places.clamp(max=len(ids) - 1)].to(device)  # (num_rows, last - first)
        outputs, before = _run_layers(model, read, before, layer)
        require_finite_states(layer, outputs)
        states[:, first:last] = to_array(outputs.transpose(0, 1))
    return states.reshape(len(rows) * rows.length, -1)[: len(ids)]


def _begin(model: RNNModel, num_rows: int) -> list[State]:
    whole = model.rnn.begin_state(num_rows, model.output.weight.device)
    return [tuple(part[index] for part in whole) for index in range(len(model.rnn.cells))]


def _run_layers(
    model: RNNModel, ids: Tensor, before: list[State], layer: int
) -> tuple[Tensor, list[State]]:
    inputs = ids.t()  # (steps, num_rows)
    resets = model.resets(inputs)
    if model.embedding is not None:
        inputs = model.embedding(inputs)
    after = []
    for index in range(layer + 1):
        inputs, state = model.rnn.run_cell(index, inputs, before[index], resets)
        after.append(state)
    return inputs, after  # (steps, num_rows, num_hiddens)
