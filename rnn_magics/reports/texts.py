"""Perplexity of any text under a run, with everything that the number depends on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from rnn_magics.digits import rounded
from rnn_magics.errors import BatchError
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.rnn_model import require_finite
from rnn_magics.reports.series import run_errors
from rnn_magics.reports.tasks import TaskReport, report_task
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import Evaluation, evaluate, perplexity
from rnn_magics.scores.series import SeriesErrors
from rnn_magics.tables import aligned
from rnn_magics.text.agreement import disagreement
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.counts import TextCounts, count_text
from rnn_magics.text.indexing.sizes import TextSize, text_sizes
from rnn_magics.text.read_as import corpus_as
from rnn_magics.text.series.levels import Series
from rnn_magics.text.tasks.stream import MadeUp
from rnn_magics.text.tokenizers import TOKENIZERS, UNITS, UNK
from rnn_magics.text.vocab import Vocab, encode_corpus
from rnn_magics.training.run import Run


@dataclass(frozen=True, repr=False)
class TextEvaluation(Result):
    """What a run makes of a text.

    Parameters
    ----------
    run, text
        Their names.
    part
        ``held-out part``, ``training part`` or ``whole text``.
    token
        What one token is, ``char`` or ``word``; ``token`` where that cannot be said.
    score
        Mean nats, their number, and the state rule.
    unk_share
        The share of tokens that the vocabulary does not have; None where it is not known.
    num_words
        Runs of characters without white space that begin after the first character; None
        where tokens are no characters, or the text has no words between white space.
    further
        Of a series, its errors some steps ahead; of a made-up task, its accuracy by distance.
    size
        How long the text is in characters and bytes; None where that is not known.
    num_documents
        How many documents it has, whose ends are predicted, too; None if it is one text.
    """

    run: str
    text: str
    part: str
    token: str
    score: Evaluation
    unk_share: float | None
    num_words: int | None
    further: SeriesErrors | TaskReport | None = None
    size: TextSize | None = None
    num_documents: int | None = None

    @property
    def perplexity(self) -> float:
        """Exp of the mean over tokens."""
        return self.score.perplexity

    @property
    def word_perplexity(self) -> float | None:
        """Exp of the nats of all characters, white space too, over the number of words.

        None where there are no words, or each is a document.
        """
        if not self.num_words or self.num_words == self.num_documents:
            return None
        return perplexity(self.nats / self.num_words)

    @property
    def nats(self) -> float:
        """The cross-entropy of all tokens together."""
        return self.score.nats * self.score.num_tokens

    @property
    def bits_per_character(self) -> float | None:
        """Bits for each character of the text, whatever its tokens are; see `text_sizes`."""
        return None if self.size is None else self.size.per_character(self.nats)

    @property
    def bits_per_byte(self) -> float | None:
        """Bits for each byte of the text in UTF-8, whatever its tokens are; see `text_sizes`."""
        return None if self.size is None else self.size.per_byte(self.nats)

    @property
    def document_perplexity(self) -> float | None:
        """Exp of the nats of all tokens and ends over the number of documents."""
        if not self.num_documents:
            return None
        return perplexity(self.score.nats * self.score.num_tokens / self.num_documents)

    @property
    def source(self) -> str:
        """The text, and which part of it, in words."""
        return say("{text} ({part})", text=self.text, part=say(self.part))

    @property
    def numbers(self) -> str:
        """The perplexity, the bits per character and per byte, and those per word and per document.

        Where the text is not known, the bits are those of a token; only characters have words.
        """
        words, documents = rounded(self.word_perplexity, 1), rounded(self.document_perplexity, 1)
        more = words and say(", {words} per word", words=words)
        more += documents and say(", {documents} per document", documents=documents)
        characters, in_bytes = rounded(self.bits_per_character), rounded(self.bits_per_byte)
        if self.size is None:
            text = marked("perplexity {perplexity}, {bits} bits per {token}{more}")
        elif characters == in_bytes:
            text = marked(
                "perplexity {perplexity}, {in_bytes} bits per character and per byte{more}"
            )
        else:
            text = marked(
                "perplexity {perplexity}, {characters} bits per character, {in_bytes} per"
                " byte{more}"
            )
        return say(
            text,
            perplexity=rounded(self.perplexity),
            bits=rounded(self.score.bits),
            token=say(self.token),
            characters=characters,
            in_bytes=in_bytes,
            more=more,
        )

    @property
    def spelled(self) -> str:
        """How much of the bits spell what the tokens do not give back; empty if none do."""
        size = self.size
        if size is None or not size.lost_bits:
            return ""
        return say(
            "{share:.1%} of the bits spell what the tokens do not give back",
            share=size.lost_bits / (size.lost_bits + self.nats / math.log(2)),
        )

    @property
    def unknown(self) -> str:
        """How much of the text is unknown; empty where that is not known."""
        share = self.unk_share
        return (
            ""
            if share is None
            else say("{share:.2%} of the tokens read as {unk}", share=share, unk=UNK)
        )

    def __repr__(self) -> str:
        """One line for the number, one for what it depends on."""
        depends = filter(None, (self.unknown, self.spelled))
        unknown = "".join(f", {told}" for told in depends)
        told = say_number(
            self.score.num_tokens,
            "{run} on {text} ({part}): {numbers}\n  over {num_tokens:,} token, state"
            " {state}{unknown}",
            "{run} on {text} ({part}): {numbers}\n  over {num_tokens:,} tokens,"
            " state {state}{unknown}",
            run=self.run,
            text=self.text,
            part=say(self.part),
            numbers=self.numbers,
            num_tokens=self.score.num_tokens,
            state=say(self.score.state),
            unknown=unknown,
        )
        return told if self.further is None else f"{told}\n\n{self.further!r}"


FURTHER: dict[type, Callable[[Run, Corpus, Evaluation], SeriesErrors | TaskReport | None]] = {
    Series: run_errors,
    MadeUp: report_task,
}
"""What is reported besides a score, by what the tokens of a corpus stand for."""

MEASURES: dict[str, Callable[[TextEvaluation], str]] = {
    marked("perplexity"): lambda found: rounded(found.perplexity),
    marked("bits per token"): lambda found: rounded(found.score.bits) if found.size is None else "",
    marked("bits per character"): lambda found: rounded(found.bits_per_character),
    marked("bits per byte"): lambda found: rounded(found.bits_per_byte),
    marked("perplexity per word"): lambda found: rounded(found.word_perplexity, 1),
    marked("perplexity per document"): lambda found: rounded(found.document_perplexity, 1),
    marked("read as <unk>"): lambda found: (
        "" if found.unk_share is None else f"{found.unk_share:.2%}"
    ),
}
"""What is told of each run on each text, by what its matrix is called."""


@dataclass(frozen=True, repr=False)
class Evaluations(Result, Sequence[TextEvaluation]):
    """What several runs make of several texts: all that was found, run by run.

    Parameters
    ----------
    rows
        A row for each run, with an evaluation for each text.
    """

    rows: tuple[tuple[TextEvaluation, ...], ...]

    def __len__(self) -> int:
        """Return the number of evaluations."""
        return sum(map(len, self.rows))

    def __getitem__(self, place: Any) -> Any:
        """Return one evaluation, or those of a slice."""
        return list(itertools.chain.from_iterable(self.rows))[place]

    def __iter__(self) -> Iterator[TextEvaluation]:
        """Yield the evaluations, run by run."""
        return itertools.chain.from_iterable(self.rows)

    def __repr__(self) -> str:
        """Return a matrix of runs and texts for each measure, then what they depend on."""
        texts = [found.source for found in self.rows[0]]
        lines: list[Sequence[str]] = []
        for name, shown in MEASURES.items():
            values = [[row[0].run, *map(shown, row)] for row in self.rows]
            if any(any(cells[1:]) for cells in values):
                lines += [(say(name), *texts), *values]
        states = say(", ").join(sorted({say(found.score.state) for found in self}))
        depends = say(
            "exp of the mean over all tokens of a text but one, state {states}", states=states
        )
        return f"{aligned(lines)}\n{depends}"


def evaluate_text(run: Run, corpus: Corpus, *, as_is: bool = False) -> TextEvaluation:
    """Score a text with the vocabulary of a run: its held-out part, or all where it has none.

    All of the text that the run was trained on is called its ``training part``. A text is cleaned
    as that of the training was, so that the tokens mean the same; `as_is` takes the text as it is.

    Raises
    ------
    BatchError
        When the run has no vocabulary, the text is not of the kind that it reads, or the text
        has fewer than two tokens.
    ModelError
        When a weight of the model is not finite.

    Examples
    --------
    >>> evaluate_text(run, Corpus.from_text("tock tick tock")).score.num_tokens
    13
    """
    part = part_to_score(run, corpus, as_is=as_is)
    score = evaluate(run.model, part.ids)
    found = describe_score(run, part.corpus.name, part.name, score, part.counts)
    report = FURTHER.get(type(part.corpus.behind))
    return found if report is None else replace(found, further=report(run, part.corpus, score))


@dataclass(frozen=True)
class Part:
    """The part of a text that a run is scored on: the held-out part, or all where it has none.

    Parameters
    ----------
    corpus
        The text as the run reads it.
    ids
        Token indices, (num_tokens,), int64, on the device of the run.
    name
        ``held-out part``, ``training part`` or ``whole text``.
    counts
        What is known of its tokens.
    """

    corpus: Corpus
    ids: torch.Tensor
    name: str
    counts: TextCounts


def part_to_score(run: Run, corpus: Corpus, *, as_is: bool = False) -> Part:
    """Return what a run is scored on; arguments and errors are those of `evaluate_text`."""
    vocab = require_reader(run, corpus)
    corpus = corpus if as_is else corpus_as(run.reading, corpus)
    encoded = encode_corpus(corpus, vocab)
    held_out = len(encoded.valid) > 0
    ids = np.asarray(encoded.valid if held_out else encoded.train, np.int64)
    trained_on = run.corpus is not None and run.corpus[1] == corpus.fingerprint
    whole = marked("training part") if trained_on else marked("whole text")
    whole = marked("test part") if corpus.is_test else whole
    sizes = text_sizes(corpus, vocab)
    counts = count_text(ids, vocab, sizes.valid if held_out else sizes.train)
    on_device = torch.from_numpy(ids).to(next(run.model.parameters()).device)
    return Part(corpus, on_device, marked("held-out part") if held_out else whole, counts)


def describe_score(
    run: Run, text: str, part: str, score: Evaluation, counts: TextCounts | None
) -> TextEvaluation:
    """Return the score of a run on a part of a text, with what is known of its tokens."""
    token = run.vocab.token if run.vocab and run.vocab.token in UNITS else "token"
    told = TextEvaluation(run.name, text, part, token, score, None, None)
    return told if counts is None else replace(told, **vars(counts))


def evaluate_texts(
    runs: Sequence[Run], corpora: Sequence[Corpus], *, as_is: bool = False
) -> Evaluations:
    """Score each text with each run, as `evaluate_text` does.

    Raises
    ------
    BatchError
        When there is no run or no text, or as `evaluate_text` does; before anything is scored
        where a run cannot read a text.
    ModelError
        When a weight of a model is not finite.
    """
    if not runs or not corpora:
        msg = say(
            "a matrix needs runs and texts; given are {runs} of the first and {corpora} of the"
            " others",
            runs=len(runs),
            corpora=len(corpora),
        )
        raise BatchError(msg)
    for run, corpus in itertools.product(runs, corpora):
        require_reader(run, corpus)
    return Evaluations(
        tuple(tuple(evaluate_text(run, c, as_is=as_is) for c in corpora) for run in runs)
    )


def require_reader(run: Run, corpus: Corpus) -> Vocab:
    """Return the vocabulary with which a run reads a text.

    Raises
    ------
    BatchError
        When it has none, or the text is not of the kind that it reads.
    ModelError
        When a weight of its model is not finite.
    """
    require_finite(run.model)
    vocab = run.vocab
    if vocab is None:
        msg = say(
            "run {run!r} has no vocabulary to read other texts with: train it on a corpus",
            run=run.name,
        )
        raise BatchError(msg)
    if differ := disagreement(run.model.vocab, vocab):
        msg = say(
            "the model of run {run!r} was trained with other tokens than the run has now: {differ};"
            " put the vocabulary of its training back: run.vocab = ...",
            run=run.name,
            differ=differ,
        )
        raise BatchError(msg)
    if vocab.token not in TOKENIZERS:
        msg = say(
            "run {run!r} reads tokens of {token!r}, which is no tokenizer here"
            " ({known}); register it in TOKENIZERS as it was for the"
            " training",
            run=run.name,
            token=vocab.token,
            known=", ".join(TOKENIZERS),
        )
        raise BatchError(msg)
    if corpus.is_text == (vocab.token == "given"):
        has, reads = say("text"), say("given tokens")
        if not corpus.is_text:
            has, reads = reads, has
        msg = say(
            "run {run!r} reads {reads} ({token} tokens), but {corpus!r} is"
            " {has}; evaluate it on {reads}: %corpus {source}",
            run=run.name,
            reads=reads,
            token=vocab.token,
            corpus=corpus.name,
            has=has,
            source="--data NAME" if corpus.is_text else "PATH",
        )
        raise BatchError(msg)
    return vocab
