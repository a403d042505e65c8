"""Where a run stands on the baseline ladder, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnn_magics.digits import apart, rounded
from rnn_magics.language import marked, say
from rnn_magics.results import Result
from rnn_magics.scores.ladder import Ladder
from rnn_magics.training.run import Run

_NAMES = {1: marked("unigram"), 2: marked("bigram")}


@dataclass(frozen=True)
class Mark:
    """One line that a curve can pass.

    Parameters
    ----------
    name
        ``uniform``, ``unigram``, ``bigram`` or ``best, 5-gram``.
    perplexity
        Of the held-out text.
    epoch
        The first after which the held-out perplexity lay below it; None while none did.
    """

    name: str
    perplexity: float
    epoch: int | None = None

    def __str__(self) -> str:
        """Say it in words, e.g. ``bigram 12.001: passed after epoch 2``."""
        when = (
            say("not passed")
            if self.epoch is None
            else say("passed after epoch {epoch}", epoch=self.epoch)
        )
        perplexity = rounded(self.perplexity)
        return say("{name} {perplexity}: {when}", name=self.words, perplexity=perplexity, when=when)

    @property
    def words(self) -> str:
        """Its name, in the language that is spoken."""
        counting = self.counting
        return say("best, {name}", name=counting) if self.name != self._kind else counting

    @property
    def counting(self) -> str:
        """The name of what it counts, in the language that is spoken."""
        order = self._kind.removesuffix("-gram")
        return say("{order}-gram", order=order) if order.isdigit() else say(self._kind)

    @property
    def _kind(self) -> str:
        return self.name.removeprefix("best, ")


@dataclass(frozen=True)
class BaselineComparison(Result):
    """What a run reached, beside what counting reaches on the same held-out tokens.

    Parameters
    ----------
    marks
        Uniform, unigram, bigram and the best n-gram.
    words
        Where the last held-out perplexity lies, in one sentence; of a run whose held-out perplexity
        has risen since, where the lowest lies.
    """

    marks: tuple[Mark, ...]
    words: str

    @property
    def passages(self) -> str:
        """When each mark was passed, in one line; empty where there are none."""
        told = (
            say(
                "{name} ({perplexity}) {when}",
                name=mark.words,
                perplexity=rounded(mark.perplexity),
                when=say("not yet")
                if mark.epoch is None
                else say("after epoch {epoch}", epoch=mark.epoch),
            )
            for mark in self.marks
        )
        return say("passed: {marks}", marks=say(", ").join(told)) if self.marks else ""

    def __repr__(self) -> str:
        """Return the sentence, then a line for each mark."""
        return "\n".join((self.words, *(f"  {mark}" for mark in self.marks)))


def marks(ladder: Ladder) -> tuple[Mark, ...]:
    """Return the lines to draw: uniform, unigram, bigram, best; none without held-out text."""
    if not ladder.num_valid_tokens:
        return ()
    found = [Mark(marked("uniform"), float(ladder.uniform))]
    for rung in ladder:
        if rung.valid_perplexity is None:
            continue
        if rung is ladder.best:
            name = _NAMES.get(rung.order, f"{rung.order}-gram")
            found.append(Mark(f"best, {name}", rung.valid_perplexity))
        elif rung.order in _NAMES:
            found.append(Mark(_NAMES[rung.order], rung.valid_perplexity))
    return tuple(found)


def compare_with_baselines(run: Run) -> BaselineComparison:
    """Compare a run with the ladder of its text.

    Only perplexities of the same held-out tokens are compared: every one but the first, exp of
    the mean, the state carried.

    Examples
    --------
    >>> run.ladder = fit_ladder(corpus, vocab)
    >>> [mark.name for mark in compare_with_baselines(run).marks]
    ['uniform', 'unigram', 'bigram', 'best, 6-gram']
    """
    ladder, scored = run.ladder, run.scored
    if ladder is None:
        return BaselineComparison((), say("no baselines were fitted for this run"))
    if not ladder.num_valid_tokens:
        return BaselineComparison(
            (), say("nothing is held out, so there is nothing to compare with baselines")
        )
    if scored is None:
        why = say("the held-out text was not scored, so there is nothing to compare with baselines")
        return BaselineComparison((), why)
    if run.state_rule != "carried" or ladder.num_valid_tokens != run.num_valid_tokens - 1:
        why = say(
            "not comparable with baselines: they do not predict the same tokens from the past"
        )
        return BaselineComparison((), why)
    passed = tuple(
        Mark(mark.name, mark.perplexity, _epoch_below(run, mark.perplexity))
        for mark in marks(ladder)
    )
    if (turn := run.turn) is None or run.weights_from is not None:
        return BaselineComparison(
            passed,
            say(
                "held-out perplexity {scored}: {place}",
                scored=scored,
                place=_place(passed, scored.perplexity),
            ),
        )
    place = _place(passed, turn.best.perplexity)
    now = (
        say("now {perplexity}", perplexity=rounded(scored.perplexity))
        if scored.is_present
        else f"{scored}"
    )
    said = say(
        "best held-out perplexity {best}: {place}; {since}, {now}",
        best=turn.best,
        place=place,
        since=turn.since,
        now=now,
    )
    return BaselineComparison(passed, said)


def _epoch_below(run: Run, perplexity: float) -> int | None:
    values = enumerate(run.history.valid_perplexity, start=1)
    return next((e for e, value in values if value is not None and value < perplexity), None)


def _place(passed: tuple[Mark, ...], reached: float) -> str:
    if not math.isfinite(reached):
        return say(_LITTLE[0])
    best = min(passed, key=lambda mark: mark.perplexity)
    name = say(
        "the best {name} ({perplexity})",
        name=best.counting,
        perplexity=rounded(best.perplexity),
    )
    if reached < best.perplexity:
        return say("below {name} {far}", name=name, far=apart(reached, best.perplexity))
    behind = say("above {name} {far}", name=name, far=apart(reached, best.perplexity))
    for mark, little in zip(passed, _LITTLE, strict=False):
        if reached >= mark.perplexity:
            return say("; ").join([say(little), behind])
    return behind


_LITTLE = (
    marked("no better than guessing"),
    marked("has not learnt more than how frequent each token is"),
    marked("has not learnt more than counting pairs"),
)
