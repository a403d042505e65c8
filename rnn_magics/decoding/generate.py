"""Generation: a model continues a prefix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics.decoding.beam import beam_search
from rnn_magics.decoding.decode import iter_decode, reader_of
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.form import Form
from rnn_magics.decoding.limits import check_size, check_unk, ends_of, stop_index
from rnn_magics.decoding.mask import Fitted, Rows
from rnn_magics.decoding.prefix import (
    Prefix,
    Trained,
    added,
    as_read,
    named_unknown,
    read_by_model,
    read_prefix,
    reading_of,
    split_text,
    vocab_of,
    which_weights,
)
from rnn_magics.digits import rounded
from rnn_magics.language import say, say_number
from rnn_magics.results import Result, brief, shortened
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.splitting.tokenizer import LAST_TOKENS
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab

_PREFIX_SHOWN = 2000  # characters


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
        The tokens written, without the prefix; the end of a document is the last of them.
    log_probs
        Their natural log-probabilities under the model, at temperature 1.
    prefix_perplexity
        The perplexity of the prefix under the model; None if it has fewer than two tokens.
    unknown
        Tokens of the prefix that are not in the vocabulary and were read as ``<unk>``.
    config
        How the text was decoded: `generate` writes it again, also if it is one of several.
    only_unk
        Whether the model wrote nothing but ``<unk>`` at first, so that the text was written again
        without it.
    shown
        The text as a display shows it: every token brief. Empty if it is not made.
    form
        The form that was asked for.
    form_nats
        What the form cost: -ln of what the model put on the tokens that the form allowed, summed
        over the tokens written.
    values
        What its tokens stand for, where the run was trained on a series of numbers; nan for
        ``<unk>``.
    weights
        Which weights of its run wrote it, in words; empty for those of the last step.
    """

    text: str
    prefix: str
    tokens: list[Any]
    log_probs: list[float]
    prefix_perplexity: float | None
    unknown: tuple[Any, ...]
    config: DecodingConfig
    only_unk: bool = False
    shown: str = ""
    form: Form | None = None
    form_nats: float = 0.0
    values: tuple[float, ...] = ()
    weights: str = ""

    @property
    def perplexity(self) -> float:
        """The perplexity of the tokens written, under the model."""
        return perplexity(-sum(self.log_probs) / len(self.log_probs))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def __repr__(self) -> str:
        """One line about the text; ``str()`` returns the text itself."""
        return f"Generation({self.said})"

    @property
    def said(self) -> str:
        """What is said of the text: its length, its perplexity, how it was decoded."""
        prefix = self.prefix_perplexity
        said = [
            say_number(
                len(self.tokens),
                "{num_tokens} token of perplexity {perplexity}",
                "{num_tokens} tokens of perplexity {perplexity}",
                num_tokens=len(self.tokens),
                perplexity=rounded(self.perplexity, 2),
            )
        ]
        if self.form:
            said.append(say("the form cost {nats} nats", nats=rounded(self.form_nats, 1)))
        if prefix is not None:
            said.append(say("prefix perplexity {perplexity}", perplexity=rounded(prefix, 2)))
        if self.config.draws:
            said.append(say("seed {seed}", seed=self.config.seed))
        if self.only_unk:
            said.append(say("without {unk}, which would be the whole text", unk=UNK))
        elif self.config.no_unk:
            said.append(say("without {unk}", unk=UNK))
        if self.weights:
            said.append(self.weights)
        if named := named_unknown(self.unknown):
            said.append(say("not in the vocabulary and {named}", named=named))
        return say(", ").join(said)


