"""The ways a run can end, each said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from rnn_magics.options import check_choice

News = Literal["good", "neutral", "bad"]


class Ending(StrEnum):
    """Why a run trains no more.

    An ending is its own name: ``run.reason == "epochs"`` holds, and files and payloads hold the
    name. `labextension/src/contract/endings.ts` has the same endings, with words for a reader.

    Attributes
    ----------
    news
        What kind of news it is to whoever waits for the run.
    """

    news: News

    EPOCHS = "epochs", "good"
    """All epochs were trained."""
    MAX_TIME = "max_time", "good"
    """The time that it was given is up."""
    MAX_TOKENS = "max_tokens", "good"
    """It has learnt from as many tokens as it was given."""
    STOPPED = "stopped", "neutral"
    """Somebody asked it to stop."""
    INTERRUPTED = "interrupted", "neutral"
    """Its cell was interrupted, or Python is exiting."""
    NON_FINITE = "non_finite", "bad"
    """Loss, gradient or weights left the range of floats."""
    OUT_OF_MEMORY = "out_of_memory", "bad"
    """A step or a score did not fit into memory."""
    FAILED = "failed", "bad"
    """An error ended it. The loop does not say this; whoever drives it does."""
    SNAPSHOT = "snapshot", "neutral"
    """It is a copy; the run that it was taken from went on. No training ends so."""

    def __new__(cls, name: str, news: News) -> Self:
        """Make a string that knows what kind of news it is."""
        ending = str.__new__(cls, name)
        ending._value_ = name
        ending.news = news
        return ending

    @classmethod
    def named(cls, name: str) -> Ending:
        """Return the ending of a name.

        Raises
        ------
        ConfigError
            When no run can end so.
        """
        check_choice("reason", name, cls)
        return next(ending for ending in cls if ending == name)

    @property
    def as_planned(self) -> bool:
        """Whether the training reached one of the limits that it was given."""
        return self.news == "good"

    def __repr__(self) -> str:
        """Return what a string would: a reader of ``run.reason`` sees ``'epochs'``."""
        return repr(self.value)
