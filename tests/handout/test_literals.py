"""Literals: whatever the text, the source gives it back."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.handout.literals import listed, path, pieces, string

ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates, too


@given(ANY)
def test_a_string_gives_its_text_back(text: str) -> None:
    source = string(text)
    assert ast.literal_eval(source) == text
    assert "\n" not in source
    source.encode()


@given(st.text(st.sampled_from("a\n'\"\\"), max_size=400))
def test_the_pieces_make_the_text(text: str) -> None:
    cut = pieces(text)
    names: dict[str, list[str]] = {}
    exec(listed("PIECES", cut), names)
    assert "".join(names["PIECES"]) == text
    assert all("\n" not in piece[:-1] for piece in cut)


@given(st.text(min_size=1, max_size=120).filter(lambda name: "\0" not in name))
def test_a_path_is_the_path(name: str) -> None:
    names: dict[str, str] = {}
    exec(path(name), names)
    assert names["path"] == name


def test_the_quotes_that_save_escapes_are_taken() -> None:
    assert string("don't") == '"don\'t"'
    assert string('say "x"') == "'say \"x\"'"
    assert string("\"'") == '"\\"\'"'
