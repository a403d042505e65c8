"""The view ``units``: what drives a unit, and which units respond most selectively."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np

from rnn_magics.decoding.prefix import Trained
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.corpus_states import CorpusStates, SearchConfig, read_corpus
from rnn_magics.inspection.views.match import apart
from rnn_magics.inspection.views.payload import Drive, UnitsPayload, numbers, words
from rnn_magics.inspection.views.trace import Trace, joined
from rnn_magics.inspection.views.unrolled import Array
from rnn_magics.language import say
from rnn_magics.options import NOT_NEGATIVE, option
from rnn_magics.results import quoted
from rnn_magics.text.corpus import Corpus

_RANKED = 8
_NAMED = 3  # tokens in a sentence, at most


@dataclass(frozen=True, repr=False)
class UnitsConfig(SearchConfig):
    """The options of the view ``units``."""

    unit: int | None = option(
        None, "which unit, from 0; by default the most selective", within=NOT_NEGATIVE
    )

    def settled(self, trace: Units) -> UnitsConfig:
        """Return the options with the unit of a trace."""
        return replace(self, unit=trace.unit)


@dataclass(frozen=True, repr=False, eq=False)
class Peak:
    """A place in the corpus at which a unit has an extreme value.

    Parameters
    ----------
    place
        The number of the token in the corpus, from 0.
    start
        The number of the first token of the context.
    tokens
        The context.
    values
        The value of the unit after each token of the context, (len(tokens),), float32.
    """

    place: int
    start: int
    tokens: list[Any]
    values: Array

    @property
    def focus(self) -> int:
        """The index of the place in `tokens`."""
        return self.place - self.start


@dataclass(frozen=True, repr=False, eq=False)
class Units(Trace):
    """What drives a unit, and which units respond most selectively.

    Parameters
    ----------
    layer, unit
        The layer and the unit.
    highest, lowest
        The places with the highest and lowest values, at least the margin apart.
    selectivity
        The share of the variance of each unit along the corpus that the current token explains,
        (num_hiddens,). It is epsilon squared (Kelley 1935), which does not grow with the number of
        tokens; nan for a unit that never changes.
    order
        All units, most selective first, (num_hiddens,).
    tokens
        For each unit, the token whose mean is farthest from the overall mean, in standard errors.
    above
        For each unit, whether the mean of that token is above the overall mean, (num_hiddens,).
    searched
        The number of tokens read from the corpus.
    """

    kind: ClassVar[str] = "units"

    layer: int
    unit: int
    highest: list[Peak]
    lowest: list[Peak]
    selectivity: Array
    order: Array
    tokens: list[Any]
    above: Array
    searched: int

    @property
    def title(self) -> str:
        """One line."""
        return say(
            "units: unit {unit} of layer {layer} is {found}; selectivity"
            " {selectivity:.2f} in {searched:,} tokens",
            unit=self.unit,
            layer=self.layer,
            found=self.found,
            selectivity=self.selectivity[self.unit],
            searched=self.searched,
        )

    @property
    def found(self) -> str:
        """What the places found have in common, in words: "high after ',', low after 'm'"."""
        return said(
            [peak.tokens[peak.focus] for peak in self.highest],
            [peak.tokens[peak.focus] for peak in self.lowest],
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say(
            "Unit {unit} of layer {layer} is {found}",
            unit=self.unit,
            layer=self.layer,
            found=self.found,
        )

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "The places in {searched:,} tokens where the unit is highest and"
            " lowest, each outlined. Red is above zero, blue below; the darker,"
            " the farther from it.",
            searched=self.searched,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the places, the highest first."""
        yield "", say("value"), say("before"), say("token"), say("after")
        for kind, peaks in ((say("highest"), self.highest), (say("lowest"), self.lowest)):
            for peak in peaks:
                at, after = peak.focus, peak.focus + 1
                parts = peak.tokens[:at], peak.tokens[at:after], peak.tokens[after:]
                yield kind, f"{peak.values[at]:+.3f}", *map(joined, parts)

    def notes(self) -> Iterable[str]:
        """Return a line that names the most selective units."""
        ranked = say(", ").join(
            f"{u} ({self.selectivity[u]:.2f}, {self.moved(u)})" for u in self.order[:_RANKED]
        )
        return (say("most selective: {units}", units=ranked),)

    def moved(self, unit: int) -> str:
        """Return which token moves a unit farthest, and where to: "high after ','"."""
        token = quoted(self.tokens[unit])
        if self.above[unit]:
            return say("high after {token}", token=token)
        return say("low after {token}", token=token)

    def to_data(self) -> UnitsPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "layer": self.layer,
            "unit": self.unit,
            "highest": [_drive(peak) for peak in self.highest],
            "lowest": [_drive(peak) for peak in self.lowest],
            "order": self.order.tolist(),
            "selectivity": numbers(self.selectivity),
            "tokens": words(self.tokens),
            "above": self.above.tolist(),
            "searched": self.searched,
        }


