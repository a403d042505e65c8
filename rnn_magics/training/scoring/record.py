"""Record: every held-out score of a run, and to which weights each belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.training.curve import Curve
from rnn_magics.training.endings import Ending
from rnn_magics.training.history import History, Scored, Turn, lowest, turn_of


@dataclass(frozen=True)
class ScoreBetween:
    """A held-out score between two epoch ends.

    Parameters
    ----------
    epoch
        In this epoch, counted from 1.
    steps, tokens
        The number of steps taken and of tokens trained on since the beginning.
    seconds
        Training seconds since the beginning.
    nats
        Mean nats per held-out token.
    """

    epoch: int
    steps: int
    tokens: int
    seconds: float
    nats: float


@dataclass(frozen=True)
class Record:
    """The held-out scores of a run.

    Parameters
    ----------
    history, curve
        The results of each epoch, and where it ended.
    between
        The scores between the epoch ends.
    steps
        The number of steps taken.
    reason
        How the run ended.
    weights_from
        After which step the weights of the run were; None for those of the last step.
    """

    history: History
    curve: Curve
    between: Sequence[ScoreBetween]
    steps: int
    reason: Ending | None
    weights_from: int | None

    @property
    def scores(self) -> list[Scored]:
        """Every score, in the order in which they were made."""
        ended = [
            replace(score, steps=self._steps_after(score.epoch)) for score in self.history.scores
        ]
        known = {score.steps for score in ended}
        between = [
            Scored(s.epoch, perplexity(s.nats), bits_per_token(s.nats), s.steps, s.tokens)
            for s in self.between
            if s.steps not in known  # the end of an epoch that was cut short has the same score
        ]
        return sorted([*ended, *between], key=lambda s: (s.epoch, s.tokens is None, s.steps or 0))

    def _steps_after(self, epoch: int) -> int | None:
        ends = self.curve.epochs
        if epoch <= len(ends):
            return ends[epoch - 1][0]
        return self.steps if epoch == len(self.history) == len(ends) + 1 else None

    @property
    def best(self) -> Scored | None:
        """The lowest score; None without one."""
        return lowest(self.scores)

    @property
    def scored(self) -> Scored | None:
        """The score of the weights in hand, or the last score; None without one."""
        scores = self.scores
        if not scores:
            return None
        last = scores[-1]
        if self.weights_from is not None:
            last = next((s for s in scores if s.steps == self.weights_from), last)
        at = self.steps if self.weights_from is None else self.weights_from
        is_present = last.epoch == len(self.history) if last.steps is None else last.steps == at
        # An error may have left the weights between two steps.
        is_present = is_present and self.reason != Ending.FAILED
        return replace(
            last, is_present=is_present, is_kept=is_present and self.weights_from is not None
        )

    @property
    def turn(self) -> Turn | None:
        """Where the score was lowest, if it has risen by more than chance since."""
        return turn_of(self.scores, self.history.train_bits)
