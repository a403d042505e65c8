"""Training a model further: what it has learnt already, and on which text it goes on."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.models.growth import grow_model
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.further.new_tokens import grow_vocab
from rnn_magics.training.further.origin import Origin
from rnn_magics.training.history import Growth
from rnn_magics.training.loop import Drive, Watch, train
from rnn_magics.training.run import Run


def train_further(  # noqa: PLR0913  (all but two are keywords or have a usual value)
    run: Run,
    corpus: Corpus,
    batching: BatchConfig | None = None,
    config: TrainConfig | None = None,
    *,
    add_tokens: bool = False,
    name: str = "",
    watch: Watch | None = None,
    drive: Drive | None = None,
) -> Run:
    """Train a copy of the model of a run further, on its own text or on another one.

    The text is read as that of the run was, with its vocabulary: what is not in it is unknown,
    unless it is added. The run itself does not change. Moments of the optimizer and the learning
    rate begin anew.

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
    add_tokens
        Whether the tokens of the training part that the vocabulary lacks are added to it, if they
        occur as often as it demands. The model then grows, see `grow_model`; ``config.seed``
        decides how.
    name, watch, drive
        As for `train`.

    Returns
    -------
    Run
        A new run; what came before is in its `earlier`.

    Raises
    ------
    TrainingError
        If the run has no vocabulary, or one to which nothing can be added.
    """
    vocab, read = vocab_to_read(run, corpus)
    batching, config = batching or run.config.batching, config or TrainConfig()
    origin = Origin.of(run)
    if add_tokens:
        vocab, growth = grow_vocab(vocab, read)
        origin = _grown(origin, vocab, growth, config.seed)
    batches = make_batches(read, vocab, batching)
    return train(batches, origin, config, name=name, watch=watch, drive=drive)


def _grown(origin: Origin, vocab: Vocab, growth: Growth, seed: int) -> Origin:
    generator = torch.Generator().manual_seed(seed)
    model = grow_model(origin.build(len(vocab), generator), len(vocab), generator)
    model.vocab = vocab
    *before, last = origin.earlier
    return replace(origin, model=model, earlier=(*before, replace(last, growth=growth)))


def vocab_to_read(run: Run, corpus: Corpus) -> tuple[Vocab, Corpus]:
    """Return the vocabulary of a run, and a text as it is read by the run.

    Raises
    ------
    TrainingError
        If the run has no vocabulary.
    """
    if run.vocab is None:
        raise TrainingError(
            say(
                "run {name!r} was trained on bare indices, so no text can be read as its own was;"
                " give minibatches of indices instead of a text",
                name=run.name,
            )
        )
    return run.vocab, corpus_as(run.reading, corpus)


def batches_for(run: Run, corpus: Corpus) -> Batches:
    """Return a text as minibatches for a run: read and cut as its own was, with its vocabulary.

    Raises
    ------
    TrainingError
        If the run has no vocabulary.
    BatchError
        If the text is too short.
    """
    vocab, read = vocab_to_read(run, corpus)
    return make_batches(read, vocab, run.config.batching)
