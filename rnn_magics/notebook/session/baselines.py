"""The baselines of a split, fitted once, on their own thread.

The fit draws no random numbers, so a seed gives the same run with baselines and without.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from rnn_magics.errors import RNNMagicsError
from rnn_magics.language import say

if TYPE_CHECKING:  # a session exists before torch is imported
    from rnn_magics.batching import Batches
    from rnn_magics.scores.ladder import Ladder
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.text.vocab import Vocab

_PATIENCE_SECONDS = 30


class HasLadder(Protocol):
    """A run or a sweep, which baselines are compared with."""

    ladder: Ladder | None


class BaselineFit:
    """A ladder that is being fitted; each run that waits for it receives it.

    Parameters
    ----------
    corpus, vocab
        The text, and the vocabulary that indexes it.
    """

    def __init__(self, corpus: Corpus, vocab: Vocab) -> None:
        self.note = say("the baselines are still being fitted: see run.ladder later")
        self._ladder: Ladder | None = None
        self._runs: list[HasLadder] = []
        self._lock = threading.Lock()  # a run may be attached while the fit ends
        self._thread = threading.Thread(
            target=self._fit, args=(corpus, vocab), name="baselines", daemon=True
        )
        self._thread.start()

    def attach(self, run: HasLadder) -> None:
        """Give the ladder to a run or a sweep, now or when the fit ends."""
        with self._lock:
            self._runs.append(run)
            run.ladder = self._ladder

    def wait(self) -> None:
        """Wait for the fit to end, at most half a minute."""
        self._thread.join(_PATIENCE_SECONDS)

    def _fit(self, corpus: Corpus, vocab: Vocab) -> None:
        from rnn_magics.scores.ladder import fit_ladder  # noqa: PLC0415  (torch is already imported)

        ladder, note = None, ""
        try:
            ladder = fit_ladder(corpus, vocab)
        except RNNMagicsError as error:
            note = say("no baselines: {error}", error=error)
        except MemoryError:
            note = say("no baselines: there is not enough memory to count the n-grams of this text")
        with self._lock:
            self._ladder, self.note = ladder, note
            for run in self._runs:
                run.ladder = ladder
            self._runs.clear()


class Baselines:
    """The baseline fits of a session, one for each split."""

    def __init__(self) -> None:
        self._fits: dict[tuple[str, str, str, str], BaselineFit] = {}

    def fit(self, batches: Batches) -> BaselineFit | None:
        """Return the fit of a split, started if necessary; None without a corpus or vocabulary."""
        corpus, vocab = batches.corpus, batches.vocab
        if corpus is None or vocab is None:
            return None
        key = (corpus.fingerprint, repr(corpus.config), vocab.token, vocab.fingerprint)
        if key not in self._fits:
            self._fits[key] = BaselineFit(corpus, vocab)
        return self._fits[key]
