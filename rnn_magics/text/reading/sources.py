"""The sources of text: a built-in name, a file or a URL.

Nothing here knows about cleaning or tokens. Each function returns the raw text of a source, or
raises a `CorpusError` of one line that says what to do.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.options import did_you_mean
from rnn_magics.text.reading import poems
from rnn_magics.text.reading.download import DownloadConfig, download, keep
from rnn_magics.text.reading.encoding import decode, decoded, encoding_of
from rnn_magics.text.reading.python_texts import PYTHON_TEXTS

DATA_VARIABLE = "RNN_MAGICS_DATA"
STREAM_BYTES = 256 * 1024 * 1024  # a larger file is read piece by piece, each time it is needed
_BLOCK_BYTES = 1 << 20
_CHARSET = ".charset"  # of a file beside a download: the encoding that its server named


@dataclass(frozen=True)
class Source:
    """The raw text of one source, and where it came from."""

    text: str
    name: str
    origin: str
    notes: tuple[str, ...] = ()  # remarks on it, for the user

    def pieces(self) -> Iterator[str]:
        """Yield the text."""
        yield self.text

    @property
    def identity(self) -> tuple[str, ...]:
        """Identifies this text among others."""
        return ("text", hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True)
class LargeFile:
    """A text file that is not held in memory.

    Parameters
    ----------
    spec
        What the user typed.
    path
        The path of the file.
    name, origin
        As in a `Source`.
    encoding
        Its encoding; None for UTF-8, or the one that a byte order mark announces.
    size, changed
        Its size in bytes, and the time of its last change in nanoseconds.
    notes
        Remarks on it, for the user.
    """

    spec: str
    path: Path
    name: str
    origin: str
    encoding: str | None
    size: int
    changed: int
    notes: tuple[str, ...] = ()

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces of about a million characters.

        Raises
        ------
        CorpusError
            When it is not text, or has changed since.
        """
        yield from decoded(self._blocks(), self.encoding, self.spec)

    def _blocks(self) -> Iterator[bytes]:
        with _explained(self.path, self.spec), files.open_file(self.path) as file:
            now = os.fstat(file.fileno())
            if (now.st_size, now.st_mtime_ns) != (self.size, self.changed):
                msg = f"{self.spec!r} has changed since it was read; type %corpus again"
                raise CorpusError(msg)
            while block := file.read(_BLOCK_BYTES):
                yield block

    @property
    def identity(self) -> tuple[str, ...]:
        """Identifies this text among others."""
        path = str(self.path.absolute())
        return ("file", path, str(self.size), str(self.changed), self.encoding or "")


def is_url(spec: str) -> bool:
    """Whether a source is an ``http://`` or ``https://`` address."""
    return re.match(r"https?://", spec, re.IGNORECASE) is not None


def read_source(
    spec: str, encoding: str | None = None, config: DownloadConfig | None = None
) -> Source:
    """Read a built-in text, a URL or a file, whichever `spec` names.

    Parameters
    ----------
    spec
        A name of `BUILTINS`, an ``http://`` or ``https://`` URL, or a path.
    encoding
        The encoding of a file or a download. By default UTF-8, or the one that a byte order mark
        announces.
    config
        The limits of a download, and the sha256 that it must have.

    Raises
    ------
    CorpusError
        When there is no such source, or its bytes are not text.
    """
    if spec in BUILTINS:
        return BUILTINS[spec](spec)
    if is_url(spec):
        return _downloaded(spec, encoding, config or DownloadConfig())
    if re.match(r"[a-z][a-z0-9+.-]+://", spec, re.IGNORECASE):
        msg = f"{spec!r}: only http:// and https:// addresses can be read"
        raise CorpusError(msg)
    path = files.user_path(spec, CorpusError)
    text, doubts = _decoded(_read_file(path, spec), encoding, spec)
    return Source(text, path.stem, str(path), doubts)


def is_path(spec: str) -> bool:
    """Whether a source is a path: neither a built-in name nor an address."""
    return spec not in BUILTINS and not re.match(r"[a-z][a-z0-9+.-]+://", spec, re.IGNORECASE)


def file_size(spec: str) -> int:
    """Return the size of a file in bytes; 0 for any other source, and where there is no file."""
    if is_path(spec):
        with contextlib.suppress(OSError):  # reading it says what is wrong
            found = files.user_path(spec, CorpusError).stat()
            return found.st_size if stat.S_ISREG(found.st_mode) else 0
    return 0


def large_file(spec: str, encoding: str | None) -> LargeFile:
    """Return a file that stays on disk.

    Raises
    ------
    CorpusError
        When it cannot be examined.
    """
    path = files.user_path(spec, CorpusError)
    with _explained(path, spec):
        found = path.stat()
    size, changed = found.st_size, found.st_mtime_ns
    return LargeFile(spec, path, path.stem, str(path), encoding, size, changed)


def _read_file(path: Path, spec: str) -> bytes:
    with _explained(path, spec):
        return files.read_bytes(path)


@contextmanager
def _explained(path: Path, spec: str) -> Iterator[None]:
    # Turns every failure to read a file into one line, with advice.
    with files.in_one_line(CorpusError, f"{files.shown(spec)} cannot be read"):
        try:
            yield
        except FileNotFoundError:
            if _looks_like_name(spec):
                known = ", ".join(BUILTINS)
                near = did_you_mean(spec, BUILTINS)
                msg = f"unknown corpus {spec!r}{near} (built in: {known}; or give a path or a URL)"
            else:
                msg = f"there is no file {spec!r} in {str(Path.cwd())!r}"
            raise CorpusError(msg) from None
        except (IsADirectoryError, PermissionError):
            if not path.is_dir():  # on Windows, reading a folder is a PermissionError
                raise
            msg = f"{spec!r} is a folder; name one text file in it"
            raise CorpusError(msg) from None