def generate(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    form: Form | None = None,
    write: Callable[[str], None] | None = None,
) -> Generation:
    """Continue a prefix with a model.

    Parameters
    ----------
    run
        A run from `train`, or any object with ``model`` and ``vocab``.
    prefix
        The text that warms up the model. It is cleaned as the text of the training was. Of a run on
        documents it is how one begins, perhaps empty, and the text ends where that does.
    config
        How the tokens are chosen, and how many.
    form
        What the text must look like. It ends when it has its form, after at most `config.length`
        tokens.
    write
        Called with each piece of text as it is written, first with the prefix; it is for a
        display, so very long tokens come without their middle.

    Raises
    ------
    DecodingError
        When the model is bidirectional, the prefix or the stop token cannot be used, or no text of
        the vocabulary has the form.

    Examples
    --------
    >>> generate(run, "tick ", DecodingConfig(decoder="greedy", length=9)).text
    'tick tock tick'
    """
    (generation,) = generate_many(run, prefix, config, form=form, write=write)
    return generation


def generate_many(
    run: Trained,
    prefix: str,
    config: DecodingConfig | None = None,
    *,
    num: int = 1,
    form: Form | None = None,
    write: Callable[[str], None] | None = None,
) -> list[Generation]:
    """Write several continuations of a prefix at once, as one batch.

    The seeds of the texts are consecutive: the first has that of the configuration, and is the text
    that `generate` writes.

    Parameters
    ----------
    run, prefix, config
        As for `generate`.
    num
        The number of texts.
    form
        As for `generate`.
    write
        As for `generate`; called with the pieces of the first text.

    Raises
    ------
    DecodingError
        As for `generate`; also when `num` is not in [1, 1000], or more than 1 for a beam search.
    """
    config, vocab = config or DecodingConfig(), vocab_of(run)
    check_size(config, num, len(vocab))
    check_unk(config, vocab)
    stop = stop_index(vocab, config.stop)
    stops = ends_of(vocab, stop)
    prefix = as_read(run, prefix)
    fitted = None
    if form is not None and form.changed():
        fitted = _fit(run, form, prefix, config.length)
        fitted.check_stop(stop)
    read = read_prefix(run, prefix, read_by_model if fitted else reader_of(run.model, config))
    if write:
        write(shortened(prefix, _PREFIX_SHOWN))
    stream = _Stream(vocab, prefix, stops, write)
    configs = [config.of_text(place) for place in range(num)]
    texts = _written(run, read, configs, stops, fitted, stream.hear)
    # A text of <unk> alone says nothing, so it is written again without it.
    excludes = not config.no_unk and len(vocab) > 1
    only_unk = [
        place for place, text in enumerate(texts) if excludes and is_unk(text.indices, stops)
    ]
    if only_unk:
        for place in only_unk:
            configs[place] = replace(configs[place], no_unk=True)
        if only_unk[0] == 0:
            stream.held.clear()
        hear = stream.hear if only_unk[0] == 0 else _ignore
        again = _written(run, read, [configs[place] for place in only_unk], stops, fitted, hear)
        for place, text in zip(only_unk, again, strict=True):
            texts[place] = text
    stream.flush()
    asked = fitted.form if fitted else None
    written = [
        _generation(vocab, read, chosen, text, asked, only_unk=chosen.no_unk > config.no_unk)
        for chosen, text in zip(configs, texts, strict=True)
    ]
    written = [replace(text, weights=which_weights(run)) for text in written]
    reading = reading_of(run)
    if reading is None or reading.levels is None:
        return written
    value = reading.levels.value
    return [replace(text, values=tuple(map(value, text.tokens))) for text in written]


def _fit(run: Trained, form: Form, prefix: str, length: int) -> Fitted:
    # The beginnings of its lines are cleaned as the text of the training was.
    read = replace(form, starts=tuple(as_read(run, start) for start in form.starts))
    return Fitted(read, vocab_of(run), length, begun=not prefix.endswith("\n"))


class _Stream:
    """Tells a text piece by piece; ``<unk>`` at its beginning waits for another token."""

    def __init__(
        self,
        vocab: Vocab,
        prefix: str,
        stops: Collection[int],
        write: Callable[[str], None] | None,
    ) -> None:
        self.held: list[int] = []
        self._vocab, self._prefix, self._write = vocab, prefix, write
        self._silent = {Vocab.unk, *stops}
        self._last: list[Any] = []  # the last tokens told

    def hear(self, indices: list[int]) -> None:
        """Take the next tokens."""
        if self._write:
            self.held += indices
            if self._last or any(index not in self._silent for index in indices):
                self.flush()

    def flush(self) -> None:
        """Tell what is held back."""
        if self._write and self.held:
            tokens = self._vocab.to_tokens(self.held)
            pieces = continued(self._vocab, self._prefix, self._last, tokens)
            self._write("".join(map(brief, pieces)))
            self._last = [*self._last, *tokens][-LAST_TOKENS:]
            self.held.clear()


