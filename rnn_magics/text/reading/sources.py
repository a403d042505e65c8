"""The sources of text: a built-in name, a file or a URL.

Nothing here knows about cleaning or tokens. Each function returns the raw text of a source, or
raises a `CorpusError` of one line that says what to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.options import did_you_mean
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.formats.hub import PREFIX, hub_records, is_hub
from rnn_magics.text.formats.packed import is_archive, is_dense, is_packed, packing
from rnn_magics.text.reading import poems
from rnn_magics.text.reading.download import DownloadConfig, download, keep
from rnn_magics.text.reading.encoding import decode, encoding_of
from rnn_magics.text.reading.progress import UNWATCHED, Meter
from rnn_magics.text.reading.python_texts import PYTHON_TEXTS
from rnn_magics.text.reading.source import LargeFile, Reading, Source, stem

DATA_VARIABLE = "RNN_MAGICS_DATA"
STREAM_BYTES = 256 * 1024 * 1024  # a larger file is read piece by piece, each time it is needed
_UNPACKED = 10  # times as large; more than texts are, as a rule
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_CHARSET = ".charset"  # of a file beside a download: the encoding that its server named


def is_url(spec: str) -> bool:
    """Whether a source is an ``http://`` or ``https://`` address."""
    return re.match(r"https?://", spec, re.IGNORECASE) is not None


def read_source(
    spec: str,
    encoding: str | None = None,
    config: DownloadConfig | None = None,
    how: FileConfig | None = None,
) -> Source:
    """Read a source; of an archive with several files, the first.

    Parameters
    ----------
    spec, encoding, config, how
        As for `read_sources`.

    Raises
    ------
    CorpusError
        As for `read_sources`.
    """
    return read_sources(spec, encoding, config, how)[0]


def read_sources(
    spec: str,
    encoding: str | None = None,
    config: DownloadConfig | None = None,
    how: FileConfig | None = None,
    meter: Meter = UNWATCHED,
) -> list[Source]:
    """Read a built-in text, a URL, a data set or a file; an archive has a source for each file.

    Parameters
    ----------
    spec
        A name of `BUILTINS`, an ``http://`` or ``https://`` URL, ``hf:NAME``, or a path. Behind
        the path of an archive, that of a file in it, or a pattern.
    encoding
        The encoding of a file or a download. By default UTF-8, or the one that a byte order mark
        announces.
    config
        The limits of a download, and the sha256 that it must have.
    how
        What the file is, and what of it is the text.
    meter
        Is told how much of a file has been read.

    Raises
    ------
    CorpusError
        When there is no such source, or it is not what it should be.
    """
    config, how = config or DownloadConfig(), how or FileConfig()
    if spec in BUILTINS:
        return [BUILTINS[spec](spec)]
    if is_url(spec):
        return _downloaded(spec, encoding, config, how)
    if is_hub(spec):
        found = hub_records(spec, how.field, config.max_download)
        return [Source.of_records(found, spec.removeprefix(PREFIX), spec)]
    if _SCHEME.match(spec):
        raise CorpusError(
            say("{spec!r}: only http:// and https:// addresses can be read", spec=spec)
        )
    return local_file(spec, encoding, how).in_memory(meter)


def is_path(spec: str) -> bool:
    """Whether a source is a path: neither a built-in name nor an address nor a data set."""
    return spec not in BUILTINS and not is_hub(spec) and not _SCHEME.match(spec)


def disk_size(spec: str) -> int:
    """Return the size of a file in bytes; 0 for any other source, and where there is no file."""
    if is_path(spec):
        with contextlib.suppress(OSError):  # reading it says what is wrong
            found = located(spec)[0].stat()
            return found.st_size if stat.S_ISREG(found.st_mode) else 0
    return 0


def text_size(spec: str) -> int:
    """Return about how many bytes a file has when it is unpacked; 0 as for `disk_size`."""
    size = disk_size(spec)
    return size * _UNPACKED if size and is_dense(located(spec)[0].name) else size


def local_file(spec: str, encoding: str | None, how: FileConfig) -> LargeFile:
    """Return a file that stays on disk until it is read.

    Raises
    ------
    CorpusError
        When it cannot be examined.
    """
    path, pattern = located(spec)
    with _explained(path, spec):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError
    reading = Reading(spec, path.name, encoding, how, pattern)
    size, changed = found.st_size, found.st_mtime_ns
    return LargeFile(reading, path, stem(path.name), str(path), size, changed)


