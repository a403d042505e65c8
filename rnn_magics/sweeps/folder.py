"""The folder of a sweep: what is searched, which trials there are, and the folders of their runs.

::

    sweep.json          what the sweep is: space, configuration, text, versions
    trials.jsonl        a line for each trial that begins, and one for each that ends; only grows
    claim.json, .lock   which process works on it now
    trial-000/          the folder of a run, as `Checkpointing` keeps it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_magics import files
from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import StorageError
from rnn_magics.language import say
from rnn_magics.storage import atomic
from rnn_magics.storage.claim import Claim
from rnn_magics.storage.contents.training_state import fingerprint_of
from rnn_magics.storage.strict import Fields, dumps, from_options, loads, read_options
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.settings import Base
from rnn_magics.sweeps.space import Space
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.run import versions

FORMAT = 1
LAST = "last"
_WHAT, _TRIALS = "sweep.json", "trials.jsonl"
_MOST = 1 << 24  # bytes of a file
_DEPTH = 2  # how far below a folder its sweeps may lie


@dataclass(frozen=True)
class Made:
    """What a sweep was made of, as its folder says.

    Parameters
    ----------
    space, config
        What it tries, and how.
    text
        Name and sha256 of its corpus; None for bare indices.
    tokens
        The fingerprint of its minibatches.
    base
        What an option is that the space leaves out.
    """

    space: Space
    config: SweepConfig
    text: tuple[str, str] | None
    tokens: str
    base: Base

    @classmethod
    def of(cls, space: Space, config: SweepConfig, batches: Batches) -> Made:
        """Return what a sweep over these minibatches is made of."""
        corpus = batches.corpus
        text = None if corpus is None else (corpus.name, corpus.fingerprint)
        return cls(space, config, text, fingerprint_of(batches), Base.of(space, batches))

    def require_same(self, batches: Batches, path: Path) -> None:
        """Refuse minibatches other than those of the sweep.

        Raises
        ------
        StorageError
            With what differs.
        """
        name, sha256 = self.text or (say("bare indices"), "")
        corpus = batches.corpus
        if sha256 and (corpus is None or corpus.fingerprint != sha256):
            raise StorageError(
                say(
                    "the sweep in {folder!r} is over {text!r}, not over the present text; type its"
                    " %corpus, %vocab and %sample again",
                    folder=str(path),
                    text=name,
                )
            )
        if batches.config != self.base.batching or fingerprint_of(batches) != self.tokens:
            raise StorageError(
                say(
                    "the sweep in {folder!r} has other minibatches than the present ones:"
                    " {config!r} and {vocab!r}; type its %corpus, %vocab and %sample again",
                    folder=str(path),
                    config=self.base.batching,
                    vocab=self.base.vocab,
                )
            )


@dataclass(frozen=True)
class SweepFolder:
    """A folder that holds one sweep.

    Parameters
    ----------
    path
        The path of the folder.
    """

    path: Path

    @property
    def exists(self) -> bool:
        """Whether it holds a sweep."""
        return (self.path / _WHAT).is_file()

    def trial(self, number: int) -> Path:
        """Return the folder of a trial."""
        return self.path / f"trial-{number:03d}"

    def begin(self, made: Made) -> Claim:
        """Create the folder and write what the sweep is; return the claim to it.

        Raises
        ------
        StorageError
            When it holds a sweep already, is in use, or cannot be created.
        """
        self.require_place()
        what = say("cannot make the folder {path}", path=files.shown(self.path))
        with files.in_one_line(StorageError, what):
            self.path.mkdir(parents=True, exist_ok=True)
        claim = Claim(self.path)
        document = {
            "format": FORMAT,
            "space": {name: text for name, text in made.space.to_dict().items() if text},
            "config": from_options(made.config),
            "text": None if made.text is None else list(made.text),
            "tokens": made.tokens,
            "batching": from_options(made.base.batching),
            "vocab": None if made.base.vocab is None else from_options(made.base.vocab),
            "every": made.base.every,
            "versions": versions(),
        }
        try:
            atomic.write(self.path / _WHAT, f"{dumps(document)}\n".encode())
        except BaseException:
            claim.release()
            raise
        return claim

    def require_place(self) -> None:
        """Check that a new sweep can be kept here; nothing is created.

        Raises
        ------
        StorageError
            When it holds a sweep already, or cannot be created.
        """
        what = say("cannot make the folder {path}", path=files.shown(self.path))
        with files.in_one_line(StorageError, what):
            files.require_place_for_folder(self.path)
        if self.exists:
            raise StorageError(
                say(
                    "{folder!r} holds a sweep already; go on with --resume {folder}, or keep this"
                    " one in another folder",
                    folder=str(self.path),
                )
            )

    def require(self) -> SweepFolder:
        """Return the folder after checking that it holds a sweep.

        Raises
        ------
        StorageError
            When it does not.
        """
        if not self.exists:
            raise StorageError(
                say(
                    "{path!r} is not the folder of a sweep; %sweep list shows those that are here",
                    path=str(self.path),
                )
            )
        return self

    def made(self) -> Made:
        """Read what the sweep was made of.

        Raises
        ------
        StorageError
            When it cannot be read.
        """
        path = self.path / _WHAT
        try:
            with files.open_file(path) as file:
                read = Fields(loads(file.read(_MOST).decode().rstrip("\n")), say("the sweep"))
            _require_format(read)
            text, vocab = read.take("text"), read.take("vocab")
            return Made(
                Space(**read.take("space")),
                read_options(SweepConfig, read.take("config")),
                None if text is None else (str(text[0]), str(text[1])),
                read.text("tokens"),
                Base(
                    read_options(BatchConfig, read.take("batching")),
                    None if vocab is None else read_options(VocabConfig, vocab),
                    max(read.count("every"), 1),
                ),
            )
        except (OSError, ValueError, TypeError, LookupError, StorageError) as error:
            reason = files.reason(error) if isinstance(error, OSError) else str(error)
            raise StorageError(
                say("{path!r} cannot be read: {error}", path=str(path), error=reason)
            ) from None

    def tell(self, **words: Any) -> None:
        """Add a line on a trial."""
        atomic.append(self.path / _TRIALS, dumps(words))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines on trials, without those that were cut short."""
        with suppress(OSError), files.open_file(self.path / _TRIALS) as file:
            for line in file.read(_MOST).splitlines():
                with suppress(ValueError, RecursionError):
                    read = json.loads(line)
                    if isinstance(read, dict) and type(read.get("trial")) is int:
                        yield read


