"""Where compiled code is kept: a file for each function, its types and the CPU.

numba numbers the files of a function and lists them in an index. Two processes that compile at the
same time overwrite each other's index, and may give two sets of types one number: then a third
loads code of the wrong types. Here the name of a file says what is in it, so that nothing is shared
but whole files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile


class Kept(FunctionCache):
    """The compiled code of a function on disk.

    Parameters
    ----------
    function
        What is compiled.
    source
        All that the code depends on but the function itself. numba's own cache looks at the file of
        the function alone.

    Raises
    ------
    RuntimeError
        When numba finds no folder that it can write to.
    """

    def __init__(self, function: Callable[..., Any], source: str) -> None:
        super().__init__(function)
        self._cache_file = _Files(self.cache_path, self._impl.filename_base, source)

    def has(self, kernel: Any) -> bool:
        """Whether it has code of the kernel for this CPU, whatever the types."""
        return self._cache_file.has(kernel.targetctx.codegen().magic_tuple())


class _Files(IndexDataCacheFile):
    """numba's files without their index.

    A key is the types, the CPU with its features, and what tells the function.
    """

    def __init__(self, folder: str, function: str, source: str) -> None:
        super().__init__(folder, function, source)
        self._folder = Path(folder)
        self._function = function
        self._source = _digest(numba.__version__, source)

    def load(self, key: tuple[Any, ...]) -> Any:
        """Return what was saved; None if nothing was, or if a power failure cut it short."""
        with suppress(Exception):  # whatever is wrong with a file, the code is compiled again
            return self._load_data(self._name(key))
        return None

    def save(self, key: tuple[Any, ...], code: Any) -> None:
        """Keep code, and forget that of an earlier source; on a full disk, keep none."""
        with suppress(OSError):  # this process has the code all the same
            self._remove(lambda name: f".{self._source}." not in name)
            self._save_data(self._name(key), code)

    def flush(self) -> None:
        """Remove all code of the function."""
        self._remove(lambda name: name.startswith(f"{self._function}."))

    def has(self, cpu: Any) -> bool:
        """Whether there is any code for a CPU."""
        start = self._start(cpu)
        return any(file.name.startswith(start) for file in self._files())

    def _name(self, key: tuple[Any, ...]) -> str:
        _, cpu, _ = key
        return f"{self._start(cpu)}{_digest(key)}.nbc"

    def _start(self, cpu: Any) -> str:
        return f"{self._function}.{self._source}.{_digest(cpu)}."

    def _files(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except OSError:  # nothing was ever kept
            return []

    def _remove(self, is_old: Callable[[str], bool]) -> None:
        for file in self._files():
            if file.suffix in {".nbc", ".nbi"} and is_old(file.name):
                file.unlink(missing_ok=True)


def _digest(*parts: Any) -> str:
    # Types and CPUs are written the same way in every process, as their hashes are not.
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