def located(spec: str) -> tuple[Path, str]:
    """Return the path of a file, and what is read of it if it is an archive.

    Raises
    ------
    CorpusError
        When no file can have that path.
    """
    path = files.user_path(spec, CorpusError)
    with files.in_one_line(CorpusError, files.shown(spec)):
        if not path.exists():
            for above in path.parents:
                if is_archive(above.name) and above.is_file():
                    return above, path.relative_to(above).as_posix()
    return path, ""


@contextmanager
def _explained(path: Path, spec: str) -> Iterator[None]:
    # Turns every failure to examine a file into one line, with advice.
    with files.in_one_line(CorpusError, say("{path} cannot be read", path=files.shown(spec))):
        try:
            yield
        except FileNotFoundError:
            if _looks_like_name(spec):
                msg = say(
                    "unknown corpus {spec!r}{near} (built in: {known}; or give a path or a URL)",
                    spec=spec,
                    near=did_you_mean(spec, BUILTINS),
                    known=", ".join(BUILTINS),
                )
            else:
                msg = say("there is no file {spec!r} in {here!r}", spec=spec, here=str(Path.cwd()))
            raise CorpusError(msg) from None
        except (IsADirectoryError, PermissionError):
            if not path.is_dir():  # on Windows, reading a folder is a PermissionError
                raise
            raise CorpusError(
                say("{spec!r} is a folder; name one text file in it", spec=spec)
            ) from None


def _looks_like_name(spec: str) -> bool:
    return re.fullmatch(r"[\w-]+", spec) is not None


def _downloaded(
    url: str, encoding: str | None, config: DownloadConfig, how: FileConfig
) -> list[Source]:
    kept = None if config.sha256 is None else cache_folder() / "downloads" / config.sha256
    data = None if kept is None else _kept(kept, config.sha256)  # need not be downloaded twice
    notes = []
    if data is not None and kept is not None:
        charset = _kept_charset(kept)
    else:
        got = download(url, config)
        data, charset = got.data, got.charset
        notes.append(
            say(
                "{url} has {size:,} bytes; to require exactly these next time: --sha256 {sha256}",
                url=url,
                size=len(data),
                sha256=got.sha256,
            )
        )
        if got.is_page and how.format is None:
            notes.append(
                say(
                    "{url} is a web page ({kind}): its tags are part of the text; --as text takes"
                    " them off",
                    url=url,
                    kind=got.content_type,
                )
            )
        if kept is not None:
            _keep(data, kept)
            if charset:
                _keep(charset.encode(), kept.with_suffix(_CHARSET))
    if encoding is None and (encoding := encoding_of(data, charset)):
        notes.append(
            say(
                "{url} is read as {encoding}, since its server says charset={charset}",
                url=url,
                encoding=encoding,
                charset=charset,
            )
        )
    reading = Reading(url, _file_name(url, data), encoding, how)
    found = [part.source(url, encoding) for part in reading.parts(io.BytesIO(data))]
    found[0] = replace(found[0], notes=(*notes, *found[0].notes))
    return found


def _file_name(url: str, data: bytes) -> str:
    # A server may have unpacked a file that is named as a packed one.
    name = PurePath(url.partition("?")[0].partition("#")[0].rstrip("/")).name or "download"
    return name if is_packed(data, name) else name[: -len(packing(name))]


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
        with _explained(path, str(path)):
            data = files.read_bytes(path)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise CorpusError(
                say(
                    "{path!r} is not the published {name} (its sha256 differs); to use it all the"
                    " same, give its path",
                    path=str(path),
                    name=name,
                )
            )
        return data

    def _fetch(self, path: Path, name: str) -> bytes:
        try:
            data = download(self.url, DownloadConfig(sha256=self.sha256)).data
        except CorpusError as error:
            raise CorpusError(
                say(
                    "{name} cannot be downloaded ({error}); put {filename} into a folder and set"
                    " {data_variable} to it, or use %corpus python_docs (no download)",
                    name=name,
                    error=error,
                    filename=self.filename,
                    data_variable=DATA_VARIABLE,
                )
            ) from None
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
