"""The view ``diff``: two runs read one text, and the surprise of one is taken from the other's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from rnn_magics.decoding.prefix import Trained, reading_of, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views import payload
from rnn_magics.inspection.views.corpus_states import PlacesConfig
from rnn_magics.inspection.views.match import apart
from rnn_magics.inspection.views.payload import DiffPayload, number, numbers, words
from rnn_magics.inspection.views.surprise import inspect_surprise
from rnn_magics.inspection.views.trace import TextTrace, joined
from rnn_magics.inspection.views.unrolled import Array, require_readable
from rnn_magics.language import marked, say
from rnn_magics.options import Range, option
from rnn_magics.results import quoted, visible
from rnn_magics.scores.evaluation import token_log_probs
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.vocab import Vocab, encode_corpus

_NORMAL = 1.96  # standard errors in half of an interval of 95 %
_LONGEST = 1000  # tokens of a passage

_TITLES = {
    "held-out": marked(
        "diff: {better} is better than {worse} by {gain:.3f} ± {half:.3f} bits a token on"
        " {tokens:,} held-out tokens"
    ),
    "training": marked(
        "diff: {better} is better than {worse} by {gain:.3f} ± {half:.3f} bits a token on"
        " {tokens:,} training tokens"
    ),
}


@dataclass(frozen=True, repr=False)
class DiffConfig(PlacesConfig):
    """The options of the view ``diff``."""

    width: int = option(
        20, marked("tokens of the passages that are compared"), within=Range(1, _LONGEST)
    )


@dataclass(frozen=True, repr=False, eq=False)
class Passage:
    """A stretch of a text on which one run is better.

    Parameters
    ----------
    first, last
        Its tokens in the text are [first, last).
    start
        The number of the first token of the context.
    tokens
        The context.
    values
        The bits of the first run less those of the second, for each token of the context,
        (len(tokens),).
    """

    first: int
    last: int
    start: int
    tokens: list[Any]
    values: Array

    @property
    def focus(self) -> tuple[int, int]:
        """Its indices in `tokens`, [first, last)."""
        return self.first - self.start, self.last - self.start

    @property
    def gain(self) -> float:
        """By how many bits the first run is more surprised by it than the second."""
        first, last = self.focus
        return float(self.values[first:last].sum())


@dataclass(frozen=True, repr=False, eq=False)
class Diff(TextTrace):
    """How the surprise of two runs differs.

    Parameters
    ----------
    tokens
        The tokens of the text, as both models read them.
    unknown
        The tokens that were read as ``<unk>``.
    runs
        The names of the two runs.
    bits
        -log2 p of each token, of the first run and of the second, (2, num_tokens); nan for the
        first token, which is not predicted.
    part
        ``held-out`` or ``training``: the part of the corpus that was searched.
    searched
        The number of its tokens that were predicted.
    gain
        By how many bits a token the second run predicts that part better than the first.
    error
        The standard error of that over places, which are taken for independent.
    passages
        The passages on which the first run is better by most, then those of the second. Those of
        one run do not overlap.
    """

    kind: ClassVar[str] = "diff"

    runs: tuple[str, str]
    bits: Array
    part: str
    searched: int
    gain: float
    error: float
    passages: tuple[list[Passage], list[Passage]]

    @property
    def title(self) -> str:
        """One line."""
        worse, better = self.runs if self.gain >= 0 else self.runs[::-1]
        return say(
            _TITLES[self.part],
            better=better,
            worse=worse,
            gain=abs(self.gain),
            half=_NORMAL * self.error,
            tokens=self.searched,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        first, second = self.runs
        return say("Where {first} and {second} are surprised", first=first, second=second)

    @property
    def caption(self) -> str:
        """How to read it."""
        first, second = self.runs
        return say(
            "The surprise of {first} less that of {second}, in bits: blue where {first} expected a"
            " token more, red where {second} did.",
            first=first,
            second=second,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each token its bits by both runs."""
        yield say("token"), *self.runs, say("difference")
        for token, first, second in zip(self.tokens, *self.bits, strict=True):
            if math.isnan(first):
                yield quoted(token), "", "", ""
            else:
                yield quoted(token), f"{first:.2f}", f"{second:.2f}", f"{first - second:+.2f}"

    def notes(self) -> Iterable[str]:
        """Return the passages that differ most."""
        for run, found in zip(self.runs, self.passages, strict=True):
            if found:
                yield say("{run} is better by most on:", run=run)
            for each in found:
                first, last = each.focus
                yield say(
                    "{bits} bits at {place:,}: {text}",
                    bits=rounded(abs(each.gain), 1),
                    place=each.first,
                    text=visible(joined(each.tokens[first:last])),
                )
        yield from super().notes()

    def to_data(self) -> DiffPayload:
        """Return what a front end draws."""
        first, second = self.runs
        return {
            **self.head(),
            "runs": (visible(first), visible(second)),
            "bits": numbers(self.bits[0]),
            "other_bits": numbers(self.bits[1]),
            "part": self.part,
            "searched": self.searched,
            "passages": [[_packed(each) for each in found] for found in self.passages],
        }


