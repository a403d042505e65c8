"""How a corpus, its vocabulary, its minibatches and its statistics are shown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rnn_magics.notebook.show.rich.markup import block, folded, table, words
from rnn_magics.notebook.show.tables import Row, counted, headed, html_table, text_table
from rnn_magics.results import brief, quoted, shortened

if TYPE_CHECKING:
    from rnn_magics.batching import Batches, BatchPreview
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
    unit = "characters" if corpus.is_text else "tokens"
    held_out = f"{corpus.held_out_share:.0%} at the end" if corpus.held_out_share else "nothing"
    rows = [
        ("length", f"{len(corpus):,} {unit}{_lines(corpus)}; held out: {held_out}"),
        ("alphabet" if corpus.is_text else "types", _alphabet(corpus)),
        ("begins", words(_first_lines(corpus))),
    ]
    source = [
        ("from", shortened(corpus.origin, _ORIGIN_WIDTH)),
        ("cleaning", repr(corpus.config)),
        ("sha256", corpus.fingerprint[:16]),
    ]
    if corpus.behind is not None:
        source.insert(1, ("made of", repr(corpus.behind)))
    about = folded("where it comes from", table((), source))
    return headed(f"{brief(corpus.name)}: {len(corpus):,} {unit}", block(table((), rows), about))


def _lines(corpus: Corpus) -> str:
    data = corpus.data
    return f" in {counted(len(data.splitlines()), 'line')}" if isinstance(data, str) else ""


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
    partly = f" in the first {len(seen):,}" if len(seen) < len(corpus) else ""
    more = " ..." if len(counts) > len(shown) else ""
    return f"{len(counts):,} different{partly}: {' '.join(map(brief, shown))}{more}"


def vocab_html(vocab: Vocab) -> str:
    """Return a vocabulary as HTML: its most frequent tokens with their counts."""
    rows = [(vocab[token], quoted(token), f"{count:,}") for token, count in vocab.token_freqs[:10]]
    title = f"Vocab: {len(vocab):,} {vocab.token} tokens, 0 is {vocab.to_tokens(0)!r}"
    return headed(title, html_table(("index", "token", "count"), rows))


def batches_text(batches: Batches) -> str:
    """Return minibatches as text: how many an epoch has, and how many tokens are left over."""
    from rnn_magics.batching import preview  # noqa: PLC0415  (torch is already imported)

    epoch = preview(batches, 0)
    state = "carried over" if batches.carries_state else "reset for each minibatch"
    return (
        f"{batches!r}\n"
        f"  {counted(epoch.num_batches, 'minibatch', 'minibatches')} in an epoch that starts at"
        f" offset {epoch.offset}, {counted(epoch.left_over, 'token')} left over\n"
        f"  state {state}; {counted(len(batches.valid), 'token')} held out"
    )


def preview_text(shown: BatchPreview) -> str:
    """Return the first minibatches as text: X, Y, and the position and tokens of each row."""
    number_shown = counted(shown.num_batches, "minibatch", "minibatches")
    left_over = counted(shown.left_over, "token")
    lines = [f"offset {shown.offset}: {number_shown}, {left_over} left over"]
    for number, (X, Y) in enumerate(shown.batches):
        lines.append(f"minibatch {number + 1}, X and Y of shape {tuple(X.shape)}:")
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
            rows.append(("...", f"{len(X) - _ROWS_SHOWN} more rows", "", ""))
        lines.append(text_table(("at", "X", "Y", "tokens of X"), rows))
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
    return f"slope {fit.slope:.3f}" if fit.holds else "no Zipf's law"


def statistics_text(statistics: TextStatistics) -> str:
    """Return statistics as text: the most frequent n-grams, Zipf's law, and coverage."""
    columns = []
    for counts in statistics.ngrams:
        top = counts.most_common(10, statistics.vocab)
        columns.append([f"{'-'.join(map(brief, ngram))} {count:,}" for ngram, count in top])
    depth = max(map(len, columns))
    padded = [column + [""] * (depth - len(column)) for column in columns]
    rows = list(zip(*padded, strict=True))
    slopes = [_slope(fit) for fit in statistics.fits]
    types = [f"{len(counts.counts):,} types" for counts in statistics.ngrams]
    frequent = text_table(("tokens", "bigrams", "trigrams"), [*rows, types, slopes])
    oov = statistics.oov_rates or [None] * len(statistics.sizes)
    covered = [
        (f"{size:,}", f"{share:.1%}", "" if rate is None else f"{rate:.1%}")
        for size, share, rate in zip(statistics.sizes, statistics.covered, oov, strict=True)
    ]
    sizes = text_table(("vocabulary size", "text covered", "held-out unknown"), covered)
    return f"{frequent}\n\n{sizes}"
