"""The view ``probe``: what can be read off a state by a linear function of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnn_magics.decoding.prefix import Trained
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.corpus_states import read_corpus
from rnn_magics.inspection.views.payload import ProbePayload, number, numbers
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.inspection.views.unrolled import Array, LayerConfig
from rnn_magics.language import marked, say, say_number
from rnn_magics.options import AT_LEAST_ONE, SEED, option
from rnn_magics.text.corpus import Corpus

_FOLDS = 5
_CONTROLS = 20
_FEWEST = 100  # tokens
_RIDGE = 1e-3  # of the mean variance of a unit
_NAMED = 5
_DRAWN = 24

Target = Callable[[Sequence[str]], Any]
"""Takes the tokens of a text, and returns a number for each: what is known after it was read."""


def in_quotes(tokens: Sequence[str]) -> Array:
    """Whether a double quotation mark is open after each token."""
    return _running(tokens, lambda inside, mark: 1 - inside if mark == '"' else inside)


def in_brackets(tokens: Sequence[str]) -> Array:
    """How many brackets are open after each token."""
    move = {**dict.fromkeys("([{", 1), **dict.fromkeys(")]}", -1)}
    return _running(tokens, lambda depth, mark: max(0, depth + move.get(mark, 0)))


def line_position(tokens: Sequence[str]) -> Array:
    """How many characters stand since the last line break, after each token."""
    return _running(tokens, lambda place, mark: 0 if mark == "\n" else place + 1)


def next_space(tokens: Sequence[str]) -> Array:
    """Whether the next token begins with white space."""
    return np.array([float(after[:1].isspace()) for after in (*tokens[1:], "")])


def _running(tokens: Sequence[str], move: Callable[[int, str], int]) -> Array:
    values, now = np.empty(len(tokens)), 0
    for place, token in enumerate(tokens):
        for character in token:
            now = move(now, character)
        values[place] = now
    return values


TARGETS: dict[str, Target] = {
    "in_quotes": in_quotes,
    "in_brackets": in_brackets,
    "line_position": line_position,
    "next_space": next_space,
}
"""What a probe looks for, by name; to add one, write a function and a line."""


@dataclass(frozen=True, repr=False)
class ProbeConfig(LayerConfig):
    """The options of the view ``probe``."""

    feature: str = option(
        "in_quotes", marked("what a probe looks for in the state"), choices=lambda: list(TARGETS)
    )
    search: int = option(100_000, marked("number of corpus tokens searched"), within=AT_LEAST_ONE)
    seed: int = option(
        0, marked("seed of the offset and the shuffle of the epoch, or of the draws"), within=SEED
    )


@dataclass(frozen=True, repr=False, eq=False)
class Probe(Trace):
    """How much of a target a linear function of the state explains.

    Parameters
    ----------
    layer
        The layer.
    target
        Its name.
    num_tokens
        The number of tokens read.
    r2
        The share of the target's variance that is explained on folds that the probe has not seen:
        1 for all of it, 0 for none, below 0 if it is worse than the mean.
    folds
        The same for each fold, (num_folds,).
    control
        The same for targets that are shifted along the text by a random distance, so that they have
        nothing to do with the states, (num_controls,).
    weights
        The linear function, (num_hiddens,), fitted on all tokens, for units of variance 1.
    single
        The share of variance that each unit explains alone, (num_hiddens,).
    """

    kind: ClassVar[str] = "probe"

    layer: int
    target: str
    num_tokens: int
    r2: float
    folds: Array
    control: Array
    weights: Array
    single: Array

    @property
    def knows(self) -> bool:
        """Whether the probe explains more than with every shifted target."""
        return bool(self.r2 > self.control.max())

    @property
    def title(self) -> str:
        """One line."""
        return say(
            "probe: layer {layer} explains {r2:.3f} of the variance of {target}, a shifted target"
            " at most {control:.3f}; {tokens:,} tokens",
            layer=self.layer,
            r2=self.r2,
            target=self.target,
            control=self.control.max(),
            tokens=self.num_tokens,
        )

    @property
    def heading(self) -> str:
        """What stands above a picture."""
        return say("What the state knows of {target}", target=self.target)

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "The share of its variance that each unit explains alone, beside what all units"
            " explain together on unseen text, and what they explain of a shifted target."
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the units that explain most alone."""
        yield say("unit"), say("explains alone"), say("weight")
        for unit in np.argsort(-self.single, kind="stable")[:_NAMED]:
            yield str(unit), f"{self.single[unit]:.3f}", f"{self.weights[unit]:+.3f}"

    def notes(self) -> Iterable[str]:
        """Say what it means."""
        best = int(self.single.argmax())
        if not self.knows:
            yield say("The state does not know it: a target shifted along the text does as well.")
        elif self.single[best] > self.r2 / 2:
            yield say("Unit {unit} alone explains more than half of that.", unit=best)
        else:
            yield say("No unit alone explains half of that; it is spread over several.")

    def to_data(self) -> ProbePayload:
        """Return what a front end draws: the units that explain most."""
        first = np.argsort(-self.single, kind="stable")[:_DRAWN]
        return {
            **self.head(),
            "layer": self.layer,
            "target": self.target,
            "num_tokens": self.num_tokens,
            "r2": number(self.r2),
            "control": number(float(self.control.max())),
            "units": first.tolist(),
            "single": numbers(self.single[first]),
            "weights": numbers(self.weights[first]),
        }


