"""The ways a run can end, listed in one place."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from rnn_magics.language import marked, say
from rnn_magics.options import check_choice

News = Literal["good", "neutral", "bad"]


class Ending(StrEnum):
    """Why a run has ended.

    An ending equals its name: ``run.reason == "epochs"`` holds, and files and payloads contain the
    name. A reader sees its words. `labextension/src/contract/endings.ts` has the same endings and
    words.

    Attributes
    ----------
    news
        What kind of news it is for someone who waits for the run.
    words
        What a reader is told, in English; `in_words` says it in the language that is spoken.
    """

    news: News
    words: str

    EPOCHS = "epochs", "good", marked("all epochs done")
    """All epochs were trained."""
    MAX_TIME = "max_time", "good", marked("time limit reached")
    """The time limit was reached."""
    MAX_TOKENS = "max_tokens", "good", marked("token limit reached")
    """The limit on the number of tokens was reached."""
    PATIENCE = "patience", "good", marked("no better for a while")
    """So many held-out scores in a row were no better than the best."""
    STOPPED = "stopped", "neutral", marked("stopped")
    """The user stopped it."""
    INTERRUPTED = "interrupted", "neutral", marked("interrupted")
    """Its cell was interrupted, or Python exited."""
    NON_FINITE = "non_finite", "bad", marked("non-finite values")
    """Loss, gradient or weights became non-finite."""
    OUT_OF_MEMORY = "out_of_memory", "bad", marked("out of memory")
    """A step or an evaluation did not fit into memory."""
    FAILED = "failed", "bad", marked("failed")
    """An error ended it. The driver of the loop sets this, not the loop."""
    SNAPSHOT = "snapshot", "neutral", marked("snapshot")
    """It is a copy of a run in training. No run ends in this way."""

    def __new__(cls, name: str, news: News, words: str) -> Self:
        """Make a string that knows what kind of news it is, and its words."""
        ending = str.__new__(cls, name)
        ending._value_ = name
        ending.news, ending.words = news, words
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

    @property
    def in_words(self) -> str:
        """What a reader is told, in the language that is spoken."""
        return say(self.words)

    def __repr__(self) -> str:
        """Return the name as a plain string has it, so that ``run.reason`` shows ``'epochs'``."""
        return repr(self.value)


def state_in_words(state: str) -> str:
    """Return the words for an ending by its name; for another state, what is said of it.

    Parameters
    ----------
    state
        The name of an ending, or a text such as ``not ended``.
    """
    known = next((ending for ending in Ending if ending == state), None)
    return say(state) if known is None else known.in_words
