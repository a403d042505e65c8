"""How a corpus, its vocabulary, its minibatches and its statistics are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnn_magics.language import say, say_number
from rnn_magics.notebook.show.rich.markup import (
    attribute,
    block,
    folded,
    picture,
    side_by_side,
    table,
    words,
)
from rnn_magics.notebook.show.tables import Row, headed, heads, html_table, text_table
from rnn_magics.results import brief, quoted, shortened
from rnn_magics.text.splitting.data import in_words

if TYPE_CHECKING:
    from rnn_magics.batching import Batches
    from rnn_magics.preview import BatchPreview
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.text.statistics import TextStatistics, ZipfFit
    from rnn_magics.text.vocab import Vocab

_ROWS_SHOWN = 8
_CELL_WIDTH = 33
_ORIGIN_WIDTH = 400
_FIRST_LINES, _MOST_BEGINNING = 6, 600
_MOST_TYPES, _MOST_COUNTED = 60, 1_000_000  # counted in some tens of milliseconds
_SPACES = {" ": "\N{OPEN BOX}", "\n": "\N{RETURN SYMBOL}", "\t": "\N{RIGHTWARDS ARROW TO BAR}"}


def corpus_html(corpus: Corpus) -> str:
    """Return a corpus as HTML: its length, its alphabet, its first lines; folded, its origin."""
    split = say("{length}; {held_out}", length=_length(corpus), held_out=_held_out(corpus))
    rows = [
        (say("length"), split),
        (say("alphabet") if corpus.is_text else say("types"), _alphabet(corpus)),
        (say("begins"), words(_first_lines(corpus))),
    ]
    source = [
        (say("from"), shortened(say(corpus.origin), _ORIGIN_WIDTH)),
        (say("cleaning"), repr(corpus.config)),
        ("sha256", corpus.fingerprint[:16]),
    ]
    if corpus.behind is not None:
        source.insert(1, (say("made of"), repr(corpus.behind)))
    about = folded(say("where it comes from"), table((), source))
    return headed(f"{brief(corpus.name)}: {corpus.length}", block(table((), rows), about))


def corpus_line(corpus: Corpus) -> str:
    """Return what a session says of its corpus."""
    num_test = None if corpus.test is None else len(corpus.test)
    told = in_words(corpus.data, corpus.config, num_test)
    return f"{brief(corpus.name)}: {say(', ').join(told)}"


def _length(corpus: Corpus) -> str:
    data, length = corpus.data, corpus.length
    if not isinstance(data, str):
        return length
    lines = say_number(len(data.splitlines()), "{number:,} line", "{number:,} lines")
    return say("{length} in {lines}", length=length, lines=lines)


def _held_out(corpus: Corpus) -> str:
    told = say("held out: nothing")
    if corpus.held_out_share:
        told = say("held out: {share:.0%} at the end", share=corpus.held_out_share)
    if corpus.test is None:
        return told
    test = say("set aside to test on, after that: {size:,}", size=len(corpus.test))
    return say("; ").join([told, test])


def _first_lines(corpus: Corpus) -> str:
    start = corpus.beginning(_MOST_BEGINNING)
    if not isinstance(start, str):
        return " ".join(map(brief, start[:40]))
    return "\n".join(start.strip("\n").split("\n")[:_FIRST_LINES])


def _alphabet(corpus: Corpus) -> str:
    # The different characters or tokens, the most frequent ones first.
    seen = corpus.beginning(_MOST_COUNTED)
    counts = Counter(seen)
    shown = [_SPACES.get(str(each), each) for each, _ in counts.most_common(_MOST_TYPES)]
    listed = " ".join(map(brief, shown)) + (" ..." if len(counts) > len(shown) else "")
    if len(seen) == len(corpus):
        return say("{number:,} different: {listed}", number=len(counts), listed=listed)
    return say(
        "{number:,} different in the first {seen:,}: {listed}",
        number=len(counts),
        seen=len(seen),
        listed=listed,
    )


def vocab_html(vocab: Vocab) -> str:
    """Return a vocabulary as HTML: its most frequent tokens with their counts."""
    rows = [(vocab[token], quoted(token), f"{count:,}") for token, count in vocab.token_freqs[:10]]
    return headed(vocab_line(vocab), html_table(heads("index", "token", "count"), rows))


def vocab_line(vocab: Vocab) -> str:
    """Return what a session says of its vocabulary."""
    number = say_number(len(vocab), "{number:,} different token", "{number:,} different tokens")
    unk = vocab.to_tokens(0)
    return say("{number} ({kind}), 0 is {unk!r}", number=number, kind=vocab.token, unk=unk)


def batches_html(batches: Batches) -> str:
    """Return minibatches as HTML: their shape, an epoch of them, and what happens between two."""
    return headed(batches_line(batches), block(*_epoch(batches)))


def batches_line(batches: Batches) -> str:
    """Return what a session says of its minibatches."""
    config = batches.config
    return say(
        "{batching}: minibatches of {batch_size} x {num_steps} from {tokens}",
        batching=config.batching,
        batch_size=config.batch_size,
        num_steps=config.num_steps,
        tokens=_tokens(len(batches.ids)),
    )


def batches_text(batches: Batches) -> str:
    """Return minibatches as text: how many an epoch has, and how many tokens are left over."""
    return "\n  ".join([repr(batches), *_epoch(batches)])


def _epoch(batches: Batches) -> tuple[str, str]:
    # How many there are, and what becomes of the state.
    from rnn_magics.preview import preview  # noqa: PLC0415  (torch is already imported)

    epoch = preview(batches, 0)
    state = say("carried over") if batches.carries_state else say("reset for each minibatch")
    cut = say(
        "{minibatches} in an epoch that starts at offset {offset}, {tokens} left over",
        minibatches=_minibatches(epoch.num_batches),
        offset=epoch.offset,
        tokens=_tokens(epoch.left_over),
    )
    rest = say("state {state}; {tokens} held out", state=state, tokens=_tokens(len(batches.valid)))
    return cut, rest


def _minibatches(number: int) -> str:
    return say_number(number, "{number:,} minibatch", "{number:,} minibatches")


def _tokens(number: int) -> str:
    return say_number(number, "{number:,} token", "{number:,} tokens")


def preview_text(shown: BatchPreview) -> str:
    """Return the first minibatches as text: X, Y, and the position and tokens of each row."""
    lines = [
        say(
            "offset {offset}: {minibatches}, {tokens} left over",
            offset=shown.offset,
            minibatches=_minibatches(shown.num_batches),
            tokens=_tokens(shown.left_over),
        )
    ]
    for number, (X, Y) in enumerate(shown.batches):
        lines.append(
            say(
                "minibatch {number}, X and Y of shape {shape}:",
                number=number + 1,
                shape=tuple(X.shape),
            )
        )
        rows: list[Row] = [
            (
                int(shown.starts[number, row]),
                shortened(str(X[row].tolist()), _CELL_WIDTH),
                shortened(str(Y[row].tolist()), _CELL_WIDTH),
                shortened(_tokens_text(shown, number, row), _CELL_WIDTH),
            )
            for row in range(min(len(X), _ROWS_SHOWN))
        ]
        if len(X) > _ROWS_SHOWN:
            rows.append(
                (
                    "...",
                    say_number(
                        len(X) - _ROWS_SHOWN,
                        "{number} more row",
                        "{number} more rows",
                    ),
                    "",
                    "",
                )
            )
        lines.append(text_table(heads("at", "X", "Y", "tokens of X"), rows))
    return "\n".join(lines)


def _tokens_text(shown: BatchPreview, number: int, row: int) -> str:
    if shown.tokens is None:
        return ""
    tokens = shown.tokens[number][row]
    if all(isinstance(token, str) and len(token) == 1 for token in tokens):
        return repr("".join(tokens))
    return " ".join(map(brief, tokens))


def _slope(fit: ZipfFit | None) -> str:
    if fit is None:
        return ""
    return say("slope {slope:.3f}", slope=fit.slope) if fit.holds else say("no Zipf's law")


def statistics_text(statistics: TextStatistics) -> str:
    """Return statistics as text: the most frequent n-grams, Zipf's law, and coverage."""
    frequent, sizes = _statistics(statistics)
    return f"{text_table(*frequent)}\n\n{text_table(*sizes)}"


