"""A model as JSON, so that it can run in a page: `labextension/src/model/` reads it."""

from __future__ import annotations

from rnn_magics.decoding.prefix import Trained, vocab_of
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.payload import PackedModel, pack
from rnn_magics.inspection.views.unrolled import to_array
from rnn_magics.language import say
from rnn_magics.models.cells import (
    CELLS,
    GRUCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from rnn_magics.models.rnn_model import RNNModel, require_finite
from rnn_magics.results import brief

MAX_WEIGHTS = 10_000_000
"""The most weights of a model that is sent to a page."""
MAX_TOKENS = 200_000
"""The most tokens of its vocabulary; the contract of the page has the same bound."""
_MAX_ARRAY = 4_000_000  # numbers in one array, as in labextension/src/contract/matrix.ts
_CELLS = {  # those that the page computes
    "rnn": RNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}


def packed_model(run: Trained) -> PackedModel:
    """Return the model of a run as JSON, its weights in float32.

    Raises
    ------
    InspectionError
        If the page cannot run the model: it has a cell of a user, reads backwards, has tokens
        that are no text, or is too large.
    ModelError
        If a weight is not finite.
    """
    model, vocab = run.model, vocab_of(run)
    _check(model)
    tokens = vocab.to_tokens(list(range(len(vocab))))
    if not all(isinstance(token, str) for token in tokens):
        msg = say("a page can only run a model whose tokens are text; this one has other objects")
        raise InspectionError(msg)
    if vocab.tokenizer.alphabet:
        msg = say(
            "a page splits text at spaces or into characters, not into tokens of {kind}; train on"
            " characters or words: %vocab --token char",
            kind=vocab.token,
        )
        raise InspectionError(msg)
    config = model.config
    state = model.state_dict()
    if config.tie:
        del state["output.weight"]  # it is the embedding
    return {
        "cell": config.cell,
        "num_hiddens": config.num_hiddens,
        "num_layers": config.num_layers,
        "embedding_size": config.embedding_size,
        "tie": config.tie,
        "vocab": [brief(token) for token in tokens],  # nobody types a token that is shortened
        "spaced": vocab.token not in ("char", "grapheme"),
        "weights": {name: pack(to_array(weight)) for name, weight in state.items()},
    }


def _check(model: RNNModel) -> None:
    config = model.config
    if model.marks is not None:
        msg = say(
            "a page does not begin and end documents, and this model was trained on some; write"
            " them here with %generate, or train on one text"
        )
        raise InspectionError(msg)
    if config.bidirectional:
        msg = say("a bidirectional model cannot write text; train a model without --bidirectional")
        raise InspectionError(msg)
    if CELLS.get(config.cell) is not _CELLS.get(config.cell, ...):
        msg = say(
            "a page runs only the cells {known}, not {cell}",
            known=", ".join(_CELLS),
            cell=config.cell,
        )
        raise InspectionError(msg)
    largest = max(parameter.numel() for parameter in model.parameters())
    if model.num_parameters > MAX_WEIGHTS or largest > _MAX_ARRAY or model.vocab_size > MAX_TOKENS:
        msg = say(
            "the model has {weights:,} weights and {tokens:,} tokens; a page runs at most"
            " {most:,} weights, {largest:,} in one matrix, and {most_tokens:,} tokens",
            weights=model.num_parameters,
            tokens=model.vocab_size,
            most=MAX_WEIGHTS,
            largest=_MAX_ARRAY,
            most_tokens=MAX_TOKENS,
        )
        raise InspectionError(msg)
    require_finite(model)
