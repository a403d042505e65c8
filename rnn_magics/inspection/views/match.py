"""The view ``match``: places in the corpus with states like those in a span of the text.

The idea is from LSTMVis (Strobelt et al. 2018): to test a hypothesis about what some units
represent, look for other places where they behave in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rnn_magics.decoding.prefix import Trained
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.corpus_states import SearchConfig, read_corpus
from rnn_magics.inspection.views.hidden import HiddenConfig, inspect_hidden
from rnn_magics.inspection.views.payload import MatchPayload, number, pack, words
from rnn_magics.inspection.views.trace import TextTrace, joined
from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.language import say, say_number
from rnn_magics.options import Range, Spelling, option
from rnn_magics.text.corpus import Corpus

_BLOCK = 8192  # places compared at once; their states fit into the cache


@dataclass(frozen=True, repr=False)
class MatchConfig(SearchConfig):
    """The options of the view ``match``."""

    span: str | None = option(
        None,
        "tokens A to B - 1 of the text, from 0; by default all",
        spelling=Spelling(metavar="A:B"),
    )
    threshold: float = option(
        0.3, "a unit is active if it stays this far from 0 in the span", within=Range(0, 1)
    )
    units: tuple[str, ...] = option((), "the units to compare, instead of the active ones")

    def settled(self, trace: Match) -> MatchConfig:
        """Return the options with the units of a trace."""
        return replace(self, units=tuple(map(str, trace.units.tolist())))


@dataclass(frozen=True, repr=False, eq=False)
class Match(TextTrace):
    """The places of a corpus whose states are most like those of a span of a text.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    states
        The states of the layer for the text, (num_tokens, num_hiddens).
    layer
        The layer.
    span
        The first token of the span, and the first one after it.
    units
        The units compared, (num_units,).
    threshold
        A unit is active if it stays at least this far from 0 in the whole span.
    places
        The first token of each place found in the corpus, (num_places,); most similar first,
        without overlaps.
    similarities
        The cosine between the states at each place and in the span, -1 to 1, (num_places,).
    contexts
        The context of each place: the number of its first token, and its tokens.
    searched
        The number of corpus tokens searched.
    """

    kind: ClassVar[str] = "match"

    states: Array
    layer: int
    span: tuple[int, int]
    units: Array
    threshold: float
    places: Array
    similarities: Array
    contexts: list[tuple[int, list[Any]]]
    searched: int

    @property
    def length(self) -> int:
        """The number of tokens in the span."""
        return self.span[1] - self.span[0]

    @property
    def title(self) -> str:
        """One line."""
        first, last = self.span
        return say_number(
            len(self.units),
            "match: {text}, {number} unit of layer {layer}, in {searched:,} tokens",
            "match: {text}, {number} units of layer {layer}, in {searched:,} tokens",
            text=joined(self.tokens[first:last]),
            layer=self.layer,
            searched=self.searched,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        first, last = self.span
        return say("Places like {text}", text=joined(self.tokens[first:last]))

    @property
    def caption(self) -> str:
        """How to read it."""
        number = len(self.units)
        units = say_number(number, "the one unit", "the {number} units")
        return say(
            "Where {units} compared in layer {layer} are most alike, the most"
            " similar place first, with the cosine of its states; {searched:,}"
            " tokens searched.",
            units=units,
            layer=self.layer,
            searched=self.searched,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return each place with its similarity and surroundings."""
        yield say("cosine"), say("at"), say("before"), say("match"), say("after")
        for place, similarity, (start, tokens) in zip(
            self.places, self.similarities, self.contexts, strict=True
        ):
            first = place - start
            before, found, after = (
                joined(part)
                for part in (
                    tokens[:first],
                    tokens[first : first + self.length],
                    tokens[first + self.length :],
                )
            )
            yield f"{similarity:.3f}", f"{place:,}", before, found, after

    def to_data(self) -> MatchPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "layer": self.layer,
            "span": self.span,
            "units": self.units.tolist(),
            "threshold": self.threshold,
            "values": pack(self.states),
            "matches": [
                {
                    "start": start,
                    "tokens": words(tokens),
                    "focus": (int(place) - start, int(place) - start + self.length),
                    "similarity": number(similarity),
                }
                for place, similarity, (start, tokens) in zip(
                    self.places, self.similarities, self.contexts, strict=True
                )
            ],
            "searched": self.searched,
        }


