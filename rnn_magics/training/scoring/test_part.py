"""The test part of a run: what nothing was chosen by, scored once, when a training ends."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.text.counts import TextCounts


@dataclass(frozen=True)
class TestPart:
    """The test part of the text of a run.

    Parameters
    ----------
    num_tokens
        Its length in tokens.
    nats
        Mean nats per token under the weights that the run has at its end; None before.
    counts
        Counts of its unknown tokens and words; None without a vocabulary.
    """

    __test__ = False  # pytest takes it for tests otherwise

    num_tokens: int
    nats: float | None = None
    counts: TextCounts | None = None

    @property
    def perplexity(self) -> float | None:
        """The test perplexity; None before it is scored."""
        return None if self.nats is None else perplexity(self.nats)

    @property
    def bits(self) -> float | None:
        """Bits per token of the test part; None before it is scored."""
        return None if self.nats is None else bits_per_token(self.nats)
