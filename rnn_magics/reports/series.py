"""How well a run predicts a series 1, 4, 16 and 64 steps ahead, beside simple rules."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel, read
from rnn_magics.scores.evaluation import Evaluation
from rnn_magics.scores.series import (
    Ahead,
    Places,
    SeriesErrors,
    errors_of,
    origins,
    series_errors,
)
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import Levels, Series
from rnn_magics.text.series.values import Values
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.run import Run

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
NUM_PATHS = 32
_READ_BEFORE = 1024  # values before the first place, so that the state there is a carried one
_SEED = 0


def run_errors(run: Run, corpus: Corpus, score: Evaluation) -> SeriesErrors | None:
    r"""Compare the errors of a run on the held-out part of a series with those of simple rules.

    From each place the run draws 32 futures. Its prediction k steps ahead is the mean over them of
    what it expects of step k:

    .. math:: \hat{x}_{t+k} = \frac{1}{32} \sum_m \sum_\ell
        p(\ell \mid x_{\le t}, \tilde{x}^{(m)}_{t+1}, \dots, \tilde{x}^{(m)}_{t+k-1})\, v_\ell

    Parameters
    ----------
    run
        With a vocabulary.
    corpus
        A series, in the levels of the run.
    score
        The score of the run on the held-out part.

    Returns
    -------
    SeriesErrors or None
        None where nothing is held out, the series is too short, or the model is bidirectional.
    """
    theirs, series = series_errors(corpus), corpus.behind
    if theirs is None or not isinstance(series, Series) or run.model.config.bidirectional:
        return None
    assert run.vocab is not None  # noqa: S101  (it has read the corpus)
    values = series.values[: corpus.config.max_tokens]
    places, steps = origins(len(values), corpus.cut.num_train(len(values)))
    ids = run.vocab.indices(series.levels.of(values).tolist())
    stands_for = torch.from_numpy(values_of(run.vocab, series.levels))
    expected = expected_ahead(run.model, torch.from_numpy(ids), places, max(steps), stands_for)
    errors = errors_of(expected, values, places, steps)
    return theirs.with_row(Ahead(run.name, score.perplexity, errors))


def values_of(vocab: Vocab, levels: Levels) -> Values:
    """Return what each index of a vocabulary stands for, (vocab_size,); nan for no level."""
    return np.array([levels.value(token) for token in vocab.to_tokens(list(range(len(vocab))))])


def expected_ahead(
    model: RNNModel, ids: Tensor, places: Places, steps: int, stands_for: Tensor
) -> Floats:
    """Return what a model expects 1, 2, ... steps after each place, (num_places, steps).

    Parameters
    ----------
    model
        In one direction.
    ids
        The series as token indices, (num_tokens,).
    places
        The last token that is read, rising.
    steps
        How far to look ahead.
    stands_for
        What each index stands for, (vocab_size,); nan for an index that is never drawn.
    """
    device = model.output.weight.device
    is_level = ~stands_for.isnan().to(device)
    worth = stands_for.nan_to_num().to(device)
    logits, state = _read_up_to(model, ids.to(device), places)
    # Row i * NUM_PATHS + m is path m from place i.
    logits = logits.repeat_interleave(NUM_PATHS, dim=0)
    state = tuple(part.repeat_interleave(NUM_PATHS, dim=1) for part in state)
    generator = torch.Generator(device).manual_seed(_SEED)
    expected = np.empty((len(places), steps))
    for step in range(steps):
        chances = logits.double().masked_fill(~is_level, -torch.inf).softmax(dim=-1)
        means = (chances @ worth).view(len(places), NUM_PATHS).mean(dim=1)
        expected[:, step] = means.cpu().numpy()
        if step + 1 < steps:
            drawn = torch.multinomial(chances, 1, generator=generator)  # (num_rows, 1)
            after, state = read(model, drawn, state)
            logits = after[:, -1]
    return expected


def _read_up_to(model: RNNModel, ids: Tensor, places: Places) -> tuple[Tensor, State]:
    # The logits after each place, (num_places, vocab_size), and the states, a row for each place.
    begin = max(int(places[0]) - _READ_BEFORE, 0)
    ends = [int(place) + 1 for place in places]
    logits, states, state = [], [], None
    for first, last in zip([begin, *ends], ends, strict=False):
        after, state = read(model, ids[None, first:last], state)
        logits.append(after[:, -1])
        states.append(state)
    parts = zip(*states, strict=True)
    return torch.cat(logits), tuple(torch.cat(part, dim=1) for part in parts)