def inspect_match(
    run: Trained, text: str, corpus: Corpus, config: MatchConfig | None = None
) -> Match:
    r"""Find the places of a corpus whose states are most like those of a span of a text.

    .. math:: \mathrm{score}(t) = \frac{\sum_k h_{t+k} \cdot p_k}{\|h_{t:t+n}\| \|p\|}

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads, from a zero state.
    corpus
        The corpus whose training text is searched. Its states are computed once and cached.
    config
        The span, units and layer.

    Raises
    ------
    InspectionError
        If there is no such layer, span or unit, no unit is active, the text has no tokens or too
        many, or the model is bidirectional.
    """
    config = config or MatchConfig()
    hidden = inspect_hidden(run, text, HiddenConfig(layer=config.layer))
    states = hidden.states[hidden.layer]
    first, last = span = _span(config.span, len(states))
    pattern = states[first:last]  # (length, num_hiddens)
    units = _named(config.units, states.shape[1]) if config.units else _active(pattern, config)
    corpus_states = read_corpus(run, corpus, hidden.layer, config.search)
    scores = similarities(corpus_states.states, pattern, units)
    places = apart(scores, config.num, last - first)
    contexts = [corpus_states.around(p, p + last - first, config.margin) for p in places.tolist()]
    return Match(
        hidden.tokens,
        hidden.unknown,
        states,
        hidden.layer,
        span,
        units,
        config.threshold,
        places,
        scores[places],
        contexts,
        len(corpus_states),
    )


def similarities(states: Array, pattern: Array, units: Array) -> Array:
    """Return the cosine between a pattern and the states at each place.

    Parameters
    ----------
    states
        The states of the corpus, (num_tokens, num_hiddens), of any float type.
    pattern
        The states of the span, (length, num_hiddens).
    units
        The units to compare, (num_units,).

    Returns
    -------
    numpy.ndarray
        The cosines, (num_tokens - length + 1,), float32; 0 where all compared units are 0. Empty
        for a corpus shorter than the pattern.
    """
    sought = pattern[:, units].astype(np.float32)  # (length, num_units)
    length, num_places = len(sought), max(0, len(states) - len(sought) + 1)
    scores = np.empty(num_places, np.float32)
    for begin in range(0, num_places, _BLOCK):
        end = min(begin + _BLOCK, num_places)
        # `take` is eight times as fast as indexing.
        block = states[begin : end + length - 1].astype(np.float32).take(units, axis=1)
        products = block @ sought.T  # (end - begin + length - 1, length)
        squares = np.einsum("tu,tu->t", block, block)
        dots, norms = np.zeros(end - begin, np.float32), np.zeros(end - begin, np.float32)
        for step in range(length):
            dots += products[step : step + end - begin, step]
            norms += squares[step : step + end - begin]
        lengths = np.sqrt(norms) * np.linalg.norm(sought)
        scores[begin:end] = dots / np.where(lengths > 0, lengths, 1)
    return scores


def apart(scores: Array, num: int, distance: int) -> Array:
    """Return the places with the highest scores, best first, at least `distance` apart."""
    left = np.array(scores, np.float64)
    left[~np.isfinite(left)] = -np.inf
    places: list[int] = []
    while len(places) < num and len(left):
        best = int(left.argmax())
        if left[best] == -np.inf:
            break
        places.append(best)
        left[max(0, best - distance + 1) : best + distance] = -np.inf
    return np.array(places, np.int64)


def _span(typed: str | None, num_tokens: int) -> tuple[int, int]:
    if typed is None:
        return 0, num_tokens
    first, colon, last = typed.partition(":")
    digits = all(word.isascii() and word.isdigit() for word in (first, last))
    if not colon or not digits or not int(first) < int(last) <= num_tokens:
        msg = say(
            "span must be A:B with 0 <= A < B <= {num_tokens}, not {typed!r}",
            num_tokens=num_tokens,
            typed=typed,
        )
        raise InspectionError(msg)
    return int(first), int(last)


def _named(typed: tuple[str, ...], num_hiddens: int) -> Array:
    for word in typed:
        if not (word.isascii() and word.isdigit() and int(word) < num_hiddens):
            msg = say(
                "units must be whole numbers from 0 to {last}, not {word!r}",
                last=num_hiddens - 1,
                word=word,
            )
            raise InspectionError(msg)
    return np.array(sorted({int(word) for word in typed}), np.int64)


def _active(pattern: Array, config: MatchConfig) -> Array:
    nearest = np.abs(pattern).min(axis=0)  # each unit's distance from 0 in the span
    (units,) = np.nonzero(nearest >= config.threshold)
    if not len(units):
        msg = say(
            "no unit stays {threshold:g} away from 0 in the whole span (the"
            " most active one stays {nearest:.2f} away); use a shorter --span or a"
            " lower --threshold",
            threshold=config.threshold,
            nearest=nearest.max(),
        )
        raise InspectionError(msg)
    return units
