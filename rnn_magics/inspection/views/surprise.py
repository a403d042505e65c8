"""The view ``surprise``: -log2 p of every token, and the tokens expected in its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from rnn_magics.decoding.prefix import Trained, nats_of, read_tokens, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.inspection.views.payload import (
    Alternative,
    SurprisePayload,
    number,
    numbers,
)
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.inspection.views.unrolled import Array, read_text, to_array
from rnn_magics.language import say, say_number
from rnn_magics.options import AT_LEAST_ONE, Options, option
from rnn_magics.results import brief, quoted
from rnn_magics.scores.evaluation import perplexity

_SHOWN = 3


@dataclass(frozen=True, repr=False)
class SurpriseConfig(Options):
    """The options of the view ``surprise``."""

    top: int = option(5, "number of alternatives to each token", within=AT_LEAST_ONE)


@dataclass(frozen=True, repr=False, eq=False)
class Surprise(TextTrace):
    """How every token surprises a model, and what was expected in its place.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    bits
        -log2 p of each token given the tokens before it, (num_tokens,); nan for the first, which is
        not predicted.
    entropy
        The entropy of each prediction in bits, (num_tokens + 1,); nan for the first token. The last
        entry is for the token after the text.
    alternatives
        The most probable tokens at each position, num_tokens + 1 lists; empty for the first.
    probabilities
        Their probabilities, (num_tokens + 1, num_alternatives); nan for the first.
    """

    kind: ClassVar[str] = "surprise"

    bits: Array
    entropy: Array
    alternatives: list[list[Any]]
    probabilities: Array

    @property
    def perplexity(self) -> float:
        """The perplexity over the tokens from the second on."""
        return perplexity(float(self.bits[1:].mean()) * math.log(2))

    @property
    def title(self) -> str:
        """One line."""
        return say_number(
            len(self.tokens) - 1,
            "surprise: perplexity {perplexity} over {number} token",
            "surprise: perplexity {perplexity} over {number} tokens",
            perplexity=rounded(self.perplexity, 2),
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say(
            "Surprise of each token; perplexity {perplexity}",
            perplexity=rounded(self.perplexity, 2),
        )

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "The darker a token, the less the model expected it: -log2 p, in"
            " bits. The first token is not predicted."
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each token its bits and the likeliest three in its place."""
        yield say("token"), say("bits"), say("top {number}", number=_SHOWN)
        for place, (token, bits) in enumerate(zip(self.tokens, self.bits, strict=True)):
            yield quoted(token), "" if math.isnan(bits) else f"{bits:.2f}", self._expected(place)
        yield say("(next)"), "", self._expected(len(self.tokens))

    def _expected(self, place: int) -> str:
        pairs = zip(self.alternatives[place], self.probabilities[place], strict=False)
        return "  ".join(f"{quoted(token)} {p:.0%}" for token, p in list(pairs)[:_SHOWN])

    def to_data(self) -> SurprisePayload:
        """Return what a front end draws."""
        expected: list[list[Alternative]] = [
            [
                {"token": brief(token), "p": number(p)}
                for token, p in zip(tokens, chances, strict=False)
            ]
            for tokens, chances in zip(self.alternatives, self.probabilities, strict=True)
        ]
        return {
            **self.head(),
            "bits": numbers(self.bits),
            "entropy": numbers(self.entropy[:-1]),
            "alternatives": expected[:-1],
            "next": expected[-1],
            "perplexity": number(self.perplexity),
        }


def inspect_surprise(run: Trained, text: str, config: SurpriseConfig | None = None) -> Surprise:
    r"""Return the surprise of each token of a text, read from a zero state.

    .. math:: s_t = -\log_2 p(x_t \mid x_{<t})

    The bits are those of `rnn_magics.score_text`.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads.
    config
        The number of alternatives.

    Raises
    ------
    InspectionError
        If the text has fewer than two tokens or too many, or the model is bidirectional.
    """
    config = config or SurpriseConfig()
    reading, vocab = read_text(run, text, at_least=2), vocab_of(run)
    logits = read_tokens(run.model, reading.ids[None])[0][0]  # (num_tokens, vocab_size)
    bits = [math.nan, *(n / math.log(2) for n in nats_of(logits[:-1], reading.ids[1:].cpu()))]
    log_p = logits.log_softmax(dim=-1)
    probabilities, ids = log_p.exp().topk(min(config.top, len(vocab)), dim=-1)
    entropy = torch.special.entr(log_p.exp()).sum(dim=-1) / math.log(2)
    return Surprise(
        reading.tokens,
        reading.unknown,
        to_array(torch.tensor(bits)),
        to_array(torch.cat((torch.full((1,), math.nan), entropy))),
        [[], *vocab.to_tokens(ids.tolist())],
        to_array(torch.cat((torch.full_like(probabilities[:1], math.nan), probabilities))),
    )
