"""What an intervention does to a text: its surprise, its continuation, how long it is felt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import continued
from rnn_magics.decoding.prefix import Trained, as_read, vocab_of
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.interventions.changes import Intervention, no_place, parts_of
from rnn_magics.inspection.interventions.walk import Walk, walk
from rnn_magics.inspection.views.payload import EffectPayload, numbers, words
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.inspection.views.unrolled import Array, read_text, to_array
from rnn_magics.language import marked, say, say_number
from rnn_magics.options import NOT_NEGATIVE, SEED, Options, Range, option
from rnn_magics.results import quoted, shortened, visible

_HALF_LIFE = 0.5
_SMALL = 5e-4  # nats; three decimal places would show 0


@dataclass(frozen=True, repr=False, eq=False)
class Effect(TextTrace):
    """A text read, and continued, with and without interventions.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    changes
        The interventions.
    bits, changed_bits
        -log2 p of each token without and with them, (num_tokens,); nan for the first.
    logits, changed_logits
        The logits after each token, (num_tokens, vocab_size).
    felt
        Kullback-Leibler divergence of the prediction with them from that without, in nats, at lag
        0, 1, 2 ... after the first place at which one acts; (num_tokens - first,).
    written, changed_written
        What the model writes after the text, with the same random numbers.
    written_tokens, changed_written_tokens
        The same, token by token.
    """

    kind: ClassVar[str] = "effect"

    changes: tuple[Intervention, ...]
    bits: Array
    changed_bits: Array
    logits: Array
    changed_logits: Array
    felt: Array
    written: str
    changed_written: str
    written_tokens: list[Any]
    changed_written_tokens: list[Any]

    @property
    def half_life(self) -> int | None:
        """The first lag at which less than half of the largest effect is felt; None if none is."""
        peak = int(self.felt.argmax())
        low = [
            lag
            for lag in range(peak, len(self.felt))
            if self.felt[lag] < _HALF_LIFE * self.felt[peak]
        ]
        return low[0] if low else None

    @property
    def title(self) -> str:
        """One line."""
        told = {"kind": self.kind, "nats": _nats(self.felt[0]), "bits": f"{self.cost:+.2f}"}
        if self.half_life is None:
            return say(
                "{kind}: {nats} nats at once, over half of the most to the end of the text;"
                " {bits} bits on the text",
                **told,
            )
        return say_number(
            self.half_life,
            "{kind}: {nats} nats at once, over half of the most for {number} token;"
            " {bits} bits on the text",
            "{kind}: {nats} nats at once, over half of the most for {number} tokens;"
            " {bits} bits on the text",
            **told,
        )

    @property
    def cost(self) -> float:
        """By how many bits the text surprises more with the interventions."""
        return float((self.changed_bits - self.bits)[1:].sum())

    @property
    def heading(self) -> str:
        """What stands above a picture."""
        return say("How long a changed state is felt")

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "How far the prediction with the change is from that without it, in nats, at each token"
            " after it."
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each token its bits without and with the interventions."""
        yield say("token"), say("bits"), say("changed"), say("felt after it")
        before = len(self.tokens) - len(self.felt)
        for place, token in enumerate(self.tokens):
            felt = "" if place < before else _nats(self.felt[place - before])
            yield quoted(token), _bits(self.bits[place]), _bits(self.changed_bits[place]), felt

    def notes(self) -> Iterable[str]:
        """Return what is written without and with them."""
        if self.written or self.changed_written:
            for text, written in (
                (say("it goes on:"), self.written),
                (say("with the change:"), self.changed_written),
            ):
                yield f"{text} {visible(shortened(written, 200), keep='')}"
        yield from super().notes()

    def to_data(self) -> EffectPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "bits": numbers(self.bits),
            "changed_bits": numbers(self.changed_bits),
            "felt": numbers(self.felt),
            "written": words(self.written_tokens),
            "changed_written": words(self.changed_written_tokens),
        }


def _bits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def _nats(value: float) -> str:
    return f"{value:.3f}" if value >= _SMALL or value == 0 else f"{value:.1e}"


