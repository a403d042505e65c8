"""The view ``ablate``: how many nats each unit is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rnn_magics.decoding.prefix import Trained, reading_of, vocab_of
from rnn_magics.digits import rounded
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.inspection.views.unrolled import (
    Array,
    LayerConfig,
    input_vectors,
    layer_of,
    require_readable,
    to_array,
    unroll,
)
from rnn_magics.language import marked, say
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.options import Range, option
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.vocab import encode_corpus

_FEWEST = 20  # tokens; of fewer, an interval over places means nothing
_ROWS = 64  # units that are held at once
_NORMAL = 1.96  # standard errors in half of an interval of 95 %
_SHOWN = 20


_TITLES = {
    "held-out": marked(
        "ablate: unit {unit} of layer {layer} is worth most, {worth} nats a token of {nats};"
        " {tokens:,} held-out tokens"
    ),
    "training": marked(
        "ablate: unit {unit} of layer {layer} is worth most, {worth} nats a token of {nats};"
        " {tokens:,} training tokens"
    ),
}
_CAPTIONS = {
    "mean": marked(
        "By how many nats a token is predicted worse while a unit is held at its mean, with the"
        " interval of 95 % over places."
    ),
    "zero": marked(
        "By how many nats a token is predicted worse while a unit is held at zero, with the"
        " interval of 95 % over places."
    ),
}


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


@dataclass(frozen=True, repr=False, eq=False)
class Ablation(Trace):
    """How much worse each token is predicted while a unit is held.

    Parameters
    ----------
    layer
        The layer.
    hold
        A name of `HOLDS`.
    num_tokens
        The number of tokens predicted.
    nats
        -ln p of each token with the model as it is, (num_tokens,).
    worth
        For each unit: by how many nats a token is predicted worse while it is held, the mean over
        the text, (num_hiddens,). Negative where the text is predicted better.
    error
        The standard error of that mean over places, (num_hiddens,).
    part
        ``held-out`` or ``training``: the part of the corpus that was read.
    """

    kind: ClassVar[str] = "ablate"

    layer: int
    hold: str
    num_tokens: int
    nats: Array
    worth: Array
    error: Array
    part: str

    @property
    def order(self) -> Array:
        """All units, the one that is worth most first."""
        return np.argsort(-self.worth, kind="stable")

    @property
    def intervals(self) -> Array:
        """The interval of 95 % of each unit's worth, (num_hiddens, 2), in nats a token.

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
            unit=best,
            layer=self.layer,
            worth=f"{self.worth[best]:.4f}",
            nats=rounded(float(self.nats.mean())),
            tokens=self.num_tokens,
        )

    @property
    def heading(self) -> str:
        """What stands above a picture."""
        return say("What each unit is worth")

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(_CAPTIONS[self.hold])

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the units that are worth most."""
        yield say("unit"), say("nats a token"), "95 %"
        for unit in self.order[:_SHOWN]:
            low, high = self.intervals[unit]
            yield str(unit), f"{self.worth[unit]:.4f}", f"{low:.4f} … {high:.4f}"

    def notes(self) -> Iterable[str]:
        """Say how many units can be told from nothing."""
        told = int((np.abs(self.worth) > _NORMAL * self.error).sum())
        yield say(
            "{told} of {units} units are worth something: their interval leaves out 0.",
            told=told,
            units=len(self.worth),
        )


HOLDS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda states: states.mean(dim=0),
    "zero": lambda states: torch.zeros_like(states[0]),
}
"""What a unit is held at: from the states of the text, (num_tokens, num_hiddens), a value for each
unit, (num_hiddens,)."""


@torch.no_grad()
def inspect_ablate(run: Trained, corpus: Corpus, config: AblateConfig | None = None) -> Ablation:
    r"""Hold one unit after the other, and measure how much worse held-out text is predicted.

    .. math:: w_u = \frac{1}{T} \sum_t \left( -\ln q^u_t(x_{t+1}) + \ln p_t(x_{t+1}) \right)

    where p is the model and :math:`q^u` the model with :math:`h_u` held at its mean (or zero) from
    the first token on.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    corpus
        The text; its held-out part is read, or the training part if nothing is held out.
    config
        The layer, the number of tokens, and what a unit is held at.

    Raises
    ------
    InspectionError
        If there is no such layer, the text is too short, or the model is bidirectional.
    """
    config, vocab, model = config or AblateConfig(), vocab_of(run), run.model
    require_readable(model)
    layer = layer_of(model, config.layer)
    encoded = encode_corpus(corpus_as(reading_of(run), corpus), vocab)
    part, source = (
        ("held-out", encoded.valid) if len(encoded.valid) else ("training", encoded.train)
    )
    ids = torch.from_numpy(np.asarray(source[: config.tokens + 1]).astype(np.int64))
    if len(ids) <= _FEWEST:
        msg = say(
            "the text has {tokens} tokens to read; an ablation needs more than {fewest}",
            tokens=len(ids),
            fewest=_FEWEST,
        )
        raise InspectionError(msg)
    ids = ids.to(model.output.weight.device)
    unrolled = unroll(model, input_vectors(model, ids))
    states = unrolled[layer].states[0][1:]  # (num_tokens + 1, num_hiddens)
    held = HOLDS[config.hold](states)
    plain = _nats(model, ids, layer, unrolled[layer].x, None, held)[0]
    units = torch.arange(model.config.num_hiddens, device=ids.device)
    lost = torch.cat(
        [
            _nats(model, ids, layer, unrolled[layer].x, rows, held) - plain
            for rows in torch.split(units, _ROWS)
        ]
    )  # (num_hiddens, num_tokens)
    return Ablation(
        layer,
        config.hold,
        len(ids) - 1,
        to_array(plain),
        to_array(lost.mean(dim=1)),
        to_array(lost.std(dim=1) / lost.shape[1] ** 0.5),
        part,
    )


def _nats(
    model: RNNModel, ids: Tensor, layer: int, x: Tensor, units: Tensor | None, held: Tensor
) -> Tensor:
    # -ln p of each token after the first, (rows, num_tokens); in row i unit units[i] is held.
    cell, num = model.rnn.cells[layer], 1 if units is None else len(units)
    rows = torch.arange(num, device=ids.device)
    state: State = (x.new_zeros(num, cell.num_hiddens),) * cell.num_states
    outputs = []
    for step in x[:-1]:  # (num_gates * num_hiddens,)
        state = cell(step.expand(num, -1), state)
        if units is not None:
            hidden = state[0].clone()
            hidden[rows, units] = held[units]
            state = (hidden, *state[1:])
        outputs.append(state[0])
    above = torch.stack(outputs)  # (num_tokens, num, num_hiddens)
    for upper in model.rnn.cells[layer + 1 :]:
        products = upper.input_product(above)
        state = (x.new_zeros(num, upper.num_hiddens),) * upper.num_states
        outputs = []
        for step in products:
            state = upper(step, state)
            outputs.append(state[0])
        above = torch.stack(outputs)
    log_p = model.output(above).double().log_softmax(dim=-1)  # (num_tokens, num, vocab_size)
    targets = ids[1:, None, None].expand(-1, num, 1)
    nats: Tensor = -log_p.gather(-1, targets)[..., 0].t()
    return nats
