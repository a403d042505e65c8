"""The view ``ablate``: how many nats each unit, or group of units, is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnn_magics.decoding.prefix import Trained, reading_of, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.interventions.groups import Group, groups_of
from rnn_magics.inspection.views.payload import AblatePayload, number, numbers, pack
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.inspection.views.unrolled import (
    Array,
    LayerConfig,
    Unrolled,
    input_vectors,
    read_text,
    require_readable,
    to_array,
    unroll,
)
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.options import Range, Spelling, option
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.vocab import encode_corpus

_FEWEST = 20  # tokens; of fewer, an interval over places means nothing
_ROWS = 64  # groups that are held at once
_NORMAL = 1.96  # standard errors in half of an interval of 95 %
_SHOWN = 20
_DRAWN = 24


_TITLES = {
    "held-out": marked(
        "ablate: to hold {group} costs most, {worth} nats a token of {nats};"
        " {tokens:,} held-out tokens"
    ),
    "training": marked(
        "ablate: to hold {group} costs most, {worth} nats a token of {nats};"
        " {tokens:,} training tokens"
    ),
    "text": marked(
        "ablate: to hold {group} costs most, {worth} nats a token of {nats};"
        " {tokens:,} tokens of the text"
    ),
}
_NAMES = {"unit": marked("unit"), "units": marked("units"), "layer": marked("layer")}


@dataclass(frozen=True, repr=False)
class AblateConfig(LayerConfig):
    """The options of the view ``ablate``."""

    tokens: int = option(
        1000, marked("number of held-out tokens read"), within=Range(_FEWEST, 20_000)
    )
    hold: str = option(
        "mean",
        marked("what a unit is held at: its mean over the text, or zero"),
        choices=lambda: list(HOLDS),
    )
    groups: str | None = option(
        None,
        marked(
            "units held together: a number of groups of neighbours, layers, or such as"
            " '3,17 0-7' (default: each unit alone)"
        ),
        spelling=Spelling(metavar="GROUPS", suggest=lambda: ["layers"]),
    )


@dataclass(frozen=True, repr=False, eq=False)
class Ablation(TextTrace):
    """How much worse each token is predicted while a unit, or a group of units, is held.

    Parameters
    ----------
    tokens, unknown
        Those of the text; none where the text of a corpus was read.
    groups
        What was held, one after the other; with single units, the group of place u is unit u.
    hold
        A name of `HOLDS`.
    nats
        -ln p of each token but the first with the model as it is, (num_tokens,).
    lost
        By how many nats each of them is predicted worse while a group is held, (num_groups,
        num_tokens), float32.
    worth
        The mean of that over the text, (num_groups,). Negative where the text is predicted better.
    error
        The standard error of that mean over places, (num_groups,).
    part
        ``held-out`` or ``training``, the part of the corpus that was read, or ``text``.
    """

    kind: ClassVar[str] = "ablate"

    groups: tuple[Group, ...]
    hold: str
    nats: Array
    lost: Array
    worth: Array
    error: Array
    part: str

    @property
    def num_tokens(self) -> int:
        """The number of tokens predicted."""
        return len(self.nats)

    @property
    def order(self) -> Array:
        """All groups, the one that is worth most first."""
        return np.argsort(-self.worth, kind="stable")

    @property
    def intervals(self) -> Array:
        """The interval of 95 % of each group's worth, (num_groups, 2), in nats a token.

        It treats the places of the text as independent draws.
        """
        half = _NORMAL * self.error
        return np.stack((self.worth - half, self.worth + half), axis=1)

    @property
    def title(self) -> str:
        """One line."""
        best = int(self.order[0])
        return say(
            _TITLES[self.part],
            group=self.groups[best],
            worth=f"{self.worth[best]:.4f}",
            nats=rounded(float(self.nats.mean())),
            tokens=self.num_tokens,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say("What each unit is worth")

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "By how many nats a token is predicted worse while a unit is held (at: {hold}), with"
            " the interval of 95 % over places.",
            hold=self.hold,
        )

    @property
    def measured(self) -> str:
        """What is held, as the name of a column."""
        return say(_NAMES[self.groups[0].kind])

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the groups that are worth most."""
        yield self.measured, say("nats a token"), "95 %"
        for place in self.order[:_SHOWN]:
            low, high = self.intervals[place]
            yield self.groups[place].name, f"{self.worth[place]:.4f}", f"{low:.4f} … {high:.4f}"

    def notes(self) -> Iterable[str]:
        """Say how many groups can be told from nothing."""
        told = int((np.abs(self.worth) > _NORMAL * self.error).sum())
        yield say(
            "worth something, since their interval leaves out 0: {told} of {groups}",
            told=told,
            groups=len(self.worth),
        )
        yield from super().notes()

    def to_data(self) -> AblatePayload:
        """Return what a front end draws: the groups that are worth most, with their places."""
        first = self.order[:_DRAWN]
        return {
            **self.head(),
            "part": self.part,
            "kind": self.groups[0].kind,
            "nats": number(float(self.nats.mean())),
            "num_tokens": self.num_tokens,
            "groups": [self.groups[place].name for place in first],
            "of": len(self.groups),
            "worth": numbers(self.worth[first]),
            "half": numbers(_NORMAL * self.error[first]),
            "lost": pack(self.lost[first] if self.tokens else self.lost[:0]),
        }


