"""Beam search: the most probable text instead of a sampled one."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import torch

from rnn_magics.decoding.decoders import DecodingConfig, offered
from rnn_magics.decoding.mask import Fitted, Place, cost, masked
from rnn_magics.decoding.prefix import Prefix, read_tokens, select_rows
from rnn_magics.models.rnn_model import RNNModel


@dataclass(frozen=True)
class Candidate:
    """A text that the search keeps: its last token, and the candidate that it extends.

    With a form it has a place in the form, and what the form has cost.
    """

    index: int
    log_prob: float
    total: float
    length: int
    before: Candidate | None
    place: Place | None = None
    form_nats: float = 0.0

    def written(self) -> tuple[list[int], list[float]]:
        """Return the tokens of the text, and the log-probability of each."""
        steps: list[tuple[int, float]] = []
        last: Candidate | None = self
        while last is not None:
            steps.append((last.index, last.log_prob))
            last = last.before
        indices, log_probs = zip(*reversed(steps), strict=True)
        return [*indices], [*log_probs]


def beam_search(
    model: RNNModel,
    prefix: Prefix,
    config: DecodingConfig,
    stops: Collection[int] = (),
    form: Fitted | None = None,
) -> tuple[list[int], list[float], float]:
    r"""Search for the most probable continuation, keeping the best `config.beam` at each step.

    .. math:: \operatorname{argmax}_{x_{1:n}} \frac{1}{n} \sum_{t=1}^{n} \ln p(x_t \mid x_{<t})

    A text that reaches a stop token, or has its form, is finished. Texts of different lengths are
    compared by their mean log-probability.

    Returns
    -------
    indices : list of int
    log_probs : list of float
        The log-probability of each token under the model.
    form_nats : float
        What the form cost.
    """
    width = config.beam or 1
    beams: list[Candidate | None] = [None]  # the empty text
    finished: list[Candidate] = []
    logits, state = prefix.logits, prefix.state
    for step in range(1, config.length + 1):
        log_probs = logits.log_softmax(dim=-1)  # (num_beams, vocab_size)
        sums = torch.tensor([beam.total if beam else 0.0 for beam in beams], dtype=torch.float64)
        left, costs = offered(log_probs, config, model.marks), torch.zeros(len(beams))
        if form:
            masks = torch.stack([form.allowed(_place(beam, form)) for beam in beams])
            left, costs = masked(log_probs, masks), cost(log_probs, masks)
        totals = (left.double() + sums[:, None]).flatten()
        _, best = totals.topk(min(2 * width, len(totals)))
        grown: list[Candidate] = []
        parents: list[int] = []
        for found in best.tolist():
            parent, index = divmod(found, log_probs.shape[-1])
            if totals[found] == -math.inf:
                break  # a token that is excluded, and nothing better follows
            before = beams[parent]
            log_prob, total = log_probs[parent, index].item(), totals[found].item()
            place = form.after(_place(before, form), index) if form else None
            nats = costs[parent].item() + (before.form_nats if before else 0.0)
            candidate = Candidate(index, log_prob, total, step, before, place, nats)
            if index in stops or (form and place and form.is_done(place)):
                finished.append(candidate)
            elif len(grown) < width:
                grown.append(candidate)
                parents.append(parent)
        beams = [*grown]
        if step == config.length:
            break
        if not beams or len(finished) >= width:
            beams = []  # unfinished texts are not results
            break
        state = select_rows(state, torch.tensor(parents))
        logits, state = read_tokens(model, torch.tensor([[beam.index] for beam in grown]), state)
        logits = logits[:, -1]
    ended = [*finished, *(beam for beam in beams if beam)]
    chosen = max(ended, key=lambda beam: beam.total / beam.length)
    return *chosen.written(), chosen.form_nats


def _place(beam: Candidate | None, form: Fitted) -> Place:
    return beam.place if beam and beam.place else form.begin
