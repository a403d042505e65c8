"""Interrupts that arrive in the middle of an import, and imports that one ended half-way."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import rnn_magics
from rnn_magics import interrupts
from rnn_magics.interrupts import (
    forget_half_imports,
    half_import_behind,
    half_imports,
    whole_imports,
)

PRESS = "import os, signal, sys; os.kill(os.getpid(), signal.SIGINT)\n"
UNTIL_STRUCK = range(10**9)  # turns of a loop that only an interrupt ends


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose submodule presses Ctrl-C while it is imported, as `slow` does."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "__init__.py").write_text("import slow.first\nimport slow.second\n")
    (folder / "first.py").write_text("value = 1\n")
    (folder / "second.py").write_text(f"{PRESS}import slow\nvalue = slow.first.value + 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "slow"]:
        del sys.modules[name]


@pytest.fixture
def never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is not sent again, as if the body were over first."""
    monkeypatch.setattr(interrupts._Waiting, "_send_again", lambda _self: None)


def wait_for_interrupt() -> None:
    for _ in UNTIL_STRUCK:
        pass


def is_struck(body: Callable[[], object]) -> bool:
    """Whether an interrupt ends what is imported whole."""
    try:
        with whole_imports():
            body()
    except KeyboardInterrupt:
        return True
    return False


def cut_short() -> None:
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("slow")


def second() -> Any:
    return importlib.import_module("slow").second.value


@pytest.mark.usefixtures("package")
def test_an_interrupt_waits_for_the_end_of_the_import_and_strikes_then() -> None:
    reached: list[Any] = []

    def body() -> None:
        reached.append(second())
        wait_for_interrupt()
        reached.append("never")

    assert is_struck(body)
    assert reached == [2]
    assert half_imports() == []


@pytest.mark.usefixtures("package", "never_again")
def test_an_interrupt_that_nothing_was_left_to_strike_strikes_at_the_end() -> None:
    reached: list[Any] = []
    assert is_struck(lambda: reached.append(second()))
    assert reached == [2]


@pytest.mark.usefixtures("package", "never_again")
def test_an_error_is_not_replaced_by_the_interrupt_that_waited() -> None:
    def body() -> None:
        second()
        message = "mine"
        raise ValueError(message)

    with pytest.raises(ValueError, match="mine"):
        is_struck(body)


def test_many_presses_strike_once(package: Path) -> None:
    (package / "second.py").write_text(PRESS * 20)
    struck = []

    def body() -> None:
        importlib.import_module("slow")
        try:
            wait_for_interrupt()
        except KeyboardInterrupt:
            struck.append(1)

    assert not is_struck(body)
    assert struck == [1]


def test_outside_of_an_import_an_interrupt_strikes_at_once() -> None:
    reached: list[str] = []

    def body() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("never")

    assert is_struck(body)
    assert reached == []


def test_what_an_import_itself_calls_can_be_interrupted(package: Path) -> None:
    (package / "second.py").write_text(
        "from rnn_magics.interrupts import whole_imports\n"
        f"with whole_imports():\n    {PRESS}    sys.modules['slow.after'] = sys\n"
    )
    cut_short()
    assert "slow.after" not in sys.modules


@pytest.mark.usefixtures("package")
def test_a_handler_of_the_user_is_called_once_and_put_back() -> None:
    called: list[int] = []

    def mine(number: int, _frame: object) -> None:
        called.append(number)

    def body() -> None:
        with whole_imports():
            second()
            while not called:
                pass

    signal.signal(signal.SIGINT, mine)
    assert not is_struck(body)
    assert signal.getsignal(signal.SIGINT) is mine
    assert called == [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.usefixtures("package")
def test_an_ignored_interrupt_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert not is_struck(second)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_another_thread_changes_no_handler() -> None:
    seen: list[Any] = []

    def work() -> None:
        with whole_imports():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_a_compilation_is_not_cut_short() -> None:
    numba = pytest.importorskip("numba")
    extending = pytest.importorskip("numba.extending")
    reached: list[Any] = []

    @extending.intrinsic
    def seven(_typing: Any) -> Any:  # its inner function is called while numba compiles
        def codegen(context: Any, _builder: Any, signature: Any, _values: Any) -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("compiled")
            return context.get_constant(signature.return_type, 7)

        return numba.types.intp(), codegen

    call = numba.njit(lambda: seven())  # noqa: PLW0108  (it takes no intrinsic)

    def body() -> None:
        reached.append(call())
        wait_for_interrupt()

    assert is_struck(body)
    assert reached == ["compiled", 7]


def test_half_an_import_is_forgotten_and_done_again(package: Path) -> None:
    cut_short()
    assert half_imports() == ["slow"]
    (package / "second.py").write_text("import slow\nvalue = slow.first.value + 1  # no press\n")
    with pytest.raises(AttributeError, match="has no attribute 'first'"):
        importlib.import_module("slow")  # what Python does by itself
    with whole_imports():
        assert second() == 2
    assert half_imports() == []


@pytest.mark.usefixtures("package")
def test_half_an_import_with_an_extension_module_is_left_alone_and_named() -> None:
    cut_short()
    extension = ModuleType("slow.extension")
    extension.__spec__ = importlib.machinery.ModuleSpec(
        "slow.extension", importlib.machinery.ExtensionFileLoader("slow.extension", "slow.so")
    )
    sys.modules["slow.extension"] = extension
    forget_half_imports()
    assert {"slow.extension", "slow.first"} <= sys.modules.keys()
    assert half_import_behind(AttributeError("module 'slow' has no attribute 'first'")) == "slow"
    assert half_import_behind(AttributeError("module 'other' has no attribute 'first'")) == ""


@pytest.mark.usefixtures("package")
def test_the_public_names_are_imported_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(rnn_magics), "Corpus", raising=False)  # as if it were not used yet
    imported = importlib.import_module

    def slow_home(_name: str) -> None:
        imported("slow")
        wait_for_interrupt()

    monkeypatch.setattr(importlib, "import_module", slow_home)
    with pytest.raises(KeyboardInterrupt):
        rnn_magics.Corpus  # noqa: B018
    assert sys.modules["slow"].second.value == 2
