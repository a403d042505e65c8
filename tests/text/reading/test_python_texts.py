"""Texts that every Python carries."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.reading import python_texts
from rnn_magics.text.reading.python_texts import PYTHON_TEXTS, library_source
from rnn_magics.text.reading.sources import BUILTINS, read_source


@pytest.mark.parametrize("name", PYTHON_TEXTS)
def test_they_need_no_file_of_the_user(name: str) -> None:
    source = read_source(name)
    assert name in BUILTINS
    assert (source.name, source.origin) == (name, PYTHON_TEXTS[name].origin)
    assert len(source.text) > 200_000
    assert "\r" not in source.text


def test_the_source_of_the_library_is_its_modules_in_order_of_name_and_cut() -> None:
    text = library_source()
    assert len(text) == python_texts.MOST_CHARACTERS
    assert text.startswith((Path(sysconfig.get_path("stdlib")) / "__future__.py").read_text())
    abc, argparse = text.index("Abstract Base Classes (ABCs) according"), text.index("Command-line")
    assert abc < argparse


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A standard library of our own, which has three modules."""
    monkeypatch.setattr(sysconfig, "get_path", {"stdlib": str(tmp_path)}.__getitem__)
    monkeypatch.setattr(sys, "stdlib_module_names", frozenset({"b", "a", "c", "compiled"}))
    for name in "abc":
        (tmp_path / f"{name}.py").write_bytes(f"# {name}\r\n# \u00e9\n".encode())
    return tmp_path


def test_what_is_no_module_of_the_standard_library_is_left_out(library: Path) -> None:
    (library / "_sysconfigdata_of_one_machine.py").write_text("secret = 1")
    (library / "compiled.so").write_bytes(b"\x7fELF")
    assert library_source() == "# a\n# \u00e9\n\n# b\n# \u00e9\n\n# c\n# \u00e9\n"


@pytest.mark.usefixtures("library")
def test_the_cut_is_made_at_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = library_source()
    for most in range(1, len(whole)):
        monkeypatch.setattr(python_texts, "MOST_CHARACTERS", most)
        assert library_source() == whole[:most]


def test_a_python_without_its_sources_says_so(library: Path) -> None:
    for path in library.glob("*.py"):
        path.unlink()
    with pytest.raises(CorpusError, match=r"has no source files in .*; use %corpus python_docs"):
        library_source()


def test_what_is_not_utf8_is_one_line(library: Path) -> None:
    (library / "b.py").write_bytes(b"\xff")
    with pytest.raises(CorpusError, match="cannot be read") as caught:
        library_source()
    assert "\n" not in str(caught.value)
