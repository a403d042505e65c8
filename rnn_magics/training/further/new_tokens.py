"""The tokens of a text that a vocabulary lacks, and a vocabulary that has them."""

from __future__ import annotations

from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab, numbered_as
from rnn_magics.training.history import Growth


def grow_vocab(vocab: Vocab, corpus: Corpus) -> tuple[Vocab, Growth]:
    """Return a vocabulary with the tokens of a training part that it lacks, the frequent first.

    Every token that it has keeps its index. Only those are added that occur as often as the
    vocabulary demands (``config.min_freq``); its largest size is that of the first text.

    Parameters
    ----------
    vocab
        The vocabulary.
    corpus
        The text, read as that of the vocabulary. Held-out text is not counted.

    Raises
    ------
    TrainingError
        If nothing can be added to such a vocabulary.
    """
    _require_room(vocab, corpus)
    numbered = numbered_as(corpus, vocab)
    counts = list(numbered.count(numbered.num_train))  # of every token, most frequent first
    total = sum(count for _, count in counts)
    lacking = [
        token for token, count in counts if token not in vocab and count >= vocab.config.min_freq
    ]
    larger = vocab.with_added(lacking) if lacking else vocab
    before, after = (
        sum(count for token, count in counts if which[token] == which.unk) / total
        for which in (vocab, larger)
    )
    return larger, Growth(len(lacking), before, after)


def _require_room(vocab: Vocab, corpus: Corpus) -> None:
    if vocab.tokenizer.alphabet:
        raise TrainingError(
            say(
                "a vocabulary of {kind} can write every text, so no token can be added; leave"
                " --add-tokens out",
                kind=vocab.token,
            )
        )
    if corpus.behind is not None:
        raise TrainingError(
            say(
                "{corpus!r} has the tokens of its levels or of its task, so none can be added;"
                " leave --add-tokens out",
                corpus=corpus.name,
            )
        )
