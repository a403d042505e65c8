"""Fields: the text of a record, and one line for each record that has none."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.formats.fields import named, texts

CHAT = {"id": 7, "messages": [{"role": "user", "content": "Hi"}, {"role": "bot", "content": "Ho"}]}


@pytest.mark.parametrize(
    ("record", "field", "text"),
    [
        ("a line", None, "a line"),
        ({"text": "a", "label": 1}, None, "a"),
        ({"body": "a"}, None, "a"),
        ({"body": "a", "text": "b"}, "body", "a"),
        ({"paragraphs": ["春眠不覺曉", "處處聞啼鳥"]}, "paragraphs", "春眠不覺曉\n處處聞啼鳥"),
        (CHAT, "messages.content", "Hi\nHo"),
        ({"a": {"b": {"c": "deep"}}}, "a.b.c", "deep"),
        ({"a.b": "whole", "a": {"b": "parts"}}, "a.b", "whole"),
        ({"text": []}, "text", ""),
        ({"text": "a\r\nb\rc"}, "text", "a\nb\nc"),
        (["one", "two"], None, "one\ntwo"),
    ],
)
def test_the_text_of_a_record(record: Any, field: str | None, text: str) -> None:
    assert list(texts([record], field, "x")) == [text]


def test_the_field_is_chosen_by_the_first_record() -> None:
    with pytest.raises(CorpusError, match=r"record 2 of 'x' has no field 'text' \(it has 'body'\)"):
        list(texts([{"text": "a", "body": "b"}, {"body": "c"}], None, "x"))


@pytest.mark.parametrize(
    ("record", "field", "said"),
    [
        ({"body": "b"}, "text", "record 1,207 of 'x' has no field 'text' (it has 'body'); name"),
        ({}, "text", "record 1,207 of 'x' has no field 'text' (it has none); name another"),
        ({"text": None}, "text", "record 1,207 of 'x': the field 'text' is empty (null); name"),
        ({"text": [1, 2]}, "text", "record 1,207 of 'x': the field 'text' holds a number, not"),
        ({"text": 2.5}, "text", "the field 'text' holds a number, not text"),
        ({"text": True}, "text", "the field 'text' holds true or false, not text"),
        ({"text": {"a": "b"}}, "text", "the field 'text' holds a dict, not text"),
        ({"text": ["a", None]}, "text", "the field 'text' is empty (null)"),
        ({"text": b"a"}, "text", "the field 'text' holds a bytes, not text"),
        ({"text": "a\0b"}, "text", "record 1,207 of 'x' has a zero character"),
        ("a line", "text", "a text has no field 'text'; leave --field out"),
        ({"a": "b"}, "a.b", "a text has no field 'b'; name another with --field"),
        ({"a": [3]}, "a.b", "a number has no field 'b'; name another with --field"),
    ],
)
def test_a_record_without_text_is_named(record: Any, field: str, said: str) -> None:
    before = {"text": "fine", "a": {"b": "fine"}}
    records = [*[before] * 1206, record]
    with pytest.raises(CorpusError) as caught:
        list(texts(records, field, "x"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"a": "x", "b": "y"},
            "record 1 of 'x' has the fields 'a', 'b'; say which one is the text:",
        ),
        ({}, "record 1 of 'x' has no fields; take the record out"),
        (3, "record 1 of 'x' holds a number, not text"),
        (None, "record 1 of 'x' is empty (null)"),
    ],
)
def test_a_field_that_cannot_be_guessed_is_asked_for(record: Any, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        list(texts([record], None, "x"))
    assert said in str(caught.value)


def test_of_many_fields_the_first_are_named() -> None:
    assert named(f"f{i}" for i in range(10)).endswith("'f7' and 2 more")
    assert named(["a\n\x1b[1m"]) == "'a\\n\\x1b[1m'"


def test_a_path_through_many_levels_is_no_error_of_ours() -> None:
    record: Any = "x"
    for _ in range(200):
        record = [record]
    assert list(texts([record], None, "x")) == ["x"]
