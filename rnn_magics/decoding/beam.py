"""Beam search: the most probable text instead of a sampled one."""

from __future__ import annotations

import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.prefix import Prefix, read_tokens, select_rows
from rnn_magics.models.rnn_model import RNNModel


def beam_search(
    model: RNNModel, prefix: Prefix, config: DecodingConfig, stop: int | None = None
) -> tuple[list[int], list[float]]:
    r"""Search for the most probable continuation, keeping the best `config.beam` at each step.

    .. math:: \operatorname{argmax}_{x_{1:n}} \frac{1}{n} \sum_{t=1}^{n} \ln p(x_t \mid x_{<t})

    A text that reaches the stop token is finished. Texts of different lengths are compared by their
    mean log-probability.

    Returns
    -------
    indices : list of int
    log_probs : list of float
        The log-probability of each token under the model.
    """
    width = config.beam or 1
    beams: list[tuple[list[int], list[float]]] = [([], [])]
    finished: list[tuple[list[int], list[float]]] = []
    logits, state = prefix.logits, prefix.state
    for step in range(config.length):
        log_probs = logits.log_softmax(dim=-1)  # (num_beams, vocab_size)
        sums = torch.tensor([sum(scores) for _, scores in beams], dtype=torch.float64)
        totals = (log_probs.double() + sums[:, None]).flatten()
        _, best = totals.topk(min(2 * width, len(totals)))
        grown: list[tuple[list[int], list[float]]] = []
        parents: list[int] = []
        for place in best.tolist():
            parent, index = divmod(place, log_probs.shape[-1])
            indices, scores = beams[parent]
            beam = ([*indices, index], [*scores, log_probs[parent, index].item()])
            if index == stop:
                finished.append(beam)
            elif len(grown) < width:
                grown.append(beam)
                parents.append(parent)
        beams = grown
        if step + 1 == config.length:
            break
        if not beams or len(finished) >= width:
            beams = []  # unfinished texts are not results
            break
        state = select_rows(state, torch.tensor(parents))
        last = torch.tensor([[indices[-1]] for indices, _ in beams])
        logits, state = read_tokens(model, last, state)
        logits = logits[:, -1]
    return max(finished + beams, key=lambda beam: sum(beam[1]) / len(beam[1]))
