"""n-gram language models of sentences, as the Penn Treebank is counted.

Each sentence is read as ``<s> w_1 ... w_m </s>``. ``<s>`` is context: it is never predicted, and no
n-gram ends in it. ``</s>`` is predicted after the last word. No n-gram reaches from one sentence
into the next. There is one ``<s>``, however long the n-grams are.

Lower orders use continuation counts: the number of different left contexts in which an n-gram
occurs, ``<s>`` being one of them. An n-gram that begins with ``<s>`` has no left context, so its
continuation count would be 0 although it is frequent. As in SRILM (ngram-discount) and KenLM
(Heafield et al. 2013, section 3.2), it keeps its plain count, also for the estimate of the
discounts. Vocabularies are closed: the uniform model below the unigrams gives a share to each word
and to ``</s>``.

The tests compare this module with a plain implementation of the same convention, and with the
results of KenLM on Tiny Shakespeare. The perplexities published for the Penn Treebank could not be
checked, because its text was not available.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_magics.errors import ModelError
from rnn_magics.language import say_number
from rnn_magics.models.ngram import Floats, NgramModel, estimate, fit_ngram, require_order
from rnn_magics.text.documents import Marks
from rnn_magics.text.vocab import Ids


def fit_sentences(
    sentences: Sequence[Sequence[int] | Ids], vocab_size: int, order: int
) -> NgramModel:
    """Estimate an interpolated modified Kneser-Ney model of sentences.

    Parameters
    ----------
    sentences
        The word indices of each sentence, without ``<s>`` and ``</s>``; a sentence may be empty.
    vocab_size
        The number of word indices.
    order
        The length of the longest n-grams, 1 to 12.

    Returns
    -------
    NgramModel
        A model of ``vocab_size + 1`` tokens; the last, ``vocab_size``, is ``</s>``.

    Raises
    ------
    ModelError
        When the order is out of range, or every sentence is shorter than one n-gram.
    """
    longest = max((len(sentence) + 2 for sentence in sentences), default=0)
    _require_long(longest, len(sentences), order)
    return estimate(_joined(sentences, vocab_size), vocab_size + 1, order)


def _require_long(longest: int, number: int, order: int) -> None:
    require_order(order)
    if longest < max(order, 2):
        raise ModelError(
            say_number(
                number,
                "the only sentence has {longest} tokens with <s> and </s>, too few for n-grams of"
                " order {order}; lower the order",
                "the longest of {number} sentences has {longest} tokens with <s> and </s>, too"
                " few for n-grams of order {order}; lower the order",
                longest=longest,
                order=order,
            )
        )


def sentence_log_probs(model: NgramModel, sentences: Sequence[Sequence[int] | Ids]) -> Floats:
    """Return the natural log-probability of each word and each ``</s>`` in some sentences.

    Parameters
    ----------
    model
        A model from `fit_sentences`.
    sentences
        The word indices of each sentence, without ``<s>`` and ``</s>``.

    Returns
    -------
    numpy.ndarray
        Shape (num_words + num_sentences,), sentence after sentence.
    """
    ids = _joined(sentences, model.vocab_size - 1)
    # A context that reaches back over a <s> was never counted, so each token has the same
    # probability in the joined text as in its sentence alone.
    logs: Floats = model.log_probs(ids, 0)[ids != model.vocab_size]
    return logs


def _joined(sentences: Sequence[Sequence[int] | Ids], vocab_size: int) -> Ids:
    # All sentences, with <s> and </s>, in one array.
    end, start = [vocab_size], [vocab_size + 1]
    pieces = [piece for sentence in sentences for piece in (start, sentence, end)]
    return np.concatenate([np.zeros(0, np.int64), *pieces], dtype=np.int64, casting="unsafe")


def fit_text(ids: Ids, vocab_size: int, order: int, marks: Marks | None) -> NgramModel:
    """Estimate an interpolated modified Kneser-Ney model of running text, or of documents.

    Documents are counted as sentences are. The index of their end is that of the vocabulary, so the
    model predicts what a recurrent model does.

    Parameters
    ----------
    ids
        Token indices of the training text, (num_tokens,).
    vocab_size, order
        As for `fit_ngram`.
    marks
        The indices that mark documents; None for running text.

    Raises
    ------
    ModelError
        As for `fit_ngram`; also when every document is shorter than one n-gram.
    """
    if marks is None:
        return fit_ngram(ids, vocab_size, order)
    begins = np.flatnonzero(ids == marks.begin)
    longest = int(np.diff(begins).max(initial=0)) + 1
    _require_long(longest, len(begins) - 1, order)
    return estimate(_of_documents(ids, marks, vocab_size), vocab_size, order)


def text_log_probs(model: NgramModel, ids: Ids, marks: Marks | None) -> Floats:
    """Return the natural log-probability of every token of a text but the first.

    Parameters
    ----------
    model
        A model from `fit_text`.
    ids
        Token indices, (num_tokens,).
    marks
        As for `fit_text`.

    Returns
    -------
    numpy.ndarray
        Shape (num_tokens - 1,). In place of a ``<bos>`` it is the end of a document.
    """
    if marks is None:
        return model.log_probs(ids)
    stream = _of_documents(ids, marks, model.vocab_size)
    logs: Floats = model.log_probs(stream)[stream[1:] != model.vocab_size]
    return logs


def _of_documents(ids: Ids, marks: Marks, start: int) -> Ids:
    # With the end of a document and <s>, the index `start`, in the place of each mark between two.
    is_mark = ids == marks.begin
    ends, starts = is_mark.copy(), is_mark.copy()
    ends[:1] = starts[-1:] = False
    times = np.where(is_mark, ends.astype(np.int64) + starts, 1)
    stream: Ids = np.repeat(ids.astype(np.int64), times)
    last = np.cumsum(times) - 1  # the place of each token in the stream, of a mark that of <s>
    stream[last[starts]] = start
    stream[last[ends] - starts[ends]] = marks.end
    return stream
