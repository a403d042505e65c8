"""The folder of a run: what the run is, how it went, and its checkpoints.

::

    run.json                    what the run is: name, configuration, corpus, versions
    history.jsonl               a line for each epoch, each end and each resumption; only grows
    claim.json, claim.lock      which process is training in it now
    step-000001234.safetensors  the last two checkpoints: model files with the training state
    epoch-0003.safetensors      the model as it was after that epoch: a model file
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnn_magics import files
from rnn_magics.errors import StorageError
from rnn_magics.language import marked, say
from rnn_magics.storage import atomic, container
from rnn_magics.storage.claim import Claim
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.storage.contents.scores import record_of
from rnn_magics.storage.model_file import FOLDER_FORMAT, naming, packed, read_run
from rnn_magics.storage.run_log import is_of_one_run, note_on
from rnn_magics.storage.strict import Fields, dumps, loads
from rnn_magics.training.endings import Ending
from rnn_magics.training.history import Scored
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.record import Record

_WHAT = ("run", "config", "corpus", "device", "threads", "versions")  # parts in run.json
_STEP = re.compile(r"step-([0-9]{9,})\.safetensors")
_EPOCH = re.compile(r"epoch-([0-9]{4,})\.safetensors")
_KEPT_STEPS = 2  # the second is a reserve in case the first is damaged
_MOST_WHAT, _MOST_JSON = 1 << 20, 1 << 26  # bytes of run.json, and of the history
_DEPTH = 2  # how far below a folder its runs may lie


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run.

    Parameters
    ----------
    path
        The path of the folder.
    """

    path: Path

    @property
    def exists(self) -> bool:
        """Whether it holds a run with a checkpoint."""
        return (self.path / "run.json").is_file() and bool(self.steps)

    @property
    def steps(self) -> dict[int, Path]:
        """The checkpoints by number of steps, newest first."""
        return dict(sorted(self._numbered(_STEP).items(), reverse=True))

    @property
    def epochs(self) -> dict[int, Path]:
        """The models that are kept, by epoch."""
        return dict(sorted(self._numbered(_EPOCH).items()))

    def _numbered(self, pattern: re.Pattern[str]) -> dict[int, Path]:
        try:
            matches = [(pattern.fullmatch(entry.name), entry) for entry in self.path.iterdir()]
        except OSError:
            return {}
        return {int(match[1]): entry for match, entry in matches if match}

    def claim(self) -> Claim:
        """Claim the folder for one training; create it if it does not exist.

        Raises
        ------
        StorageError
            When it is in use by another training, or cannot be created.
        """
        what = say("cannot make the folder {path}", path=files.shown(self.path))
        with files.in_one_line(StorageError, what):
            self.path.mkdir(parents=True, exist_ok=True)
        return Claim(self.path)

    def begin(self, run: Run, checkpointing: dict[str, Any]) -> None:
        """Write the description of the run."""
        document: dict[str, Any] = {"format": FOLDER_FORMAT, "checkpointing": checkpointing}
        parts = {name: PARTS[name].write(run) for name in _WHAT}
        document |= {name: plain for name, plain in parts.items() if plain is not None}
        atomic.write(self.path / "run.json", f"{dumps(document)}\n".encode())

    def go_on(self, step: int) -> None:
        """Record that the run resumes after a step, and delete later checkpoints.

        Later checkpoints are damaged, or else the run would resume from them.
        """
        self.tell(resumed=step)
        _remove(path for number, path in self.steps.items() if number > step)

    def write_step(self, run: Run, training: Contents, step: int) -> None:
        """Write a checkpoint; once it is complete, delete all but one of the older ones."""
        atomic.write(self.path / f"step-{step:09d}.safetensors", packed(run, training))
        _remove(list(self.steps.values())[_KEPT_STEPS:])

    def write_epoch(self, run: Run, epoch: int, keep: int | None) -> None:
        """Write the model after an epoch; keep only the newest `keep` models, None for all."""
        if keep != 0:
            atomic.write(self.path / f"epoch-{epoch:04d}.safetensors", packed(run))
        newest_first = list(reversed(self.epochs.values()))
        _remove([] if keep is None else newest_first[keep:])

    def require(self) -> RunFolder:
        """Return the folder after checking that it holds a run.

        Raises
        ------
        StorageError
            When it does not hold a run.
        """
        if not self.exists:
            raise StorageError(
                say(
                    "{path!r} is not the folder of a run; %rnn runs DIR lists those in DIR",
                    path=str(self.path),
                )
            )
        return self

    def tell(self, **words: Any) -> None:
        """Add a line to the history."""
        atomic.append(self.path / "history.jsonl", dumps(words))

    def newest(self) -> tuple[Run, Contents]:
        """Read the newest checkpoint, or the one before it if that is damaged.

        Raises
        ------
        StorageError
            When no checkpoint can be read.
        """
        errors = []
        for step, path in self.steps.items():
            try:
                run, training = read_run(path)
            except StorageError as error:
                errors.append(error)
                continue
            if training is None:
                errors.append(StorageError(say("{path!r}: it is not a checkpoint", path=str(path))))
                continue
            if errors:
                run.message = say(
                    "the newest checkpoint cannot be read; this is that of step {step}", step=step
                )
            return run, training
        raise errors[0] if errors else self._empty()

    def checkpointing(self) -> Any:
        """Return how the run is kept: the options that `begin` received."""
        return self._what().take("checkpointing")

    def _what(self) -> Fields:
        path = self.path / "run.json"
        try:
            with files.open_file(path) as file:
                data = file.read(_MOST_WHAT + 1)
            if len(data) > _MOST_WHAT:
                text = marked(
                    "{path!r} cannot be read: it has more than {most:,} bytes, which rnn_magics"
                    " never writes"
                )
                raise StorageError(say(text, path=str(path), most=_MOST_WHAT))
            document = Fields(loads(data.decode().rstrip("\n")), say("the document"))
        except (OSError, ValueError) as error:
            raise StorageError(
                say("{path!r} cannot be read: {error}", path=str(path), error=error)
            ) from None
        if document.take("format") != FOLDER_FORMAT:
            text = marked("{path!r} has another format than {format}; update rnn_magics")
            raise StorageError(say(text, path=str(path), format=FOLDER_FORMAT))
        return document

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the history, without those that were cut short or damaged."""
        return list(self.numbered_lines().values())

    def numbered_lines(self) -> dict[int, dict[str, Any]]:
        """Return the lines of `lines` by their numbers in the file, from 1 on."""
        found = {}
        with suppress(OSError), files.open_file(self.path / "history.jsonl") as file:
            for number, line in enumerate(file.read(_MOST_JSON).splitlines(), start=1):
                with suppress(ValueError, RecursionError):
                    found[number] = json.loads(line)
        return {number: line for number, line in found.items() if isinstance(line, dict)}

    def summary(self) -> KeptRun:
        """Return what the run is and how far it has come, without reading a model.

        Raises
        ------
        StorageError
            When the description of the run cannot be read.
        """
        what = self._what()
        run = PARTS["run"].read(what.take("run"))
        config = PARTS["config"].read(what.take("config"))["config"]
        record, reason = self._reached()
        history, scored = record.history, record.scored
        return KeptRun(
            self.path,
            run["name"],
            config.model.in_brief,
            len(history),
            config.train.epochs,
            history.train_perplexity[-1] if len(history) else None,
            scored.perplexity if scored is not None and scored.is_present else None,
            marked("not ended") if reason == Ending.SNAPSHOT else reason,
            scored=scored,
        )

    def _reached(self) -> tuple[Record, Ending]:
        # As `newest` reads them: the last checkpoint is the run, and history.jsonl only its log.
        errors = []
        for path in self.steps.values():
            found: dict[str, Any] = {}
            try:
                with naming(path):
                    document = Fields(container.read_document(path), say("the document"))
                    for name in ("run", "history", "curve", "between"):
                        if name in document or not PARTS[name].optional:
                            found |= PARTS[name].read(document.take(name))
                    return record_of(found), found["reason"]
            except StorageError as error:
                errors.append(error)
        raise errors[0] if errors else self._empty()

    def _empty(self) -> StorageError:
        return StorageError(say("{path!r} holds no checkpoint", path=str(self.path)))


@dataclass(frozen=True)
class KeptRun:
    """A summary of a run in a folder.

    Parameters
    ----------
    folder
        The folder of the run.
    name, architecture
        Its name, and its model in a few words.
    epochs, planned
        The numbers of epochs, with one that was cut short, and of planned epochs.
    train_perplexity, valid_perplexity
        Those of the run that `load_run` reads from the folder.
    state
        Why it ended; ``not ended`` if it is training or was killed; or why it cannot be read.
    trouble
        Why it cannot be read; empty if it can.
    note
        Which lines of its log are not its own; empty if all may be.
    scored
        The last held-out score; None before the first.
    """

    folder: Path
    name: str
    architecture: str
    epochs: int
    planned: int
    train_perplexity: float | None
    valid_perplexity: float | None
    state: str
    trouble: str = ""
    note: str = ""
    scored: Scored | None = None


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def kept_runs(folder: str | Path = ".") -> list[KeptRun]:
    """List the runs kept in a folder or up to two levels below it, newest last.

    Runs that cannot be read are listed, too, with the reason. They come first if it is not known
    when they were written to.

    Raises
    ------
    StorageError
        When the folder does not exist, or cannot be listed.
    """
    top = atomic.user_path(folder)
    try:
        os.scandir(top).close()
    except FileNotFoundError:
        raise StorageError(say("there is no folder {top!r}", top=str(top))) from None
    except (OSError, ValueError) as error:
        raise StorageError(
            say("{top!r} cannot be listed: {why}", top=str(top), why=_why(error))
        ) from None
    found = sorted(_below(top, _DEPTH), key=lambda timed: timed[0])
    return [kept for _, kept in found]


_Timed = tuple[float, KeptRun]  # when it was written to


def _below(folder: Path, depth: int) -> Iterator[_Timed]:
    # A fault of one entry does not hide the others.
    try:
        if os.path.lexists(folder / "run.json"):
            yield from _judged(RunFolder(folder))
        elif depth > 0:
            for entry in sorted(folder.iterdir()):
                if not entry.name.startswith("."):
                    yield from _inside(entry, depth)
    except OSError as error:
        yield _skipped(folder, say("it cannot be listed: {why}", why=_why(error)))


def _inside(entry: Path, depth: int) -> Iterator[_Timed]:
    try:
        is_folder = stat.S_ISDIR(entry.stat().st_mode)
    except OSError as error:
        if entry.is_symlink():  # perhaps to a run on a disk that is not mounted
            yield _skipped(entry, say("the link leads nowhere: {why}", why=_why(error)))
        else:
            yield _skipped(entry, say("it cannot be examined: {why}", why=_why(error)))
    else:
        if is_folder:
            yield from _below(entry, depth - 1)


def _judged(folder: RunFolder) -> Iterator[_Timed]:
    with os.scandir(folder.path):  # raises if the checkpoints cannot be listed
        steps = list(folder.steps.values())
    times, troubles = [], []
    for path in steps:
        try:
            with files.open_file(path) as file:
                times.append(os.fstat(file.fileno()).st_mtime)
        except OSError as error:
            troubles.append(say("{name} cannot be read: {why}", name=path.name, why=_why(error)))
    if times:
        try:
            yield max(times), _compared_with_log(folder, folder.summary())
        except StorageError as error:
            yield max(times), _skipped(folder.path, str(error))[1]
    elif troubles:
        yield _skipped(folder.path, troubles[0])
    # Otherwise the run has not written its first checkpoint: there is nothing to list.


def _compared_with_log(folder: RunFolder, kept: KeptRun) -> KeptRun:
    # In a folder to which several runs wrote, the newest checkpoint says which run it is; run.json
    # may be that of another.
    log, newest = folder.numbered_lines(), next(iter(folder.steps), 0)
    if is_of_one_run(log, newest):
        return kept
    run, _ = folder.newest()
    return replace(
        kept,
        name=run.name,
        architecture=run.config.model.in_brief,
        planned=run.config.train.epochs,
        note=note_on(log, run, newest),
    )


def _skipped(folder: Path, why: str) -> _Timed:
    return -math.inf, KeptRun(folder, "", "", 0, 0, None, None, why, why)


def _why(error: OSError | ValueError) -> str:
    return files.reason(error) if isinstance(error, OSError) else str(error)


def checkpoint_epochs(folder: str | Path) -> list[int]:
    """Return the epochs whose models the folder of a run keeps, for ``load_run(folder, epoch=)``.

    Raises
    ------
    StorageError
        When the folder does not hold a run.
    """
    return list(RunFolder(atomic.user_path(folder)).require().epochs)
