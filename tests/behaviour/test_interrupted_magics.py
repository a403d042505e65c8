"""Magics that an interrupt ends, and those that fail on half an import."""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from types import ModuleType

import pytest

from rnn_magics.notebook.line.parser import MagicParser
from tests.notebook.conftest import Notebook

MAGICS = ("vocab", "sample", "train_rnn", "generate the", "baseline", "rnn", "inspect_rnn batches")


@pytest.mark.parametrize("line", MAGICS)
def test_an_interrupt_is_one_line(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MagicParser, "parse", interrupted)
    said = prepared.refused(f"%{line}")
    assert (
        said == f"%{line.split(maxsplit=1)[0]} was interrupted; everything you had is still there"
    )


def test_an_interrupt_that_a_finally_has_replaced_is_one_line_too(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            _ = made_after_the_interrupt  # type: ignore[name-defined]  # noqa: F821

    monkeypatch.setattr(MagicParser, "parse", interrupted)
    assert prepared.refused("%vocab").startswith("%vocab was interrupted; ")


@pytest.fixture
def half_torn(monkeypatch: pytest.MonkeyPatch) -> None:
    extension = ModuleType("torn.extension")
    extension.__spec__ = ModuleSpec("torn.extension", ExtensionFileLoader("torn.extension", "t.so"))
    monkeypatch.setitem(sys.modules, "torn.extension", extension)


@pytest.mark.usefixtures("half_torn")
def test_what_fails_on_half_an_import_says_so_and_what_fails_otherwise_does_not(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(message: str) -> object:
        def parse(*_: object) -> None:
            raise AttributeError(message)

        return parse

    monkeypatch.setattr(MagicParser, "parse", failing("module 'torn' has no attribute 'x'"))
    assert prepared.refused("%vocab") == (
        "an earlier import of torn was cut short (by an interrupt?) and cannot be repeated in this"
        " kernel; restart the kernel"
    )
    monkeypatch.setattr(MagicParser, "parse", failing("a mistake of ours"))
    with pytest.raises(AttributeError, match="a mistake of ours"):
        prepared.run("%vocab")
