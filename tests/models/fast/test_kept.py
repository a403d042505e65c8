"""Compiled code on disk: found again, and never that of other types."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.models import fast
from rnn_magics.models.fast import compiling
from rnn_magics.models.fast.compiling import compiled


@pytest.fixture
def twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    (tmp_path / "fresh.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fresh", raising=False)
    return importlib.import_module("fresh").twice  # type: ignore[no-any-return]


def test_what_was_never_compiled_is_not_kept(twice: Callable[[Any], Any]) -> None:
    first, later = compiled(twice), compiled(twice)
    assert not fast.is_kept(first)
    assert first(2) == 4
    assert fast.is_kept(first)
    assert not later.signatures
    assert fast.is_kept(later)


def test_what_was_compiled_for_another_cpu_is_not_kept(
    twice: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(twice)(2)
    later = compiled(twice)
    codegen = later.targetctx.codegen()
    monkeypatch.setattr(type(codegen), "magic_tuple", lambda _codegen: ("another", "cpu", ""))
    assert not fast.is_kept(later)


def test_a_change_of_any_file_of_the_folder_makes_what_is_kept_invalid(
    twice: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(twice)(2)
    monkeypatch.setattr(compiling, "_source", lambda: "changed")
    later = compiled(twice)
    assert not fast.is_kept(later)
    assert later(2) == 4
    assert fast.is_kept(compiled(twice))


VALUES = ("2", "2.0", "2j", "True")
AT_ONCE = """
import sys, time
from pathlib import Path
from rnn_magics.models.fast import kept
from rnn_magics.models.fast.compiling import compiled
sys.path.insert(0, {folder!r})
import fresh

def wait_for_all():
    Path({folder!r}, f"ready {{sys.argv[1]}}").touch()
    for _ in range(60_000):
        if len(list(Path({folder!r}).glob("ready *"))) == {number}:
            return
        time.sleep(0.001)

class Kept(kept.Kept):
    def save_overload(self, *code):
        wait_for_all()
        super().save_overload(*code)

twice = compiled(fresh.twice)
twice._cache.__class__ = Kept
twice(eval(sys.argv[1]))
"""


def test_processes_that_compile_at_once_keep_each_its_own(
    twice: Callable[[Any], Any], tmp_path: Path
) -> None:
    script = AT_ONCE.format(folder=str(tmp_path), number=len(VALUES))
    running = [subprocess.Popen([sys.executable, "-c", script, value]) for value in VALUES]
    assert [process.wait(120) for process in running] == [0] * len(VALUES)
    loading = compiled(twice)
    given = [eval(value) for value in VALUES]
    assert [loading(value) for value in given] == [2 * value for value in given]
    assert list(loading.stats.cache_hits.values()) == [1] * len(VALUES)
    assert not loading.stats.cache_misses


def kept_files(twice: Callable[[Any], Any]) -> list[Path]:
    return list(Path(compiled(twice)._cache.cache_path).glob("fresh.twice-*"))


def test_a_file_that_was_cut_short_is_compiled_again(twice: Callable[[Any], Any]) -> None:
    compiled(twice)(2)
    (file,) = kept_files(twice)
    whole = file.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        again, later = compiled(twice), compiled(twice)
        assert (again(2), later(2)) == (4, 4)
        assert (bool(again.stats.cache_hits), bool(later.stats.cache_hits)) == (False, True)


def test_a_full_disk_keeps_nothing_and_stops_nothing(
    twice: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_part: str, _path: str) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "replace", full)
    assert compiled(twice)(2) == 4
    assert kept_files(twice) == []


def test_code_of_an_earlier_source_is_removed(
    twice: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(twice)(2)
    (earlier,) = kept_files(twice)
    numbas_own = earlier.with_name("fresh.twice-1.py311.nbi")
    numbas_own.touch()
    monkeypatch.setattr(compiling, "_source", lambda: "changed")
    compiled(twice)(2)
    (now,) = kept_files(twice)
    assert now != earlier
