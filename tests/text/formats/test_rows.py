"""Rows of JSON, JSON lines, CSV, TSV and Parquet, in pieces cut anywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.formats import rows

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=6,
)


def cut(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


@given(st.lists(VALUES, max_size=5), st.integers(1, 9))
def test_json_is_read_whatever_the_pieces(values: list[Any], size: int) -> None:
    assert list(rows.json_rows(cut(json.dumps(values), size), "x")) == values
    lines = "\n\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    assert list(rows.json_lines(cut(lines, size), "x")) == values


@given(
    st.lists(st.lists(PLAIN, min_size=2, max_size=2), max_size=5), st.integers(1, 9), st.booleans()
)
def test_separated_values_are_read_whatever_the_pieces(
    cells: list[list[str]],
    size: int,
    tabs: bool,  # noqa: FBT001  (hypothesis hands it in)
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t" if tabs else ",", lineterminator="\n")
    writer.writerows([["a", "b"], *cells])
    read = rows.tab_rows if tabs else rows.comma_rows
    found = list(read(cut(file.getvalue(), size), "x"))
    assert found == [{"a": one, "b": two} for one, two in cells]


@pytest.mark.parametrize(("head", "row"), [("a;b", "1;2"), ("a\tb", "1\t2"), ("a,b", "1,2")])
def test_the_head_says_what_separates(head: str, row: str) -> None:
    assert list(rows.comma_rows([f"{head}\n{row}"], "x")) == [{"a": "1", "b": "2"}]


def test_a_value_that_is_no_list_is_one_record() -> None:
    assert list(rows.json_rows(['{"a": 1}'], "x")) == [{"a": 1}]


def test_empty_files_have_no_rows() -> None:
    assert list(rows.json_lines([""], "x")) == []
    assert list(rows.comma_rows([""], "x")) == []
    assert list(rows.comma_rows(["a,b\n\n\n"], "x")) == []


def test_a_short_row_has_the_fields_that_it_has() -> None:
    assert list(rows.comma_rows(["a,b\n1\n"], "x")) == [{"a": "1"}]


def test_a_long_cell_is_read_and_the_limit_of_others_stays() -> None:
    before = csv.field_size_limit()
    text = "z" * (before + 1)
    assert list(rows.comma_rows([f'a\n"{text}"\n'], "x")) == [{"a": text}]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (rows.json_rows, "[1, 2", "'x' is not JSON (Expecting ',' delimiter: line 1 column 6"),
        (rows.json_rows, '{"a": 1}\n{"a": 2}\n', "if it has a value on each line: --as jsonl"),
        (rows.json_rows, "", "'x' is not JSON (Expecting value"),
        (rows.json_rows, "[" * 100_000, "'x' is not JSON ("),
        (rows.json_lines, '{"a": 1}\n\n{"a": \n', "line 3 of 'x' is not JSON ("),
        (rows.json_lines, "[" * 100_000, "line 1 of 'x' is not JSON ("),
        (rows.comma_rows, 'a,b\n1,"open', "line 2 of 'x' cannot be read (unexpected end of data)"),
        (rows.comma_rows, "a,b\n1,2\nOh, well, no\n", "record 2 of 'x' has 3 cells and the first"),
        (rows.tab_rows, "a\n1\t2\n", "a text with '\\t' needs quotes"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(read: Any, text: str, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        list(read([text], "x"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "begins", "what"),
    [
        (rows.json_rows, '[1, 2, "', "record 3 of 'x'"),
        (rows.json_lines, "", "'x' has a line"),
        (rows.comma_rows, "", "'x' has a line"),
    ],
)
def test_what_is_too_large_for_memory_is_refused(
    read: Any, begins: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_CHARACTERS", 1_000)
    with pytest.raises(CorpusError, match=rf"{what}.* more than 1,000 characters"):
        list(read(iter([begins, *["x" * 100] * 11]), "x"))


def test_lines_are_read_as_they_arrive() -> None:
    given_up = iter(['{"a": 1}\n{"a"', ": 2}\n", '{"a": 3}'])
    found = rows.json_lines(given_up, "x")
    assert next(found) == {"a": 1}
    assert len(list(given_up)) == 2


def test_a_list_in_json_is_not_held() -> None:
    pieces = iter([f'{"[" if place == 0 else ""}{{"a": {place}}},' for place in range(10_000)])
    found = rows.json_rows(pieces, "x")
    assert next(found) == {"a": 0}
    assert len(list(pieces)) > 9_990


def table(**columns: list[Any]) -> io.BytesIO:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[parquet]'")
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=2)
    file.seek(0)
    return file


def test_a_table_is_read_by_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_AT_ONCE", 2)
    file = table(text=["a", "b", None], n=[1, 2, 3])
    assert list(rows.parquet_rows(file, None, "x")) == [
        {"text": "a", "n": 1},
        {"text": "b", "n": 2},
        {"text": None, "n": 3},
    ]


@pytest.mark.parametrize(
    ("field", "first"),
    [("b", {"b": {"c": "x"}}), ("b.c", {"b": {"c": "x"}}), ("z", {"a": 1, "b": {"c": "x"}})],
)
def test_only_the_column_of_the_field_is_read(field: str, first: dict[str, Any]) -> None:
    file = table(a=[1], b=[{"c": "x"}])
    assert list(rows.parquet_rows(file, field, "x")) == [first]


def test_what_is_no_table_is_called_so() -> None:
    table(a=[1])  # skips without pyarrow
    with pytest.raises(CorpusError, match="'x' is not Parquet, or it is damaged; fetch it again"):
        list(rows.parquet_rows(io.BytesIO(b"PAR1 or not"), None, "x"))


def test_a_reader_that_is_left_early_says_nothing() -> None:
    found = rows.parquet_rows(table(a=["x", "y", "z"]), None, "x")
    next(found)
    found.close()  # type: ignore[attr-defined]  # a generator


def test_without_pyarrow_one_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(CorpusError) as caught:
        list(rows.parquet_rows(io.BytesIO(), None, "t.parquet"))
    assert str(caught.value) == (
        "reading 't.parquet' needs pyarrow: pip install 'rnn_magics[parquet]'"
    )