def statistics_html(statistics: TextStatistics, drawn: str) -> str:
    """Return the same tables as HTML, beside each other, above their picture as base64."""
    tables = [table(*each) for each in _statistics(statistics)]
    return block(side_by_side(tables), picture(drawn, attribute(say("Zipf's law"))))


def _statistics(statistics: TextStatistics) -> list[tuple[Row, Sequence[Row]]]:
    # The heads and rows of both tables.
    columns = []
    for counts in statistics.ngrams:
        top = counts.most_common(10, statistics.vocab)
        columns.append([f"{'-'.join(map(brief, ngram))} {count:,}" for ngram, count in top])
    depth = max(map(len, columns))
    padded = [column + [""] * (depth - len(column)) for column in columns]
    rows = list(zip(*padded, strict=True))
    slopes = [_slope(fit) for fit in statistics.fits]
    types = [
        say_number(
            len(counts.counts),
            "{number:,} type",
            "{number:,} types",
        )
        for counts in statistics.ngrams
    ]
    frequent = heads("tokens", "bigrams", "trigrams"), [*rows, types, slopes]
    oov = statistics.oov_rates or [None] * len(statistics.sizes)
    covered = [
        (f"{size:,}", f"{share:.1%}", "" if rate is None else f"{rate:.1%}")
        for size, share, rate in zip(statistics.sizes, statistics.covered, oov, strict=True)
    ]
    sizes = heads("vocabulary size", "text covered", "held-out unknown"), covered
    return [frequent, sizes]