def inspect_probe(
    run: Trained, corpus: Corpus, config: ProbeConfig | None = None, *, target: Target | None = None
) -> Probe:
    r"""Fit a linear probe for what a state knows, and score it on text that it has not seen.

    .. math:: \hat y_t = w \cdot h_t + b, \quad
        R^2 = 1 - \frac{\sum_t (y_t - \hat y_t)^2}{\sum_t (y_t - \bar y)^2}

    by ridge regression (Alain and Bengio 2017; the control follows Hewitt and Liang 2019). The
    folds are stretches of the text, so that neighbouring tokens are in the same fold.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    corpus
        The text; its training part is read.
    config
        The layer, the target and the number of tokens.
    target
        A function of your own in place of a name.

    Raises
    ------
    InspectionError
        If the text is too short, or the target is not finite, does not change, or has not one
        number for each token.
    """
    config = config or ProbeConfig()
    read = read_corpus(run, corpus, config.layer, config.search)
    if len(read) < _FEWEST:
        msg = say_number(
            len(read),
            "the training text has {tokens} token; a probe needs at least {fewest}",
            "the training text has {tokens} tokens; a probe needs at least {fewest}",
            tokens=len(read),
            fewest=_FEWEST,
        )
        raise InspectionError(msg)
    tokens = [str(token) for token in read.vocab.to_tokens(read.ids.tolist())]
    name = config.feature if target is None else getattr(target, "__name__", "target")
    values = _checked(name, (target or TARGETS[config.feature])(tokens), len(tokens))
    states = read.states.astype(np.float64)
    spread = states.std(axis=0)
    states = (states - states.mean(axis=0)) / np.where(spread > 0, spread, 1)
    random = np.random.default_rng(config.seed)
    tenth = len(values) // 10
    away = random.integers(tenth, len(values) - tenth, _CONTROLS)
    shifted = [np.roll(values, distance) for distance in away]
    scores = _scores(states, np.stack([values, *shifted], axis=1))
    folds, control = scores[:, 0], scores[:, 1:].mean(axis=0)
    moved = values - values.mean()
    single = (states.T @ moved) ** 2 / (len(values) * (moved**2).sum())
    weights = _fit(states, values[:, None])[:-1, 0]
    return Probe(
        read.layer, name, len(values), float(folds.mean()), folds, control, weights, single
    )


def _checked(name: str, values: Any, num_tokens: int) -> Array:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        msg = say("the target {name!r} must return a number for each token", name=name)
        raise InspectionError(msg) from None
    if found.shape != (num_tokens,):
        msg = say(
            "the target {name!r} must return {number:,} numbers, one for each token",
            name=name,
            number=num_tokens,
        )
        raise InspectionError(msg)
    if not np.isfinite(found).all():
        place = int(np.argmin(np.isfinite(found)))
        msg = say("the target {name!r} is not finite at token {place}", name=name, place=place)
        raise InspectionError(msg)
    if np.ptp(found) == 0:
        msg = say(
            "the target {name!r} is {value:g} everywhere in this text; there is nothing to find",
            name=name,
            value=found[0],
        )
        raise InspectionError(msg)
    return found


def _scores(states: Array, targets: Array) -> Array:
    # R squared on each fold of a probe fitted on the others, (num_folds, num_targets).
    scores = []
    for fold in np.array_split(np.arange(len(targets)), _FOLDS):
        seen = np.ones(len(targets), bool)
        seen[fold] = False
        weights = _fit(states[seen], targets[seen])
        missed = targets[fold] - states[fold] @ weights[:-1] - weights[-1]
        # Beside the mean of what it was fitted on, which does not depend on the fold.
        spread = ((targets[fold] - targets[seen].mean(axis=0)) ** 2).sum(axis=0)
        scores.append(1 - (missed**2).sum(axis=0) / np.maximum(spread, np.finfo(float).tiny))
    return np.array(scores)


def _fit(states: Array, targets: Array) -> Array:
    # Weights and constants, (num_hiddens + 1, num_targets), by ridge regression.
    means, mean = states.mean(axis=0), targets.mean(axis=0)
    moved = states - means
    products = moved.T @ moved
    products[np.diag_indices_from(products)] += _RIDGE * len(targets)
    weights = np.linalg.solve(products, moved.T @ (targets - mean))
    return np.concatenate((weights, (mean - means @ weights)[None]))
