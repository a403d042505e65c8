"""A short text by a model in training, so that a reader can watch it learn."""

from __future__ import annotations

from rnn_magics.decoding.decode import is_ready, iter_decode, iter_plain
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import continued
from rnn_magics.decoding.prefix import read_prefix, vocab_of
from rnn_magics.errors import RNNMagicsError
from rnn_magics.results import brief
from rnn_magics.training.run import Run

_CONFIG = DecodingConfig(length=80, temperature=0.7)


def sample_text(run: Run) -> str:
    """Return a short text by the current model; empty if it cannot write.

    Call it between two steps. It does not use the random generators of the run.
    """
    try:
        vocab = vocab_of(run)
        prefix = str(vocab.token_freqs[0][0])
        read = read_prefix(run, prefix)
        # Both write the same text, but compiling now would delay training for seconds.
        decode = iter_decode if is_ready(run.model, _CONFIG) else iter_plain
        written = [w.indices[:, 0] for w in decode(run.model, read, _CONFIG, [0])]
        tokens = vocab.to_tokens([index for part in written for index in part.tolist()])
        return "".join(map(brief, continued(vocab, prefix, [], tokens)))
    except RNNMagicsError:  # bidirectional, bare indices or diverged: nothing to show
        return ""
