"""What ``%generate --novelty`` shows: a text with the copied spans marked."""

from __future__ import annotations

from rnn_magics.inspection.novelty import CopiedSpan, Novelty
from rnn_magics.language import say
from rnn_magics.notebook.show.escape import escaped
from rnn_magics.notebook.show.rich.markup import (
    Markup,
    attribute,
    block,
    bold,
    markup,
    title,
    words,
)
from rnn_magics.notebook.show.tables import heads, html_table, text_table
from rnn_magics.results import shortened, visible
from rnn_magics.tables import fitting

_SHOWN = 8  # spans, longest first
_WIDTH = 60


def novelty_text(novelty: Novelty, prefix: str = "") -> str:
    """Return the text with copied spans marked, their sources, and the shares of new n-grams."""
    spans = [_row(span) for span in _longest(novelty)]
    copied = f"{text_table(_heads(), spans)}\n" if spans else ""
    text = "".join(
        piece if span is None else f"[[{piece}]]{_place(novelty.spans[span])} "
        for piece, span in novelty.pieces
    )
    between = f"{say('copied spans between [[ and ]]:')}\n" if spans else ""
    shares = text_table(*_table_of(_shares(novelty)))
    return visible(f"{fitting(repr(novelty))}\n{between}{prefix}{text}\n{copied}{shares}")


def novelty_html(novelty: Novelty, prefix: str = "") -> str:
    """Return the verdict, the text with copied spans highlighted, and the same tables."""
    text = (
        markup(piece) if span is None else _marked(piece, novelty.spans[span])
        for piece, span in novelty.pieces
    )
    spans = html_table(_heads(), map(_row, _longest(novelty))) if novelty.spans else ""
    return block(
        title(novelty.said),
        words(bold(prefix) if prefix else "", *text),
        Markup(spans),
        f"{say('new, of')} {' · '.join(map(' '.join, _shares(novelty)))}",
    )


def _heads() -> tuple[str, ...]:
    return heads("tokens", "copied span", "source", "text of the source line")


def _marked(piece: str, span: CopiedSpan) -> Markup:
    return Markup(f"<mark title='{attribute(_place(span))}'>{escaped(piece)}</mark>")


def _longest(novelty: Novelty) -> list[CopiedSpan]:
    return sorted(novelty.spans, key=len, reverse=True)[:_SHOWN]


def _row(span: CopiedSpan) -> tuple[object, ...]:
    words = shortened(span.text, _WIDTH), _place(span), shortened(span.line_text, _WIDTH)
    return len(span), *words


def _place(span: CopiedSpan) -> str:
    return (
        say("token {number:,}", number=span.source)
        if span.line is None
        else say("line {number:,}", number=span.line)
    )


def _shares(novelty: Novelty) -> list[tuple[str, str]]:
    # Each length of n-grams, with the share of them that is new.
    return [(say("{order}-grams", order=n), f"{share:.0%}") for n, share in novelty.shares.items()]


def _table_of(shares: list[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    lengths, new = zip(*shares, strict=True) if shares else ((), ())
    return [say("new, of"), *lengths], [["", *new]]
