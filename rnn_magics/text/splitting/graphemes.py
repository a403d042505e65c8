"""Grapheme clusters: what a reader takes for one character."""

from __future__ import annotations

from rnn_magics.interrupts import whole_imports


def split_graphemes(text: str) -> list[str]:
    r"""Split into extended grapheme clusters (Unicode Standard Annex 29).

    A letter and its marks are one token, and so are an emoji of several characters, a syllable of
    Hangul, and ``\r\n``.
    """
    if text.isascii() and "\r" not in text:
        return list(text)
    with whole_imports():
        import regex  # noqa: PLC0415  (half a second, for this tokenizer alone)

    found: list[str] = regex.findall(r"\X", text)
    return found
