"""Project Gutenberg: the book alone, whatever the pieces it comes in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.text.formats.gutenberg import book_alone, has_header

BOOK = "FRANKENSTEIN\n\nChapter 1\n\nI am by birth a Genevese.\n*** a star ***\nThe end"
START = "*** START OF THE PROJECT GUTENBERG EBOOK FRANKENSTEIN ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK FRANKENSTEIN ***"
WHOLE = f"The Project Gutenberg eBook of F\n\nTitle: F\n\n{START}\n\n{BOOK}\n\n\n{END}\n\nLicence\n"
OTHERS = [
    WHOLE.replace("OF THE", "OF THIS"),
    WHOLE.replace("*** START", "***START").replace("*** END", "***END"),
    WHOLE.replace(END, f"End of the Project Gutenberg EBook of F\n\n{END}"),
    WHOLE.replace(START, f"{START}\n\n\nProduced by Judith Boss and\nothers"),
    WHOLE.replace(START, f"{START}\n\nE-text prepared by A\n\nTranscribed by B"),
    WHOLE.replace(START, "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"),
    WHOLE.partition(END)[0].rstrip("\n"),  # cut short
]


def cut(text: str, places: list[int]) -> list[str]:
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(borders)]


@pytest.mark.parametrize("whole", [WHOLE, *OTHERS])
@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_a_book_is_left_alone_whatever_the_pieces(whole: str, places: list[int]) -> None:
    assert "".join(book_alone(cut(whole, places))) == BOOK


@given(st.text("ab\n*", max_size=40), st.lists(st.integers(0, 100), max_size=5))
def test_a_text_without_the_header_is_the_same(text: str, places: list[int]) -> None:
    assert "".join(book_alone(cut(text, places))) == text
    assert not has_header(text)


@given(st.text("ab\n* E", max_size=40), st.lists(st.integers(0, 200), max_size=5))
def test_pieces_do_not_matter(text: str, places: list[int]) -> None:
    whole = f"{START}\n{text}\n{END}\nLicence"
    assert "".join(book_alone(cut(whole, places))) == "".join(book_alone([whole]))


def test_the_end_is_a_line_of_its_own() -> None:
    text = "He wrote: *** END OF THE PROJECT GUTENBERG EBOOK ***"
    assert "".join(book_alone([f"{START}\n{text}\n{END}"])) == text


def test_a_header_far_into_a_text_is_none() -> None:
    text = "a\n" * 200_000 + WHOLE
    assert not has_header(text)
    assert "".join(book_alone([text])) == text
