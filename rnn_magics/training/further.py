"""Training a model further: what it has learnt already, and on which text it goes on."""

from __future__ import annotations

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import Drive, Watch, train
from rnn_magics.training.run import Run


def train_further(
    run: Run,
    corpus: Corpus,
    batching: BatchConfig | None = None,
    config: TrainConfig | None = None,
    *,
    name: str = "",
    watch: Watch | None = None,
    drive: Drive | None = None,
) -> Run:
    """Train a copy of the model of a run further, on its own text or on another one.

    The text is read as that of the run was, with its vocabulary: what is not in it is unknown. The
    run itself does not change. Moments of the optimizer and the learning rate begin anew.

    Parameters
    ----------
    run
        The run to go on from.
    corpus
        The text.
    batching
        How it is cut into minibatches; by default as that of the run.
    config
        How to train; by default ``TrainConfig()``.
    name, watch, drive
        As for `train`.

    Returns
    -------
    Run
        A new run; what came before is in its `earlier`.

    Raises
    ------
    TrainingError
        If the run has no vocabulary.
    """
    if run.vocab is None:
        raise TrainingError(
            say(
                "run {name!r} was trained on bare indices, so no text can be read as its own was;"
                " train a copy of its model on indices: train(batches, run)",
                name=run.name,
            )
        )
    batches = make_batches(
        corpus_as(run.reading, corpus), run.vocab, batching or run.config.batching
    )
    return train(batches, run, config, name=name, watch=watch, drive=drive)
