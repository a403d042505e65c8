"""The record of a run that is about to start: its texts are measured, nothing is trained yet."""

from __future__ import annotations

from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.text.counts import TextCounts, count_text
from rnn_magics.text.indexing.sizes import TextSize, TextSizes, text_sizes
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import numbered_as
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine.device import DeviceChoice
from rnn_magics.training.machine.threads import ThreadChoice
from rnn_magics.training.run import Run, RunConfig
from rnn_magics.training.scoring.test_part import TestPart

_GONE_THROUGH = 1 << 26  # tokens, counted in under a second; a longer text stays on disk


def describe_run(
    name: str,
    model: RNNModel,
    batches: Batches,
    config: TrainConfig,
    device: DeviceChoice,
    threads: ThreadChoice | None,
) -> Run:
    """Return the record of a run that is about to start."""
    corpus, sizes = batches.corpus, _sizes(batches)
    return Run(
        name,
        model,
        batches.vocab,
        RunConfig(model.config, config, batches.config),
        device,
        None if corpus is None else (corpus.name, corpus.fingerprint),
        len(batches.ids),
        len(batches.valid),
        threads=threads,
        train_counts=(
            _counts(batches.ids, batches, sizes.train)
            if len(batches.ids) <= _GONE_THROUGH
            else None
        ),
        valid_counts=_counts(batches.valid, batches, sizes.valid),
        reading=None if corpus is None else TextReading.of(corpus),
        test=_test_part(batches),
    )


def _sizes(batches: Batches) -> TextSizes:
    corpus, vocab = batches.corpus, batches.vocab
    if corpus is None or vocab is None or vocab.token not in TOKENIZERS:
        return TextSizes()
    numbered, found = numbered_as(corpus, vocab), (len(batches.ids), len(batches.valid))
    if found != tuple(len(range(numbered.size)[part]) for part in numbered.parts):
        return TextSizes()  # other indices than those of this text
    return text_sizes(corpus, vocab)


def _test_part(batches: Batches) -> TestPart | None:
    if not len(batches.test):
        return None
    test = None if batches.corpus is None else batches.corpus.test
    size = None
    if test is not None and batches.vocab is not None and batches.vocab.token in TOKENIZERS:
        size = text_sizes(test, batches.vocab).train
    return TestPart(len(batches.test), counts=_counts(batches.test, batches, size))


def _counts(ids: Tensor, batches: Batches, size: TextSize | None) -> TextCounts | None:
    if batches.vocab is None or not len(ids):
        return None
    return count_text(ids.cpu().numpy(), batches.vocab, size)
