"""How generated texts and scores look in a notebook: the prefix in bold, tokens by surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_magics.decoding.prefix import named_unknown
from rnn_magics.decoding.score import MOST_EXPECTED
from rnn_magics.digits import rounded
from rnn_magics.language import say, say_number
from rnn_magics.notebook.show.decoded import apart, likelier, token_row
from rnn_magics.notebook.show.novelty import novelty_html
from rnn_magics.notebook.show.rich.markup import (
    Markup,
    block,
    bold,
    folded,
    muted,
    shaded,
    side_by_side,
    table,
    words,
)
from rnn_magics.notebook.show.rich.markup import title as titled
from rnn_magics.notebook.show.tables import heads
from rnn_magics.results import brief, shortened

if TYPE_CHECKING:
    from rnn_magics.decoding.score import Score
    from rnn_magics.inspection.novelty import Novelty
    from rnn_magics.notebook.show.decoded import Generations

_LEAST_BITS = 1.0  # the darkest shade means this at least
_ROWS = 12
_ALTERNATIVES = 3
_TEXTS = 24  # side by side
_CHARACTERS = 4000  # of each


def written_html(prefix: str, text: str) -> str:
    """Return a text that a model writes or has written, its prefix set off."""
    return words(bold(prefix), text)


def generations_html(several: Generations) -> str:
    """Return several texts side by side, coloured by surprise if that was asked for.

    Short documents are a list.
    """
    if several.is_list and not several.scores:
        listed = words("\n".join(several.lines))
        return block(titled(several.said), listed, *map(_marked, several.novelties[:_TEXTS]))
    told = [apart(each) for each in several[:_TEXTS]]
    texts = [words(bold(prefix), shortened(text, _CHARACTERS)) for prefix, text in told]
    if several.novelties:
        prefixes = (prefix for prefix, _ in told)
        texts = [_marked(*both) for both in zip(several.novelties[:_TEXTS], prefixes, strict=True)]
    if several.scores:
        marked = texts if several.novelties else [Markup()] * len(told)
        scores = map(_coloured, several.scores[:_TEXTS])
        texts = [block(*both) for both in zip(scores, marked, strict=True)]
    captions = [muted(f"[{i}] {each.said}") for i, each in enumerate(several[:_TEXTS], start=1)]
    parts = (block(*both) for both in zip(captions, texts, strict=True))
    more = len(several) - _TEXTS
    return block(
        side_by_side(parts), muted(say("and {number:,} more", number=more)) if more > 0 else ""
    )


def score_html(score: Score) -> str:
    """Return a text, the darker a token the more surprising, and its most surprising tokens."""
    rows = [(place, *token_row(score, place)) for place in score.most_surprising[:_ROWS]]
    over = len(score.tokens) - score.first
    return block(
        titled(
            say_number(
                over,
                "perplexity {perplexity} over {number:,} token",
                "perplexity {perplexity} over {number:,} tokens",
                perplexity=rounded(score.perplexity, 2),
            )
        ),
        _coloured(score),
        folded(
            say("the most surprising tokens"), table(heads("at", "token", "bits", "likelier"), rows)
        ),
        muted(named_unknown(score.unknown)) if score.unknown else "",
    )


def _marked(novelty: Novelty, prefix: str = "") -> Markup:
    return Markup(novelty_html(novelty, prefix))


def _coloured(score: Score) -> Markup:
    first = score.first
    shown = range(first, min(first + MOST_EXPECTED, len(score.tokens)))
    most = max(_LEAST_BITS, *(score.surprise[place] for place in shown))
    prefix = "".join(map(brief, score.pieces[: score.num_prefix]))
    unscored = "".join(map(brief, score.pieces[score.num_prefix : first]))
    tokens = (
        shaded(brief(score.pieces[place]), score.surprise[place] / most, _says(score, place))
        for place in shown
    )
    rest = len(score.tokens) - shown.stop
    more = (
        muted(
            say_number(
                rest,
                " ... {number:,} more token",
                " ... {number:,} more tokens",
            )
        )
        if rest
        else ""
    )
    scale = Markup(" ").join(
        shaded(f" {share * most:.1f} ", share, say("bits")) for share in (0, 0.5, 1)
    )
    explained = say("bits: {scale}; point at a token for what was likely in its place", scale=scale)
    key = muted(Markup(explained))
    return block(words(bold(prefix) if prefix else "", unscored, *tokens, more), key)


def _says(score: Score, place: int) -> str:
    token, told, _ = token_row(score, place)
    chance = 2.0 ** -score.surprise[place]
    others = likelier(score, place, _ALTERNATIVES)
    said = say("{token}: {bits} bits, {chance:.1%}", token=token, bits=told, chance=chance)
    return say("{clause}; also {others}", clause=said, others=others) if others else said
