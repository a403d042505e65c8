"""Generation from counts: an n-gram model continues a prefix, with the same decoders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from rnn_magics.decoding.decode import uniforms
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, offered
from rnn_magics.decoding.generate import Generation, continued, is_unk
from rnn_magics.decoding.limits import check_size, check_unk, ends_of, stop_index
from rnn_magics.decoding.prefix import split_prefix
from rnn_magics.errors import DecodingError
from rnn_magics.language import say
from rnn_magics.models.ngram import NgramModel
from rnn_magics.text.vocab import Ids, Vocab


def write_ngram(
    model: NgramModel, vocab: Vocab, prefix: str, config: DecodingConfig | None = None
) -> Generation:
    """Continue a prefix with an n-gram model of running text, or of documents.

    The decoder receives the log-probabilities of the model as logits, and the same random numbers
    as for a recurrent model.

    Parameters
    ----------
    model
        A model from `fit_ngram`, `fit_text`, `fit_add_k` or `uniform_model`.
    vocab
        Maps its indices to tokens.
    prefix
        The text before the first token written; the model sees its last ``order - 1`` tokens.
    config
        How the tokens are chosen, and how many.

    Raises
    ------
    DecodingError
        When the prefix or the stop token cannot be used, the vocabulary is not that of the model,
        or `config` sets a beam search.
    """
    config = config or DecodingConfig()
    if config.beam:
        raise DecodingError(
            say("a beam search needs a recurrent model; with an n-gram model, leave out beam")
        )
    if model.vocab_size != len(vocab):
        raise DecodingError(
            say(
                "the n-gram model has {vocab_size} tokens, the vocabulary {size}; pass the"
                " vocabulary of the text that the model was counted on",
                vocab_size=model.vocab_size,
                size=len(vocab),
            )
        )
    check_size(config, 1, len(vocab))
    check_unk(config, vocab)
    stop = stop_index(vocab, config.stop)
    stops = ends_of(vocab, stop)
    split, unknown = split_prefix(vocab, prefix)
    ids = vocab.indices(split)
    if vocab.marks is not None:  # where a document begins, `fit_text` counts <s>
        ids[ids == vocab.marks.begin] = model.vocab_size
    indices, log_probs = _written(model, ids, config, stops)
    only_unk = is_unk(indices, stops) and not config.no_unk and len(vocab) > 1
    if only_unk:  # a text that says nothing is written again, as `generate` does
        config = replace(config, no_unk=True)
        indices, log_probs = _written(model, ids, config, stops)
    tokens = vocab.to_tokens(indices)
    return Generation(
        prefix + "".join(continued(vocab, prefix, [], tokens)),
        prefix,
        tokens,
        log_probs,
        model.perplexity(ids) if len(ids) > 1 else None,
        unknown,
        config,
        only_unk,
    )


def _written(
    model: NgramModel, ids: Ids, config: DecodingConfig, stops: set[int]
) -> tuple[list[int], list[float]]:
    # The tokens after the prefix, up to a stop token, and their log-probabilities.
    choose = DECODERS[config.decoder]
    text, log_probs = ids.tolist(), []
    for block in uniforms([int(config.seed)], config.length):
        for u in block:
            context = np.array(text[max(len(text) - model.order + 1, 0) :], np.int64)
            logs = torch.from_numpy(model.distribution(context)).log()  # (vocab_size,)
            index = int(choose(offered(logs.float()[None], config), config, u))
            text.append(index)
            log_probs.append(float(logs[index]))
            if index in stops:
                return text[len(ids) :], log_probs
    return text[len(ids) :], log_probs