def _packed(passage: Passage) -> payload.Passage:
    return {
        "start": passage.start,
        "tokens": words(passage.tokens),
        "focus": passage.focus,
        "gain": number(passage.gain),
        "values": numbers(passage.values),
    }


def inspect_diff(
    runs: Sequence[Trained], text: str, corpus: Corpus, config: DiffConfig | None = None
) -> Diff:
    r"""Compare how two runs are surprised by a text, and by the held-out part of a corpus.

    ::

        inspect_diff([gru, lstm], "the time machine", corpus).passages

    .. math:: d_t = \log_2 q(x_t \mid x_{<t}) - \log_2 p(x_t \mid x_{<t})

    where p is the first run and q the second. A passage is a stretch of the held-out part over
    which the sum of :math:`d_t` is large.

    Parameters
    ----------
    runs
        Two runs with one vocabulary, or anything with a model and a vocabulary.
    text
        The text that both read from a zero state.
    corpus
        The corpus; its held-out part is read, or the training part if nothing is held out.
    config
        How many passages, and how long.

    Raises
    ------
    InspectionError
        If there are not two runs, they have different vocabularies or read a text differently, a
        text is too short, or a model is bidirectional.
    """
    config = config or DiffConfig()
    if len(runs) != 2:  # noqa: PLR2004
        msg = say("diff compares two runs, not {number}", number=len(runs))
        raise InspectionError(msg)
    for run in runs:
        require_readable(run.model)
    vocab, names = _common_vocab(runs), _names(runs)
    looks = [inspect_surprise(run, text) for run in runs]
    read = [encode_corpus(corpus_as(reading_of(run), corpus), vocab) for run in runs]
    part = "held-out" if len(read[0].valid) else "training"
    ids, others = (
        np.asarray(each.valid if part == "held-out" else each.train)[: config.search + 1]
        for each in read
    )
    if looks[0].tokens != looks[1].tokens or not np.array_equal(ids, others):
        msg = say(
            "{first} and {second} read a text differently, since their texts were cleaned"
            " differently; there is no token by token",
            first=names[0],
            second=names[1],
        )
        raise InspectionError(msg)
    if len(ids) < 2:  # noqa: PLR2004
        msg = say("the corpus {corpus!r} has no text to compare", corpus=corpus.name)
        raise InspectionError(msg)
    bits = [_bits(run, vocab, ids) for run in runs]
    differs = bits[0] - bits[1]  # of the tokens from the second on
    return Diff(
        looks[0].tokens,
        looks[0].unknown,
        names,
        np.stack([look.bits for look in looks]),
        part,
        len(differs),
        float(differs.mean()),
        float(differs.std() / len(differs) ** 0.5),
        (
            _passages(vocab, ids, -differs, differs, config),
            _passages(vocab, ids, differs, differs, config),
        ),
    )


def _common_vocab(runs: Sequence[Trained]) -> Vocab:
    first, second = (vocab_of(run) for run in runs)
    if _tokens(first) != _tokens(second):
        msg = say(
            "the runs have different vocabularies, of {first:,} {kind} tokens and {second:,}"
            " {other} tokens: train both with one %vocab to compare them token by token",
            first=len(first),
            kind=first.token,
            second=len(second),
            other=second.token,
        )
        raise InspectionError(msg)
    return first


def _tokens(vocab: Vocab) -> tuple[str, set[Any]]:
    return vocab.token, {*vocab.to_tokens([*range(len(vocab))])}


def _names(runs: Sequence[Trained]) -> tuple[str, str]:
    named = [str(getattr(run, "name", "")) for run in runs]
    first, second = (name or say("run {number}", number=at) for at, name in enumerate(named, 1))
    return first, second


def _bits(run: Trained, vocab: Vocab, ids: Array) -> Array:
    # -log2 p of each token but the first; the run may number the tokens in another order.
    table = np.asarray(vocab_of(run)[vocab.to_tokens([*range(len(vocab))])], np.int64)
    own = torch.from_numpy(table[ids]).to(run.model.output.weight.device)
    return -token_log_probs(run.model, own).cpu().numpy() / math.log(2)


def _passages(
    vocab: Vocab, ids: Array, scores: Array, differs: Array, config: DiffConfig
) -> list[Passage]:
    # The stretches with the largest sums of scores; token t of the text has the score t - 1.
    width = min(config.width, len(scores))
    sums = np.convolve(scores, np.ones(width), mode="valid")
    values = np.concatenate(([np.nan], differs))
    found = []
    for place in apart(sums, config.num, width).tolist():
        if sums[place] <= 0:
            break
        first, last = place + 1, place + 1 + width
        start, end = max(0, first - config.margin), min(len(ids), last + config.margin)
        tokens = vocab.to_tokens(ids[start:end].tolist())
        found.append(Passage(first, last, start, tokens, values[start:end]))
    return found
