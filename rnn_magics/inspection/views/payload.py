"""The data of the views as strict JSON: the contract with the TypeScript views.

Every payload has ``view``, the name in `INSPECTORS`, and ``version``, which changes when a key is
removed or changes its meaning; new keys do not change it. Tokens are raw text, which the front end
must escape. A number that is not finite is null. Large arrays are `Packed`. There are examples in
``tests/contract/payloads/``, which both pytest and the TypeScript tests read.

In the shapes, T is the number of tokens, H of hidden units, L of layers, K of alternatives.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.results import brief

VERSION = 1


class Packed(TypedDict):
    """An array of numbers: row-major, little-endian, as base64.

    Integers are multiples of `scale`; see `fitting.py`.
    """

    shape: list[int]
    dtype: Literal["float32", "int16", "int8"]
    scale: NotRequired[float]
    base64: str


class Payload(TypedDict):
    """The keys of every payload."""

    view: str
    version: int
    heading: str  # what stands above the drawing
    caption: str  # how to read it


class TextPayload(Payload):
    """The keys of the views of a text."""

    tokens: list[str]  # T; a token that is not in the vocabulary is "<unk>"
    unknown: list[str]  # the tokens read as "<unk>"


class HiddenPayload(TextPayload):
    """States after every token."""

    parts: list[str]  # names of the parts of the state: ["h"], or ["h", "c"] for an LSTM
    states: list[Packed]  # of each part, (L, T, H)
    layer: int  # the layer shown first
    orders: dict[str, list[int]]  # by name: a permutation of the units 0 .. H - 1 of that layer
    order: str  # the order shown first
    units: list[int]  # the units shown first, in that order


class GatesPayload(TextPayload):
    """The gates of a cell at every token."""

    cell: str
    layer: int
    names: list[str]
    values: list[Packed]  # for each name, (T, H)
    bounded: list[bool]  # for each name: whether its values lie in [0, 1]
    low: list[Packed | None]  # for each gate (H,): share of tokens with a value below 0.1
    high: list[Packed | None]  # the same above 0.9; null for a name that is not a gate


class Alternative(TypedDict):
    """A token that the model expected at this position."""

    token: str
    p: float | None


class SurprisePayload(TextPayload):
    """The surprise of each token, and the tokens expected in its place."""

    bits: list[float | None]  # T; the first is null, since it is not predicted
    entropy: list[float | None]  # T; of the prediction, in bits; the first is null
    alternatives: list[list[Alternative]]  # T, K each, most probable first; none for the first
    next: list[Alternative]  # for the token after the text
    perplexity: float | None


class GradientPayload(TextPayload):
    """How much each earlier token affects one prediction."""

    layer: int
    step: int  # the prediction comes after tokens[step]
    target: str
    log_p: float | None  # nats
    norms: list[float | None]  # step + 1; norm of d(log_p)/d(input vector) for each token read
    lags: list[float | None]  # gain over 0, 1, 2 ... steps; the first is 1


class Context(TypedDict):
    """A place in a text with its context."""

    start: int  # the position of `tokens` in the text
    tokens: list[str]
    focus: tuple[int, int]  # the place itself, as indices into `tokens`: [first, last)


class Match(Context):
    """A place in the corpus with a similar state."""

    similarity: float | None  # cosine, -1 to 1


class MatchPayload(TextPayload):
    """The places of a corpus whose states are most like those of a span of the text."""

    layer: int
    span: tuple[int, int]  # [first, last)
    units: list[int]  # compared
    threshold: float
    values: Packed  # (T, H), the states of the text in that layer
    matches: list[Match]  # most similar first
    searched: int  # tokens of the corpus


class Drive(Context):
    """A place in the corpus at which a unit has an extreme value."""

    values: list[float | None]  # the unit's, after each of `tokens`


class UnitsPayload(Payload):
    """What drives a unit, and which units respond most selectively."""

    layer: int
    unit: int
    highest: list[Drive]
    lowest: list[Drive]
    order: list[int]  # all units, most selective first
    selectivity: list[float | None]  # for each unit: share of variance that the token explains
    tokens: list[str]  # for each unit: the token that moves it farthest from its mean
    above: list[bool]  # for each unit: whether that token moves it above its mean
    searched: int


class PackedModel(TypedDict):
    """A model that runs in the page: its sizes, its tokens, its parameters by their names."""

    cell: str
    num_hiddens: int
    num_layers: int
    embedding_size: int | None
    tie: bool
    vocab: list[str]  # the token of each index, brief; the first is <unk>
    spaced: bool  # whether a space stands between two tokens
    weights: dict[str, Packed]


class PlayPayload(TextPayload):
    """A model, and the text that it reads first."""

    text: str
    model: PackedModel
    length: int  # tokens to write after the text
    temperature: float
    seed: int


class EffectPayload(TextPayload):
    """A text read, and continued, with and without a change of the state."""

    bits: list[float | None]  # T; the first is null
    changed_bits: list[float | None]  # T
    felt: list[float | None]  # in nats, from the first place of the change on
    written: list[str]  # the tokens that follow the text
    changed_written: list[str]


class AblatePayload(TextPayload):
    """What units are worth, or groups of units: the G that are worth most, the most first."""

    part: str  # held-out, training or text; the first two have no tokens
    kind: str  # unit, units or layer: what a name in `groups` stands for
    nats: float | None  # a token, with the model as it is
    num_tokens: int
    groups: list[str]  # G
    of: int  # groups in all
    worth: list[float | None]  # G, in nats a token
    half: list[float | None]  # G; the interval of 95 % reaches so far to both sides
    lost: Packed  # (G, T - 1), in nats, at each token of a text but the first; (0, ...) of others


class ProbePayload(Payload):
    """How much of a target a linear function of the state explains."""

    layer: int
    target: str
    num_tokens: int
    r2: float | None
    control: float | None  # the best of the shifted targets
    units: list[int]  # those that explain most alone, the most first
    single: list[float | None]  # for each of them
    weights: list[float | None]  # for each of them


class Passage(Context):
    """A stretch of a text on which one run is better than the other."""

    gain: float | None  # in bits, on all of it
    values: list[float | None]  # for each of `tokens`: bits of the first run less the second's


class DiffPayload(TextPayload):
    """The surprise of two runs, token by token, and where it differs most."""

    runs: tuple[str, str]
    bits: list[float | None]  # T, of the first run; the first is null
    other_bits: list[float | None]  # T, of the second
    part: str  # held-out or training
    searched: int  # tokens
    passages: list[list[Passage]]  # on which the first run is better, then the second


class Frame(TypedDict):
    """A view after one epoch."""

    epoch: int
    train_perplexity: float | None
    valid_perplexity: float | None
    data: Payload


class LeftOut(TypedDict):
    """An epoch for which the view is not possible."""

    epoch: int
    said: str  # why


class EpochsPayload(Payload):
    """A view across epochs."""

    of: str  # the view
    name: str  # of the run
    planned: int  # the planned number of epochs
    frames: list[Frame]  # in rising order of epochs
    left_out: list[LeftOut]


class BatchesPayload(Payload):
    """The positions of the windows of an epoch in the text."""

    batching: str
    num_tokens: int
    num_steps: int
    batch_size: int
    num_batches: int  # in the epoch; `starts` has the first of them
    offset: int
    left_over: int
    starts: list[list[int]]  # for each minibatch and row: the first token of its window
    # The beginning of the first windows, by minibatch and row; Y is X without its first token.
    windows: list[list[list[str]]]
    arrows: list[
        tuple[int, int, int, int]
    ]  # state carried from (minibatch, row) to (minibatch, row)


def pack(array: Array) -> Packed:
    """Return an array as `Packed`."""
    numbers = np.ascontiguousarray(array, dtype="<f4")
    text = base64.b64encode(numbers.tobytes()).decode("ascii")
    return {"shape": list(numbers.shape), "dtype": "float32", "base64": text}


def unpack(packed: Packed) -> Array:
    """Return the array of a `Packed`, in float32."""
    kind = {"float32": "<f4", "int16": "<i2", "int8": "<i1"}[packed["dtype"]]
    numbers = np.frombuffer(base64.b64decode(packed["base64"]), dtype=kind)
    scale = np.float32(packed.get("scale", 1))
    return numbers.reshape(packed["shape"]).astype(np.float32) * scale


def number(value: float) -> float | None:
    """Return a number for JSON; None if it is not finite."""
    return float(value) if math.isfinite(value) else None


def numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers for JSON."""
    return [number(value) for value in values]


def words(tokens: Sequence[Any]) -> list[str]:
    """Return tokens as text for a display."""
    return [brief(token) for token in tokens]


def to_json(payload: Payload) -> str:
    """Return a payload as strict JSON in ASCII, which preserves lone surrogates."""
    return json.dumps(payload, ensure_ascii=True, allow_nan=False)
