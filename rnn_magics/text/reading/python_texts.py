"""Texts that every Python carries: its language reference, and the source of its library."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say

MOST_CHARACTERS = 2_000_000


def language_reference() -> str:
    """Return the language reference, of which ``help()`` shows parts."""
    from pydoc_data.topics import topics  # noqa: PLC0415  (400 kB of text)

    return "\n\n".join(topics[key].strip() for key in sorted(topics)) + "\n"


def library_source() -> str:
    """Return the top-level modules of the standard library, in order of name.

    They are cut at two million characters. Two machines have the same text if they have the same
    version of Python, as long as nobody has patched its library.

    Raises
    ------
    CorpusError
        When this Python comes without its source files, or they cannot be read.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [folder / f"{name}.py" for name in sorted(sys.stdlib_module_names)]
    parts, length = [], 0
    with files.in_one_line(CorpusError, say("{path} cannot be read", path=files.shown(folder))):
        for path in filter(Path.is_file, paths):
            with files.open_file(path, "r", "utf-8") as file:
                parts.append(file.read())
            length += len(parts[-1]) + 1
            if length > MOST_CHARACTERS:
                break
    if not parts:
        raise CorpusError(
            say(
                "this Python has no source files in {folder}; use %corpus python_docs",
                folder=files.shown(folder),
            )
        )
    return "\n".join(parts)[:MOST_CHARACTERS]


@dataclass(frozen=True)
class PythonText:
    """A text that comes with Python: the function that reads it, and where it comes from."""

    read: Callable[[], str]
    origin: str


PYTHON_TEXTS = {
    "python_docs": PythonText(language_reference, marked("pydoc_data.topics of this Python")),
    "python_source": PythonText(library_source, marked("the standard library of this Python")),
}