def said(highest: Sequence[Any], lowest: Sequence[Any]) -> str:
    """Return after which tokens a unit is high and low, as its lists of places show it.

    A token is named only if it stands in one of the lists alone, and tokens only if together they
    are at least half of their list.
    """
    both = (_named(highest, lowest), _named(lowest, highest))
    high, low = (_as_words(named, say("no token in particular")) for named in both)
    return say("high after {high}, low after {low}", high=high, low=low)


def _named(tokens: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    counts = Counter(token for token in tokens if token not in others).most_common(_NAMED)
    covered = list(accumulate(count for _, count in counts))
    enough = [place for place, share in enumerate(covered) if 2 * share >= len(tokens)]
    return [token for token, _ in counts[: enough[0] + 1]] if enough else []


def _as_words(tokens: Sequence[Any], otherwise: str) -> str:
    *first, last = [*map(quoted, tokens)] or [otherwise]
    return say("{tokens} or {last}", tokens=say(", ").join(first), last=last) if first else last


def _drive(peak: Peak) -> Drive:
    return {
        "start": peak.start,
        "tokens": words(peak.tokens),
        "focus": (peak.focus, peak.focus + 1),
        "values": numbers(peak.values),
    }


def inspect_units(run: Trained, corpus: Corpus, config: UnitsConfig | None = None) -> Units:
    r"""Return the places of a corpus that drive a unit highest and lowest, and rank all units.

    .. math:: t^+ = \operatorname{argmax}_t h_{t,j}, \quad t^- = \operatorname{argmin}_t h_{t,j}

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    corpus
        The corpus whose training text is read. Its states are computed once and cached.
    config
        The unit.

    Raises
    ------
    InspectionError
        If there is no such unit or layer, or the model is bidirectional.
    """
    config = config or UnitsConfig()
    num_hiddens = run.model.config.num_hiddens
    if config.unit is not None and config.unit >= num_hiddens:
        msg = say(
            "the model has no unit {unit}: its units are 0 to {last}",
            unit=config.unit,
            last=num_hiddens - 1,
        )
        raise InspectionError(msg)
    read = read_corpus(run, corpus, config.layer, config.search)
    selectivity, farthest, above = selectivities(read.states, read.ids)
    order = np.argsort(-np.nan_to_num(selectivity, nan=-np.inf), kind="stable")
    unit = int(order[0]) if config.unit is None else config.unit
    values = read.states[:, unit].astype(np.float32)
    return Units(
        read.layer,
        unit,
        _peaks(read, values, values, config),
        _peaks(read, values, -values, config),
        selectivity,
        order,
        read.vocab.to_tokens(farthest.tolist()),
        above,
        len(read),
    )


def _peaks(read: CorpusStates, values: Array, scores: Array, config: UnitsConfig) -> list[Peak]:
    peaks = []
    for place in apart(scores, config.num, config.margin + 1).tolist():
        start, tokens = read.around(place, place + 1, config.margin)
        peaks.append(Peak(place, start, tokens, values[start : start + len(tokens)]))
    return peaks


def selectivities(states: Array, ids: Array) -> tuple[Array, Array, Array]:
    """Return how much each unit depends on the current token, and on which token most.

    Parameters
    ----------
    states
        The states, (num_tokens, num_hiddens).
    ids
        The tokens, (num_tokens,).

    Returns
    -------
    selectivity : numpy.ndarray
        Epsilon squared, (num_hiddens,), float64. It is at most 1, about 0 for a unit that does not
        depend on the token, and nan for a unit that never changes.
    farthest : numpy.ndarray
        For each unit, the token index whose mean is farthest from the overall mean, in standard
        errors.
    above : numpy.ndarray
        For each unit, whether the mean of that token is above the overall mean.
    """
    kinds, counts = np.unique(ids, return_counts=True)
    sorted_states = states[np.argsort(ids, kind="stable")]
    starts = np.concatenate(([0], counts.cumsum()[:-1]))
    sums = np.add.reduceat(sorted_states, starts, axis=0, dtype=np.float64)
    squares = np.einsum("tu,tu->u", states, states, dtype=np.float64, casting="unsafe")
    mean = sums.sum(axis=0) / len(ids)
    total = squares - len(ids) * mean**2  # (num_hiddens,), sums of squared deviations
    moved = sums / counts[:, None] - mean  # (num_kinds, num_hiddens)
    between = (counts[:, None] * moved**2).sum(axis=0)
    within = np.maximum(total - between, 0) / max(1, len(ids) - len(kinds))
    changes = total > len(ids) * 1e-8  # float16 resolves no less
    explained = between - (len(kinds) - 1) * within
    selectivity = np.where(changes, explained / np.where(changes, total, 1), np.nan)
    farthest = (np.abs(moved) * np.sqrt(counts)[:, None]).argmax(axis=0)
    above = np.take_along_axis(moved, farthest[None], axis=0)[0] > 0
    return selectivity, kinds[farthest], above
