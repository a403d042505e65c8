"""Decoders: how the next token is chosen.

A decoder chooses the next token of every row from its logits. To add one, write the function and a
line in `DECODERS`. Beam search chooses whole texts, so it has its own module,
`rnn_magics.decoding.beam`.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.options import AT_LEAST_ONE, NOT_NEGATIVE, SEED, Options, Range, Spelling, option
from rnn_magics.text.documents import Marks
from rnn_magics.text.vocab import Vocab

MOST_CANDIDATES = 1000
"""Of a beam search. Each is a row of logits, 8 bytes a token of the vocabulary, and each costs a
step of the model for every token of the text."""
_DRAWN_SEEDS = 1 << 32  # torch's generator on the CPU reads 32 bits of its seed


@dataclass(frozen=True, repr=False)
class DecodingConfig(Options):
    """How text is generated."""

    length: int = option(200, "tokens to write", within=AT_LEAST_ONE, label="Length")
    decoder: str = option(
        "draw", "how the next token is chosen", choices=lambda: list(DECODERS), label="Decoder"
    )
    greedy: bool = option(False, "always take the most probable token", label="Greedy")
    temperature: float = option(
        0.8,
        "below 1 favours the probable tokens, above 1 the improbable ones; 0 is greedy",
        within=NOT_NEGATIVE,
        label="Temperature",
    )
    top_k: int | None = option(
        None,
        "draw from the k most probable tokens, or from all if there are fewer",
        within=AT_LEAST_ONE,
        label="Top-k",
    )
    top_p: float | None = option(
        None,
        "draw from the fewest tokens whose probabilities add up to p",
        within=Range(0, 1, open_left=True),
        label="Top-p",
    )
    beam: int | None = option(
        None,
        "search for the most probable text, keeping this many candidates",
        within=Range(1, MOST_CANDIDATES),
        label="Beam width",
    )
    stop: str | None = option(
        None, "end after this token", label="Stop token", spelling=Spelling(metavar="TOKEN")
    )
    seed: int | Literal["random"] = option(
        0,
        "seed of the draws; random draws one, and the result says which",
        within=SEED,
        label="Seed",
    )
    no_unk: bool = option(False, "never write <unk>", label="No unknown tokens")

    def __post_init__(self) -> None:
        """Check each value, and that the values do not contradict each other."""
        super().__post_init__()
        if self.seed == "random":
            object.__setattr__(self, "seed", secrets.randbelow(_DRAWN_SEEDS))
        if self.greedy:
            if self.decoder not in ("draw", "greedy"):
                raise ConfigError(
                    say(
                        "greedy and decoder {decoder!r} exclude each other; leave out one",
                        decoder=self.decoder,
                    )
                )
            object.__setattr__(self, "decoder", "greedy")
        drawing = [name for name in ("temperature", "top_k", "top_p") if name in self.changed()]
        if self.decoder == "greedy" and self.temperature == 0:  # which says the same
            drawing.remove("temperature")
        other = "beam" if self.beam else "greedy" if self.decoder == "greedy" else None
        if other and drawing:
            raise ConfigError(
                say(
                    "{other} draws nothing, so {drawing} has no effect; leave out one of them",
                    other=other,
                    drawing=drawing[0],
                )
            )
        if self.beam and self.decoder != "draw":
            raise ConfigError(
                say(
                    "beam and {decoder} exclude each other; leave out one of them",
                    decoder=self.decoder,
                )
            )

    @property
    def draws(self) -> bool:
        """Whether chance decides, and so the seed."""
        return not (self.beam or self.decoder == "greedy" or self.temperature == 0)

    def of_text(self, place: int) -> DecodingConfig:
        """Return the configuration of one of several texts: the seeds are consecutive."""
        text = copy(self)  # not `replace`, which would check all values again for each text
        object.__setattr__(text, "seed", (int(self.seed) + place) % int(SEED.high))
        return text


Decoder = Callable[[Tensor, DecodingConfig, Tensor], Tensor]


def greedy(logits: Tensor, _config: DecodingConfig, _u: Tensor) -> Tensor:
    r"""Take the most probable token of every row.

    .. math:: x_t = \operatorname{argmax}_i o_i
    """
    return logits.argmax(dim=-1)


def draw(logits: Tensor, config: DecodingConfig, u: Tensor) -> Tensor:
    r"""Draw from the softmax at a temperature, cut to the top k and the top p.

    .. math:: p_i = \frac{\exp(o_i / T)}{\sum_j \exp(o_j / T)}

    Top-p is the nucleus of Holtzman et al. (2020): the most probable tokens, up to and including
    the one with which their probabilities reach p. The token drawn is the first whose cumulative
    share exceeds `u` of the total. At temperature 0, the limit, it is the most probable one.
    """
    if config.temperature == 0:
        return greedy(logits, config, u)
    logits = logits.double()  # so that rounding does not decide a draw
    largest = logits.max(dim=-1, keepdim=True).values
    shares = ((logits - largest) / config.temperature).exp()  # (num_rows, vocab_size), at most 1
    if config.top_k is not None or config.top_p is not None:
        # Of equally probable tokens the one with the smaller index comes first.
        places = logits.sort(dim=-1, descending=True, stable=True).indices
        ordered = shares.gather(-1, places)
        if config.top_k is not None:
            ordered[:, min(config.top_k, logits.shape[-1]) :] = 0
        if config.top_p is not None:
            reached = ordered.cumsum(dim=-1)
            ordered[reached - ordered >= config.top_p * reached[:, -1:]] = 0
        shares = torch.empty_like(shares).scatter_(-1, places, ordered)
    reached = shares.cumsum(dim=-1)
    drawn = torch.searchsorted(reached, u.double()[:, None] * reached[:, -1:], right=True)
    return drawn[:, 0].clamp(max=logits.shape[-1] - 1)  # logits that are nan exceed nothing


DECODERS: dict[str, Decoder] = {
    "draw": draw,
    "greedy": greedy,
}
"""``decoder(logits, config, u)`` returns the index of the next token of each row, (num_rows,).

`logits` are (num_rows, vocab_size), float32, on the CPU; `u` holds a random number in [0, 1) for
each row, (num_rows,), float64. A decoder is a pure function: `u` is its only source of chance."""


def offered(logits: Tensor, config: DecodingConfig, marks: Marks | None = None) -> Tensor:
    """Return the logits that a decoder receives: without ``<unk>`` where it is excluded.

    That a document begins is read, never written, so ``<bos>`` is excluded always.

    Parameters
    ----------
    logits
        Those of the model, (num_rows, vocab_size); they are not changed.
    config
        How the tokens are chosen.
    marks
        The indices that mark documents; None if the model knows no documents.
    """
    excluded = [Vocab.unk] * config.no_unk + ([] if marks is None else [marks.begin])
    return logits.index_fill(-1, torch.tensor(excluded), -math.inf) if excluded else logits