def is_unk(indices: Sequence[int], stops: Collection[int]) -> bool:
    """Whether a text is ``<unk>`` alone, but for a stop token at its end."""
    return indices[0] == Vocab.unk and {Vocab.unk, *stops}.issuperset(indices)


def _ignore(_indices: list[int]) -> None:
    pass


def _generation(
    vocab: Vocab,
    read: Prefix,
    config: DecodingConfig,
    written: _Text,
    form: Form | None,
    *,
    only_unk: bool,
) -> Generation:
    tokens = vocab.to_tokens(written.indices)
    pieces = continued(vocab, read.text, [], tokens)
    text = read.text + "".join(pieces)
    briefly = {piece: brief(piece) for piece in {*pieces}}
    shown = shortened(read.text, _PREFIX_SHOWN) + "".join(map(briefly.__getitem__, pieces))
    prefix = read.text, tokens, written.log_probs, read.perplexity, read.unknown
    return Generation(text, *prefix, config, only_unk, shown, form, written.form_nats)


@dataclass
class _Text:
    indices: list[int]
    log_probs: list[float]
    form_nats: float = 0.0


def _written(
    run: Trained,
    read: Prefix,
    configs: Sequence[DecodingConfig],  # which differ in the seed only
    stops: Collection[int],
    form: Fitted | None,
    hear: Callable[[list[int]], None],  # the tokens of the first text
) -> list[_Text]:
    if configs[0].beam:
        found = _Text(*beam_search(run.model, read, configs[0], stops, form))
        hear(found.indices)
        return [found]
    texts = [_Text([], []) for _ in configs]
    rows = Rows(form, len(configs)) if form else None
    for row, indices, log_probs in _steps(run, read, configs, stops, rows):
        texts[row].indices.extend(indices)
        texts[row].log_probs.extend(log_probs)
        if row == 0:
            hear(indices)
    for text, nats in zip(texts, rows.nats if rows else [], strict=False):
        text.form_nats = nats
    return texts


def _steps(
    run: Trained,
    read: Prefix,
    configs: Sequence[DecodingConfig],
    stops: Collection[int],
    form: Rows | None,
) -> Iterator[tuple[int, list[int], list[float]]]:
    # Yields a row and the next tokens written in it, up to a stop token or the end of its form.
    open_rows = [*range(len(configs))]
    seeds = [int(each.seed) for each in configs]
    for written in iter_decode(run.model, read, configs[0], seeds, form):
        columns = written.indices.t().tolist(), written.log_probs.t().tolist()
        still_open = []
        for row in open_rows:
            indices, log_probs = (column[row] for column in columns)
            end = None
            if stops and not {*stops}.isdisjoint(indices):
                end = next(at for at, index in enumerate(indices, 1) if index in stops)
            yield row, indices[:end], log_probs[:end]
            if end is None and not (form and form.is_done(row)):
                still_open.append(row)
        if not still_open:
            return
        open_rows = still_open


def continued(vocab: Vocab, prefix: str, before: list[Any], tokens: list[Any]) -> list[str]:
    """Return the text that each of `tokens` adds after a prefix and the tokens `before`.

    The first token is glued to the last one of the prefix, so that words do not run together. No
    space is added if the prefix already ends with one. The marks of documents add no text.
    """
    if before:
        return added(vocab, tokens, before)
    first, *others = added(vocab, tokens, split_text(vocab, prefix)[-LAST_TOKENS:])
    if prefix[-1:].isspace() and first == f" {tokens[0]}":
        first = str(tokens[0])
    return [first, *others]