HOLDS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda states: states.mean(dim=0),
    "zero": lambda states: torch.zeros_like(states[0]),
}
"""What a unit is held at: from the states of the text, (num_tokens, num_hiddens), a value for each
unit, (num_hiddens,)."""


@torch.no_grad()
def inspect_ablate(
    run: Trained, passage: str | Corpus, config: AblateConfig | None = None
) -> Ablation:
    r"""Hold one unit or group after the other, and measure how much worse a text is predicted.

    .. math:: w_u = \frac{1}{T} \sum_t \left( -\ln q^u_t(x_{t+1}) + \ln p_t(x_{t+1}) \right)

    where p is the model and :math:`q^u` the model with :math:`h_u` held at its mean (or zero) from
    the first token on.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    passage
        A text; or a corpus, of which the held-out part is read, or the training part if nothing is
        held out.
    config
        The layer, the groups, the number of tokens, and what a unit is held at.

    Raises
    ------
    InspectionError
        If there is no such layer or unit, the text is too short, or the model is bidirectional.
    """
    config, model = config or AblateConfig(), run.model
    require_readable(model)
    groups = groups_of(model, config.groups, config.layer)
    tokens, unknown, ids, part = _read(run, passage, config.tokens + 1)
    if len(ids) <= _FEWEST:
        msg = say_number(
            len(ids),
            "the text has {tokens} token to read; an ablation needs more than {fewest}",
            "the text has {tokens} tokens to read; an ablation needs more than {fewest}",
            tokens=len(ids),
            fewest=_FEWEST,
        )
        raise InspectionError(msg)
    unrolled = unroll(model, input_vectors(model, ids))
    held = [HOLDS[config.hold](layer.states[0][1:]) for layer in unrolled]
    plain = _nats(model, ids, unrolled, [], held)[0]
    lost = torch.cat(
        [
            _nats(model, ids, unrolled, groups[first : first + _ROWS], held) - plain
            for first in range(0, len(groups), _ROWS)
        ]
    )  # (num_groups, num_tokens)
    return Ablation(
        tokens,
        unknown,
        tuple(groups),
        config.hold,
        to_array(plain),
        to_array(lost.float()),
        to_array(lost.mean(dim=1)),
        to_array(lost.std(dim=1) / lost.shape[1] ** 0.5),
        part,
    )


def _read(
    run: Trained, passage: str | Corpus, most: int
) -> tuple[list[Any], tuple[Any, ...], Tensor, str]:
    # The tokens of a text and those unknown; of either, the indices, and which part they are.
    if isinstance(passage, str):
        reading = read_text(run, passage)
        return reading.tokens[:most], reading.unknown, reading.ids[:most], "text"
    encoded = encode_corpus(corpus_as(reading_of(run), passage), vocab_of(run))
    part, source = (
        ("held-out", encoded.valid) if len(encoded.valid) else ("training", encoded.train)
    )
    ids = torch.from_numpy(np.asarray(source[:most]).astype(np.int64))
    return [], (), ids.to(run.model.output.weight.device), part


def _nats(
    model: RNNModel,
    ids: Tensor,
    unrolled: Sequence[Unrolled],
    groups: Sequence[Group],
    held: Sequence[Tensor],
) -> Tensor:
    # -ln p of each token after the first, (rows, num_tokens). In row i, the units of groups[i] are
    # held; without groups there is one row, in which nothing is. Layers below those are as before.
    layers, num = len(model.rnn.cells), max(1, len(groups))
    bottom = min((group.layer for group in groups), default=layers - 1)
    begin = model.rnn.begin_state(num, ids.device)
    above = unrolled[bottom].x[:-1, None]  # (num_tokens, 1, num_gates * num_hiddens)
    for layer in range(bottom, layers):
        cell = model.rnn.cells[layer]
        products = above if layer == bottom else cell.input_product(above)
        is_held = ids.new_zeros((num, cell.num_hiddens), dtype=torch.bool)
        for row, group in enumerate(groups):
            if group.layer == layer:
                is_held[row, list(group.units)] = True
        state = tuple(part[layer] for part in begin)
        outputs = []
        for step in products:
            state = cell(step.expand(num, -1), state)
            state = (torch.where(is_held, held[layer], state[0]), *state[1:])
            outputs.append(state[0])
        above = torch.stack(outputs)  # (num_tokens, num, num_hiddens)
    log_p = model.output(above).double().log_softmax(dim=-1)  # (num_tokens, num, vocab_size)
    targets = ids[1:, None, None].expand(-1, num, 1)
    nats: Tensor = -log_p.gather(-1, targets)[..., 0].t()
    return nats