@dataclass(frozen=True, repr=False)
class PatchConfig(Options):
    """The options of a patch."""

    place: int | None = option(
        None,
        marked("the place in the second text, from 0 (default: its last token)"),
        within=NOT_NEGATIVE,
    )
    length: int = option(100, marked("tokens to write after the text"), within=Range(0, 1000))
    seed: int = option(
        0, marked("seed of the offset and the shuffle of the epoch, or of the draws"), within=SEED
    )


def intervene(
    run: Trained,
    text: str,
    changes: Sequence[Intervention],
    config: DecodingConfig | None = None,
) -> Effect:
    r"""Read a text with and without interventions, and go on with it.

    ::

        held = Intervention("h", units=[17], value=1.0, first=4)
        intervene(run, "the time machine", [held], DecodingConfig(length=50)).changed_written

    .. math:: D_t = \sum_i p_i \ln \frac{p_i}{q_i}

    is what is felt at a place, where p is the prediction without and q the one with them.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads from a zero state.
    changes
        At least one intervention.
    config
        How the model goes on; None to write nothing.

    Raises
    ------
    InspectionError
        If there is no such layer, part, unit or place, or the model is bidirectional.
    """
    return _effect(Effect, run, text, changes, config)


@dataclass(frozen=True, repr=False, eq=False)
class Patch(Effect):
    """A text read with a state that was taken from another text; see `Effect`."""

    kind: ClassVar[str] = "patch"


def inspect_patch(run: Trained, text: str, into: str, config: PatchConfig | None = None) -> Patch:
    r"""Take the state after one text, and put it into another.

    .. math:: h^B_j \leftarrow h^A_{|A|}

    for every layer and every part of the state.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text A, after which the state is taken.
    into
        The text B, which is read with the state put in after its token j.
    config
        The place j, and how far the model goes on.

    Raises
    ------
    InspectionError
        If the text has no such place, one of them has no tokens, or the model is bidirectional.
    """
    config = config or PatchConfig()
    source, target = read_text(run, text), read_text(run, into)
    place = len(target) - 1 if config.place is None else config.place
    if place >= len(target):
        msg = no_place(place, len(target))
        raise InspectionError(msg)
    taken = walk(run.model, source.ids.cpu())
    units = range(run.model.config.num_hiddens)
    changes = [
        Intervention(name, units, "set", part[-1].tolist(), layer, place, place + 1)
        for layer, state in enumerate(taken.states)
        for name, part in zip(parts_of(run.model.rnn.cells[layer]), state, strict=True)
    ]
    going = DecodingConfig(length=config.length, seed=config.seed) if config.length else None
    return _effect(Patch, run, into, changes, going)


_E = TypeVar("_E", bound=Effect)


def _effect(
    kind: type[_E],
    run: Trained,
    text: str,
    changes: Sequence[Intervention],
    config: DecodingConfig | None,
) -> _E:
    if not changes:
        msg = say("nothing is changed: name at least one intervention")
        raise InspectionError(msg)
    reading, vocab = read_text(run, text), vocab_of(run)
    ids = reading.ids.cpu()
    plain, changed = walk(run.model, ids, (), config), walk(run.model, ids, changes, config)
    size, first = len(ids), min(change.first for change in changes)
    if first >= size:
        msg = no_place(first, size)
        raise InspectionError(msg)
    p, q = (one.logits[first:size].log_softmax(dim=-1) for one in (plain, changed))
    felt = (p.exp() * (p - q)).sum(dim=-1).clamp(min=0)

    written, changed_written = (
        vocab.to_tokens(one.ids[size:].tolist()) for one in (plain, changed)
    )

    def joined(tokens: list[Any]) -> str:
        return "".join(continued(vocab, as_read(run, text), [], tokens)) if tokens else ""

    return kind(
        reading.tokens,
        reading.unknown,
        tuple(changes),
        _in_bits(plain, size),
        _in_bits(changed, size),
        to_array(plain.logits[:size]),
        to_array(changed.logits[:size]),
        to_array(felt),
        joined(written),
        joined(changed_written),
        written,
        changed_written,
    )


def _in_bits(one: Walk, size: int) -> Array:
    nats = one.nats[: size - 1].double()
    nan = torch.full((1,), math.nan, dtype=torch.float64)
    return to_array(torch.cat((nan, nats)) / math.log(2))
