"""Packed files: a stream of bytes comes out, up to a limit, or one clear line.

One layer is unpacked. Nothing is written to disk, so no path of an archive leads anywhere; an
archive that names one outside of itself is refused all the same, since it means harm.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import IO, Any

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say

ARCHIVE = ".zip"
MEGABYTE = 1_000_000
BLOCK_BYTES = 1 << 20
MOST_MEMBERS = 10_000
_MOST_NAMED = 3
_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0"}
_DENSE = (*_OPENERS, ARCHIVE, ".parquet")
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OverflowError)
_ENCRYPTED = 0x1  # of the flags of a member


def packing(name: str) -> str:
    """Return the suffix that says how a file is packed: ``.gz``, ``.bz2`` or ``.xz``, or none."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in _OPENERS else ""


def is_packed(data: bytes, name: str) -> bool:
    """Whether bytes begin as those of a file with that name do; also if it is not packed."""
    return data.startswith(_MAGIC.get(packing(name), b""))


def is_dense(name: str) -> bool:
    """Whether a file with that name is smaller than what comes out of it."""
    return PurePath(name).suffix.lower() in _DENSE


def is_archive(name: str) -> bool:
    """Whether the name of a file is that of a zip archive."""
    return PurePath(name).suffix.lower() == ARCHIVE


def parts(
    file: IO[bytes], name: str, pattern: str, what: str, limit: float
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the names of the files in a file, each with its bytes, unpacked.

    Parameters
    ----------
    file
        The open file.
    name
        Its name, whose end says how it is packed. A file that is no archive is its only part.
    pattern
        The path of one file or of a folder in an archive, or a pattern; empty for all of them. A
        ``*`` stands for any characters, slashes too.
    what
        The name of the source in error messages.
    limit
        The most MB that a packed file may have, unpacked.

    Raises
    ------
    CorpusError
        When it is damaged, encrypted or larger than the limit, has a path that leads out of the
        archive, or nothing in it fits the pattern.
    """
    if not is_archive(name):
        yield name, _blocks(file, packing(name), what, limit)
        return
    with _explained(what, say("a zip archive")):
        archive = zipfile.ZipFile(file)
    for info in _members(archive, pattern, what, limit):
        yield _path(info), _member_blocks(archive, info, what)


def _blocks(file: IO[bytes], suffix: str, what: str, limit: float) -> Iterator[bytes]:
    if not suffix:
        yield from _read(file)
        return
    size = 0
    with _explained(what, say("a {suffix} file", suffix=suffix)), _OPENERS[suffix](file) as inside:
        for block in _read(inside):
            size += len(block)
            if size > limit * MEGABYTE:
                raise _too_large(what, limit)
            yield block


def _member_blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> Iterator[bytes]:
    with _explained(what, say("a zip archive")), archive.open(info) as inside:
        yield from _read(inside)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block
    if block is None:  # what a special file of the kernel returns instead of blocking
        raise BlockingIOError(errno.EAGAIN, "")


def _members(
    archive: zipfile.ZipFile, pattern: str, what: str, limit: float
) -> list[zipfile.ZipInfo]:
    # Without hidden ones, in the order of their paths; of two with the same path, the last.
    every = archive.infolist()
    for info in every:
        _require_inside(info, what)
    named = {_path(each): each for each in every if not each.is_dir()}
    there = [name for name in sorted(named) if not _is_hidden(name)]
    found = [named[pattern]] if pattern in named else [named[n] for n in there if _fits(n, pattern)]
    if not found:
        if there:
            text = marked("{what!r} fits no file of the archive (it has {names})")
        else:
            text = marked("{what!r} fits no file of the archive (it has no files)")
        more = ", ..." * (len(there) > _MOST_NAMED)
        names = ", ".join(map(repr, there[:_MOST_NAMED])) + more
        raise CorpusError(say(text, what=what, names=names))
    if len(found) > MOST_MEMBERS:
        raise CorpusError(
            say(
                "{what!r} stands for more than {most:,} files; name fewer of them by a pattern"
                " behind the name of the archive, such as /a*.txt",
                what=what,
                most=MOST_MEMBERS,
            )
        )
    for info in found:
        _require_readable(info, what)
    if sum(info.file_size for info in found) > limit * MEGABYTE:
        raise _too_large(what, limit)
    return found


def _path(info: zipfile.ZipInfo) -> str:
    return PurePosixPath(info.filename).as_posix()


def _fits(name: str, pattern: str) -> bool:
    return not pattern or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") for part in parts) or parts[:1] == ("__MACOSX",)


def _require_inside(info: zipfile.ZipInfo, what: str) -> None:
    name = info.orig_filename
    path = PureWindowsPath(name)  # which knows slashes, too
    if ".." in path.parts or path.drive or path.root:
        raise CorpusError(
            say(
                "{what!r} is not read: {name!r} in it is a path that leaves the archive; unpack it"
                " with care, and name its files",
                what=what,
                name=name,
            )
        )


def _require_readable(info: zipfile.ZipInfo, what: str) -> None:
    text = ""
    if info.flag_bits & _ENCRYPTED:
        text = marked(
            "{what!r} is not read: {name!r} in it is encrypted; unpack it with its password, and"
            " name its files"
        )
    elif stat.S_ISLNK(info.external_attr >> 16):
        text = marked(
            "{what!r} is not read: {name!r} in it is a link, not a file; unpack the archive, and"
            " name its files"
        )
    elif is_archive(info.filename) or packing(info.filename):
        text = marked(
            "{what!r} is not read: {name!r} in it is packed once more; unpack the archive, and name"
            " its files"
        )
    if text:
        raise CorpusError(say(text, what=what, name=info.filename))


def _too_large(what: str, limit: float) -> CorpusError:
    return CorpusError(
        say(
            "{what!r} is larger than {most:g} MB, unpacked; allow more with --max-unpacked MB",
            what=what,
            most=limit,
        )
    )


@contextmanager
def _explained(what: str, kind: str) -> Iterator[None]:
    broken: tuple[Any, ...] = (*_BROKEN, OSError, ValueError)
    try:
        yield
    except CorpusError:
        raise
    except (NotImplementedError, RuntimeError) as error:  # another method, or a password
        raise CorpusError(
            say(
                "{what!r} is {kind} that Python cannot unpack ({error}); unpack it and name its"
                " files",
                what=what,
                kind=kind,
                error=error,
            )
        ) from None
    except broken as error:
        raise CorpusError(
            say(
                "{what!r} is not {kind}, or it is damaged ({error}); fetch it again, or unpack it"
                " yourself and name its files",
                what=what,
                kind=kind,
                error=str(error) or type(error).__name__,
            )
        ) from None
