"""The ways a run can end, listed in one place."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from rnn_magics.options import check_choice

News = Literal["good", "neutral", "bad"]


class Ending(StrEnum):
    """Why a run has ended.

    An ending equals its name: ``run.reason == "epochs"`` holds, and files and payloads contain the
    name. `labextension/src/contract/endings.ts` has the same endings, with words for a reader.

    Attributes
    ----------
    news
        What kind of news it is for someone who waits for the run.
    """

    news: News

    EPOCHS = "epochs", "good"
    """All epochs were trained."""
    MAX_TIME = "max_time", "good"
    """The time limit was reached."""
    MAX_TOKENS = "max_tokens", "good"
    """The limit on the number of tokens was reached."""
    PATIENCE = "patience", "good"
    """So many held-out scores in a row were no better than the best."""
    STOPPED = "stopped", "neutral"
    """The user stopped it."""
    INTERRUPTED = "interrupted", "neutral"
    """Its cell was interrupted, or Python exited."""
    NON_FINITE = "non_finite", "bad"
    """Loss, gradient or weights became non-finite."""
    OUT_OF_MEMORY = "out_of_memory", "bad"
    """A step or an evaluation did not fit into memory."""
    FAILED = "failed", "bad"
    """An error ended it. The driver of the loop sets this, not the loop."""
    SNAPSHOT = "snapshot", "neutral"
    """It is a copy of a run in training. No run ends in this way."""

    def __new__(cls, name: str, news: News) -> Self:
        """Make a string that knows what kind of news it is."""
        ending = str.__new__(cls, name)
        ending._value_ = name
        ending.news = news
        return ending

    @classmethod
    def named(cls, name: str) -> Ending:
        """Return the ending with this name.

        Raises
        ------
        ConfigError
            If there is no such ending.
        """
        check_choice("reason", name, cls)
        return next(ending for ending in cls if ending == name)

    @property
    def as_planned(self) -> bool:
        """Whether the run reached one of its limits."""
        return self.news == "good"

    def __repr__(self) -> str:
        """Return the name as a plain string has it, so that ``run.reason`` shows ``'epochs'``."""
        return repr(self.value)