def _require_format(read: Fields) -> None:
    if read.take("format") != FORMAT:
        raise StorageError(say("it has another format; update rnn_magics"))


def sweep_folders(folder: str | Path = ".") -> list[SweepFolder]:
    """Return the folders of sweeps in a folder or up to two levels below it, newest last.

    Raises
    ------
    StorageError
        When the folder does not exist, or cannot be listed.
    """
    top = atomic.user_path(folder)
    with files.in_one_line(StorageError, say("{top!r} cannot be listed", top=str(top))):
        os.scandir(top).close()
    found = [*_below(top, _DEPTH)]
    return [SweepFolder(path) for _, path in sorted(found)]


def _below(folder: Path, depth: int) -> Iterator[tuple[float, Path]]:
    with suppress(OSError):  # a fault of one entry does not hide the others
        if (folder / _WHAT).is_file():
            told = folder / _TRIALS
            yield (told if told.exists() else folder / _WHAT).stat().st_mtime, folder
        elif depth > 0:
            for entry in sorted(folder.iterdir()):
                if entry.is_dir() and not entry.name.startswith("."):
                    yield from _below(entry, depth - 1)


def find_folder(folder: str | Path) -> SweepFolder:
    """Return the folder of a sweep by its path, or ``last`` for the one written to last.

    Raises
    ------
    StorageError
        When there is none.
    """
    if str(folder) != LAST:
        return SweepFolder(atomic.user_path(folder)).require()
    folders = sweep_folders()
    if not folders:
        raise StorageError(say("no sweep is kept in this folder or below it; %sweep makes one"))
    return folders[-1]