def _looks_like_name(spec: str) -> bool:
    return re.fullmatch(r"[\w-]+", spec) is not None


def _downloaded(url: str, encoding: str | None, config: DownloadConfig) -> Source:
    kept = None if config.sha256 is None else cache_folder() / "downloads" / config.sha256
    data = None if kept is None else _kept(kept, config.sha256)  # need not be downloaded twice
    notes = []
    if data is not None and kept is not None:
        charset = _kept_charset(kept)
    else:
        got = download(url, config)
        data, charset = got.data, got.charset
        said = f"{url} has {len(data):,} bytes; to require exactly these next time:"
        notes.append(f"{said} --sha256 {got.sha256}")
        if got.is_page:
            notes.append(f"{url} is a web page ({got.content_type}): its tags are part of the text")
        if kept is not None:
            _keep(data, kept)
            if charset:
                _keep(charset.encode(), kept.with_suffix(_CHARSET))
    if encoding is None and (encoding := encoding_of(data, charset)):
        notes.append(f"{url} is read as {encoding}, since its server says charset={charset}")
    text, doubts = _decoded(data, encoding, url)
    name = Path(url.partition("?")[0].rstrip("/")).stem or "download"
    return Source(text, name, url, (*notes, *doubts))


def _decoded(data: bytes, encoding: str | None, spec: str) -> tuple[str, tuple[str, ...]]:
    # The text, and a doubt where it is probably read as what it is not.
    text = decode(data, encoding, spec)
    if encoding is None or data.isascii() or codecs.lookup(encoding).name.startswith("utf"):
        return text, ()
    try:
        data.decode()
    except UnicodeDecodeError:
        return text, ()
    doubt = (
        f"{spec} is read as {encoding}, but it is valid UTF-8: --encoding utf-8 if it is garbled"
    )
    return text, (doubt,)


def _kept_charset(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return files.read_bytes(path.with_suffix(_CHARSET)).decode()
    return ""


def _kept(path: Path, sha256: str | None) -> bytes | None:
    # The cached bytes; None if they are missing or have another sha256.
    with contextlib.suppress(OSError):
        data = files.read_bytes(path)
        return data if hashlib.sha256(data).hexdigest() == sha256 else None
    return None


def _keep(data: bytes, path: Path) -> None:
    with contextlib.suppress(OSError):  # the cache is only a convenience
        keep(data, path)


def _python_text(name: str) -> Source:
    text = PYTHON_TEXTS[name]
    return Source(text.read(), name, text.origin)


@dataclass(frozen=True)
class _PublicText:
    """A public-domain text known by its sha256: found, cached or downloaded."""

    filename: str
    sha256: str
    url: str

    def __call__(self, name: str) -> Source:
        data, path = self.read(name)
        return Source(decode(data, None, name), name, str(path))

    def read(self, name: str) -> tuple[bytes, Path]:
        """Return its bytes, and the file that has them."""
        for folder in _data_folders():
            path = files.reachable(folder / self.filename, CorpusError)
            if path.is_file():
                return self._checked(path, name), path
        path = cache_folder() / self.filename
        return _kept(path, self.sha256) or self._fetch(path, name), path

    def _checked(self, path: Path, name: str) -> bytes:
        data = _read_file(path, str(path))
        if hashlib.sha256(data).hexdigest() != self.sha256:
            msg = f"{str(path)!r} is not the published {name} (its sha256 differs); to use it"
            raise CorpusError(msg + " all the same, give its path")
        return data

    def _fetch(self, path: Path, name: str) -> bytes:
        try:
            data = download(self.url, DownloadConfig(sha256=self.sha256)).data
        except CorpusError as error:
            msg = (
                f"{name} cannot be downloaded ({error}); put {self.filename} into a folder and set"
                f" {DATA_VARIABLE} to it, or use %corpus python_docs (no download)"
            )
            raise CorpusError(msg) from None
        _keep(data, path)
        return data


def _tang_poems(name: str) -> Source:
    found = [
        _PublicText(f"{poems.FOLDER}/{file}", sha256, poems.ADDRESS + file).read(name)
        for file, sha256 in poems.SHA256.items()
    ]
    folder = found[0][1].parent
    return Source(poems.text_of(data for data, _ in found), name, str(folder))


def _data_folders() -> Iterator[Path]:
    for folder in os.environ.get(DATA_VARIABLE, "").split(os.pathsep):
        if folder:
            yield files.user_path(folder, CorpusError)


def cache_folder() -> Path:
    """Return the folder in which downloads are kept."""
    import pooch  # noqa: PLC0415  (needed for the cache only)

    return Path(pooch.os_cache("rnn_magics"))


BUILTINS: dict[str, Callable[[str], Source]] = {
    "python_docs": _python_text,
    "python_source": _python_text,
    "tang_poems": _tang_poems,
    "time_machine": _PublicText(
        "timemachine.txt",
        "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
        "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
    ),
    "tiny_shakespeare": _PublicText(
        "tinyshakespeare.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    ),
}
