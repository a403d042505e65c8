"""Generation: a model continues a prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rnn_magics.decoding.beam import beam_search
from rnn_magics.decoding.decode import iter_decode
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.prefix import Prefix, Trained, as_read, read_prefix, vocab_of
from rnn_magics.errors import DecodingError
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab


@dataclass(frozen=True, repr=False)
class Generation(Result):
    """Text that a model wrote.

    Parameters
    ----------
    text
        The prefix and its continuation.
    prefix
        The prefix alone, as the model read it.
    tokens
        The tokens written, without the prefix.
    log_probs
        Their natural log-probabilities under the model, at temperature 1.
    prefix_perplexity
        The perplexity of the prefix under the model; None if it has fewer than two tokens.
    unknown
        Tokens of the prefix that are not in the vocabulary and were read as ``<unk>``.
    config
        How the text was decoded.
    """

    text: str
    prefix: str
    tokens: list[Any]
    log_probs: list[float]
    prefix_perplexity: float | None
    unknown: tuple[Any, ...]
    config: DecodingConfig

    @property
    def perplexity(self) -> float:
        """The perplexity of the tokens written, under the model."""
        return perplexity(-sum(self.log_probs) / len(self.log_probs))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def __repr__(self) -> str:
        """One line about the text; ``str()`` returns the text itself."""
        prefix = self.prefix_perplexity
        of_prefix = "" if prefix is None else f", prefix perplexity {prefix:.2f}"
        named = ", ".join(repr(token) for token in self.unknown)
        unknown = f", not in the vocabulary and read as {UNK}: {named}" if named else ""
        return (
            f"Generation({len(self.tokens)} tokens of perplexity {self.perplexity:.2f}"
            f"{of_prefix}{unknown})"
        )


def generate(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    write: Callable[[str], None] | None = None,
) -> Generation:
    """Continue a prefix with a model.

    Parameters
    ----------
    run
        A run from `train`, or any object with ``model`` and ``vocab``.
    prefix
        The text that warms up the model. It is cleaned as the text of the training was.
    config
        How the tokens are chosen, and how many.
    write
        Called with each piece of text as it is written, first with the prefix.

    Raises
    ------
    DecodingError
        When the model is bidirectional, or the prefix or the stop token cannot be used.
    """
    (generation,) = generate_many(run, prefix, config, write=write)
    return generation


def generate_many(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    num: int = 1,
    write: Callable[[str], None] | None = None,
) -> list[Generation]:
    """Write several continuations of a prefix at once, as one batch.

    Parameters
    ----------
    run, prefix, config
        As for `generate`.
    num
        The number of texts.
    write
        As for `generate`; called with the pieces of the first text.

    Raises
    ------
    DecodingError
        As for `generate`; also when `num` is less than 1, or more than 1 for a beam search.
    """
    if num < 1:
        msg = f"num must be at least 1, not {num}"
        raise DecodingError(msg)
    config = config or DecodingConfig()
    vocab = vocab_of(run)
    if config.beam and num > 1:
        msg = f"a beam search finds one text, not {num}; leave out --num or --beam"
        raise DecodingError(msg)
    stop = stop_index(vocab, config.stop)
    prefix = as_read(run, prefix)
    read = read_prefix(run, prefix)
    if write:
        write(prefix)
    texts: list[list[Any]] = [[] for _ in range(num)]
    all_log_probs: list[list[float]] = [[] for _ in range(num)]
    for row, indices, log_probs in _written(run, read, config, num, stop):
        tokens = vocab.to_tokens(indices)
        if write and row == 0:
            write(continued(vocab, prefix, texts[0], tokens))
        texts[row] += tokens
        all_log_probs[row] += log_probs
    return [
        Generation(
            prefix + continued(vocab, prefix, [], tokens),
            prefix,
            tokens,
            log_probs,
            read.perplexity,
            read.unknown,
            config,
        )
        for tokens, log_probs in zip(texts, all_log_probs, strict=True)
    ]


def _written(
    run: Trained, read: Prefix, config: DecodingConfig, num: int, stop: int | None
) -> Iterator[tuple[int, list[int], list[float]]]:
    # Yields a row and the next tokens written in it, up to its stop token.
    if config.beam:
        yield 0, *beam_search(run.model, read, config, stop)
        return
    open_rows = [*range(num)]
    for written in iter_decode(run.model, read, config, num):
        columns = written.indices.t().tolist(), written.log_probs.t().tolist()
        still_open = []
        for row in open_rows:
            indices, log_probs = (column[row] for column in columns)
            end = indices.index(stop) + 1 if stop in indices else None
            yield row, indices[:end], log_probs[:end]
            if end is None:
                still_open.append(row)
        if not still_open:
            return
        open_rows = still_open


def stop_index(vocab: Vocab, stop: str | None) -> int | None:
    """Return the index of the token that ends a text; None if there is none.

    Raises
    ------
    DecodingError
        When `stop` is not exactly one token of the vocabulary.
    """
    if stop is None:
        return None
    tokens = vocab.split(stop)
    if len(tokens) != 1 or tokens[0] not in vocab:
        msg = f"--stop {stop!r} is not a single {vocab.token} token of the vocabulary; give one"
        raise DecodingError(msg)
    return int(vocab[tokens[0]])


def continued(vocab: Vocab, prefix: str, before: list[Any], tokens: list[Any]) -> str:
    """Return the text that `tokens` add after a prefix and the tokens `before`.

    The first token is glued to the last one of the prefix, so that words do not run together. No
    space is added if the prefix already ends with one.
    """
    glue = vocab.tokenizer.glue
    if before:
        return "".join(map(glue, [before[-1], *tokens], tokens))
    first = glue(vocab.split(prefix)[-1], tokens[0])
    if prefix[-1].isspace() and first == f" {tokens[0]}":
        first = str(tokens[0])
    return first + "".join(map(glue, tokens, tokens[1:]))
