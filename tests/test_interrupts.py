"""Interrupts that arrive in the middle of an import, and imports that one ended half-way."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rnn_magics import interrupts
from rnn_magics.interrupts import (
    forget_half_imports,
    half_import_behind,
    half_imports,
    whole_imports,
)

PRESS = "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"
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
    (folder / "__init__.py").write_text("from slow import first\nfrom slow import second\n")
    (folder / "first.py").write_text("value = 1\n")
    (folder / "second.py").write_text(f"{PRESS}import slow\nvalue = slow.first.value + 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "slow"]:
        del sys.modules[name]


def wait_for_interrupt() -> None:
    for _ in UNTIL_STRUCK:
        pass


def cut_short() -> None:
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("slow")


def test_an_interrupt_waits_for_the_end_of_the_import_and_strikes_then(package: Path) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), whole_imports():
        import slow

        reached.append(slow.second.value)
        wait_for_interrupt()
        reached.append("never")
    assert reached == [2]
    assert half_imports() == []


def test_an_interrupt_that_nothing_was_left_to_strike_strikes_at_the_end(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts._Waiting, "_send_again", lambda _self: None)
    reached = []
    with pytest.raises(KeyboardInterrupt), whole_imports():
        reached.append(importlib.import_module("slow").second.value)
    assert reached == [2]


def test_an_error_is_not_replaced_by_the_interrupt_that_waited(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts._Waiting, "_send_again", lambda _self: None)
    with pytest.raises(ValueError, match="mine"), whole_imports():
        importlib.import_module("slow")
        raise ValueError("mine")


def test_many_presses_strike_once(package: Path) -> None:
    (package / "second.py").write_text(PRESS * 20)
    struck = 0
    with whole_imports():
        importlib.import_module("slow")
        try:
            wait_for_interrupt()
        except KeyboardInterrupt:
            struck += 1
    assert struck == 1


def test_outside_of_an_import_an_interrupt_strikes_at_once() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), whole_imports():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("never")
    assert reached == []


def test_what_is_itself_called_by_an_import_can_be_interrupted(package: Path) -> None:
    (package / "second.py").write_text(
        "from rnn_magics.interrupts import whole_imports\n"
        f"with whole_imports():\n    {PRESS}    after = True\n"
    )
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("slow")


def test_a_handler_of_the_user_is_called_and_put_back(package: Path) -> None:
    called: list[int] = []
    mine = lambda number, _frame: called.append(number)  # noqa: E731
    signal.signal(signal.SIGINT, mine)
    with whole_imports(), whole_imports():
        importlib.import_module("slow")
        while not called:
            pass
    assert signal.getsignal(signal.SIGINT) is mine
    assert called == [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_an_ignored_interrupt_stays_ignored(package: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with whole_imports():
        assert importlib.import_module("slow").second.value == 2
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
    from numba.extending import overload

    def helper(_x: Any) -> Any: ...

    @overload(helper)
    def compiled_helper(_x: Any) -> Any:  # called while numba compiles
        os.kill(os.getpid(), signal.SIGINT)
        return lambda _x: 7

    @numba.njit
    def call(x: int) -> Any:
        return helper(x)

    reached = []
    with pytest.raises(KeyboardInterrupt), whole_imports():
        reached.append(call(1))
        wait_for_interrupt()
    assert reached == [7]
    assert call.signatures


def test_half_an_import_is_forgotten_and_done_again(package: Path) -> None:
    cut_short()
    assert half_imports() == ["slow"]
    (package / "second.py").write_text("import slow\nvalue = slow.first.value + 1\n")
    importlib.invalidate_caches()
    with pytest.raises(AttributeError, match="has no attribute 'first'"):
        importlib.import_module("slow")  # what Python does by itself
    with whole_imports():
        assert importlib.import_module("slow").second.value == 2
    assert half_imports() == []


def test_half_an_import_with_an_extension_module_is_left_alone_and_named(package: Path) -> None:
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


def test_the_public_names_are_imported_whole(package: Path, monkeypatch: Any) -> None:
    import rnn_magics

    monkeypatch.setitem(rnn_magics._HOMES, "slow_name", "slow_home")
    monkeypatch.setattr(
        importlib, "import_module", lambda _name: __import__("slow") and wait_for_interrupt()
    )
    with pytest.raises(KeyboardInterrupt):
        rnn_magics.slow_name  # noqa: B018
    assert sys.modules["slow"].second.value == 2
