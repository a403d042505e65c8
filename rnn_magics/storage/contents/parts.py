"""The parts of a run in a file; one function writes each part, and one reads it.

To add a part, write the two functions and a line in `PARTS`. A part whose `write` returns None is
left out of the file; a file without it is read as a run that does not have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from rnn_magics.batching import BatchConfig
from rnn_magics.errors import ConfigError, StorageError, VocabError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.contents.lives import (
    read_corpus,
    read_history,
    read_lives,
    write_corpus,
    write_history,
    write_lives,
)
from rnn_magics.storage.contents.scores import (
    read_between,
    read_counts,
    read_ladder,
    read_test,
    write_between,
    write_counts,
    write_ladder,
    write_test,
)
from rnn_magics.storage.strict import (
    Fields,
    from_options,
    read_options,
    require_same,
)
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.series.levels import Levels
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.curve import Curve
from rnn_magics.training.endings import Ending
from rnn_magics.training.machine.device import DeviceChoice
from rnn_magics.training.machine.threads import ThreadChoice
from rnn_magics.training.run import Run, RunConfig, Steering

_DEVICE = re.compile("(cpu|cuda|mps)(:(0|[1-9][0-9]?))?")
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_THREADS = 1024
_MOST_EPOCHS = 1 << 24


@dataclass(frozen=True)
class Part:
    """One part of a run.

    Parameters
    ----------
    write
        Returns the part as plain values for JSON, or None to leave it out.
    read
        Returns the fields of a `Run` from these plain values. Raises `StorageError` if they are
        not valid.
    optional
        Whether a file may lack the part.
    """

    write: Callable[[Run], Any]
    read: Callable[[Any], dict[str, Any]]
    optional: bool = False


def write_parts(run: Run) -> dict[str, Any]:
    """Return all parts of a run by name."""
    written = {name: part.write(run) for name, part in PARTS.items()}
    return {name: plain for name, plain in written.items() if plain is not None}


def read_parts(document: Fields) -> dict[str, Any]:
    """Take all parts from a document, and return the fields of the run.

    Raises
    ------
    StorageError
        When a part is missing or not valid.
    """
    found: dict[str, Any] = {}
    for name, part in PARTS.items():
        if not part.optional or name in document:
            found |= part.read(document.take(name))
    return found


def _write_run(run: Run) -> dict[str, Any]:
    best = {} if run.weights_from is None else {"weights_from": run.weights_from}
    return {
        "name": run.name,
        "reason": run.reason or Ending.SNAPSHOT,
        "message": run.message,
        "step": run.step,
        "num_train_tokens": run.num_train_tokens,
        "num_valid_tokens": run.num_valid_tokens,
        "steps": run.steps,
        "tokens": run.tokens,
        **({} if run.predicted is None else {"predicted": run.predicted}),
        **best,
    }


def _read_run(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "run")
    found: dict[str, Any] = {n: read.text(n) for n in ("name", "reason", "message", "step")}
    for name in ("num_train_tokens", "num_valid_tokens", "steps", "tokens"):
        found[name] = read.count(name)
    found["predicted"] = read.perplexity("predicted") if "predicted" in read else None
    if "weights_from" in read:
        found["weights_from"] = read.count("weights_from")
    read.end()
    try:
        found["reason"] = Ending.named(found["reason"])
    except ConfigError as error:
        msg = f"run.{error}"
        raise StorageError(msg) from None
    return found


def _write_config(run: Run) -> dict[str, Any]:
    parts = {
        "model": run.config.model,
        "train": run.config.train,
        "batching": run.config.batching,
    }
    return {name: from_options(options) for name, options in parts.items()}


def _read_config(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "config")
    config = RunConfig(
        read_options(ModelConfig, read.take("model")),
        read_options(TrainConfig, read.take("train")),
        read_options(BatchConfig, read.take("batching")),
    )
    read.end()
    return {"config": config}


def _write_device(run: Run) -> dict[str, Any]:
    return {"name": str(run.device.device), "reason": run.device.reason}


def _read_device(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "device")
    name, reason = read.text("name"), read.text("reason")
    read.end()
    if not _DEVICE.fullmatch(name):
        raise StorageError(say("device {name!r} is neither cpu nor cuda nor mps", name=name))
    return {"device": DeviceChoice(torch.device(name), reason)}


def _write_threads(run: Run) -> dict[str, Any] | None:
    return None if run.threads is None else asdict(run.threads)


def _read_threads(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "threads")
    choice = ThreadChoice(read.count("number", _MOST_THREADS), read.text("reason"))
    read.end()
    return {"threads": choice}


def _write_reading(run: Run) -> dict[str, Any] | None:
    if (reading := run.reading) is None:
        return None
    levels = {} if reading.levels is None else {"levels": reading.levels.to_dict()}
    files = {"files": from_options(reading.files)} if reading.files.changed() else {}
    cleaning = from_options(reading.cleaning)
    return {"cleaning": cleaning, "encoding": reading.encoding, **levels, **files}


def _read_reading(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "reading")
    cleaning = read_options(CorpusConfig, read.take("cleaning"))
    encoding = None if plain.get("encoding", "") is None else read.text("encoding")
    if encoding is None:
        read.take("encoding")
    levels = _read_levels(read.take("levels")) if "levels" in read else None
    files = read_options(FileConfig, read.take("files")) if "files" in read else FileConfig()
    read.end()
    return {"reading": TextReading(cleaning, encoding, levels, files)}


def _read_levels(plain: Any) -> Levels:
    read = Fields(plain, "reading.levels")
    for name in ("edges", "values"):
        read.numbers(name)
    read.text("bins")
    read.end()
    try:
        return Levels.from_dict(plain)
    except ValueError as error:
        msg = say("reading.levels cannot be read: {error}", error=error)
        raise StorageError(msg) from None


def _write_vocab(run: Run) -> dict[str, Any] | None:
    if run.vocab is None:
        return None
    try:
        return {**run.vocab.to_dict(), "config": from_options(run.vocab.config)}
    except VocabError as error:
        raise StorageError(str(error)) from None


def _read_vocab(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "vocab")
    config = read_options(VocabConfig, read.take("config"))
    whole = {"format": read.take("format"), "config": config.to_dict()}
    whole["token_freqs"] = read.take("token_freqs")
    if "learnt" in read:
        whole["learnt"] = read.take("learnt")
    whole |= {name: read.take(name) for name in ("documents", "added") if name in read}
    read.end()
    try:
        vocab = Vocab.from_dict(whole)
    except VocabError as error:
        raise StorageError(str(error)) from None
    for name in {"token_freqs", "added"} & whole.keys():
        require_same(f"vocab.{name}", vocab.to_dict()[name], whole[name])
    return {"vocab": vocab}


def _write_versions(run: Run) -> dict[str, str]:
    return run.versions


def _read_versions(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "versions")
    return {"versions": {name: read.text(name) for name in read.keys}}


def _write_curve(run: Run) -> dict[str, Any] | None:
    return run.curve.to_dict() if len(run.curve.loss) else None


def _read_curve(plain: Any) -> dict[str, Any]:
    read = Fields(plain, "curve")
    for name in ("loss", "grad_norm"):
        series = read.mapping(name)
        series.count("stride")
        series.take("points")
        series.numbers("rest")
        series.end()
    read.take("epochs")
    read.end()
    try:
        curve = Curve.from_dict(plain)
    except (ValueError, TypeError, OverflowError) as error:
        raise StorageError(say("curve cannot be read: {error}", error=error)) from None
    require_same("curve", curve.to_dict(), plain)
    return {"curve": curve}


def _write_steered(run: Run) -> list[dict[str, Any]] | None:
    return [asdict(change) for change in run.steered] or None


def _read_steered(plain: Any) -> dict[str, Any]:
    steered = Fields.each(plain, "steered", _read_steering, _MOST_EPOCHS)
    require_same("steered", [asdict(change) for change in steered] or None, plain)
    return {"steered": steered}


def _read_steering(read: Fields) -> Steering:
    step, lr, clip = read.count("step"), read.take("lr"), read.take("clip")
    try:
        config = TrainConfig(lr=lr, clip=clip)
    except ConfigError as error:
        msg = f"steered: {error}"
        raise StorageError(msg) from None
    return Steering(step, config.peak_lr, config.clip)


PARTS: dict[str, Part] = {
    "run": Part(_write_run, _read_run),
    "config": Part(_write_config, _read_config),
    "corpus": Part(write_corpus, read_corpus, optional=True),
    "reading": Part(_write_reading, _read_reading, optional=True),
    "vocab": Part(_write_vocab, _read_vocab, optional=True),
    "history": Part(write_history, read_history),
    "earlier": Part(write_lives, read_lives, optional=True),
    "curve": Part(_write_curve, _read_curve, optional=True),
    "between": Part(write_between, read_between, optional=True),
    "ladder": Part(write_ladder, read_ladder, optional=True),
    "test": Part(write_test, read_test, optional=True),
    "counts": Part(write_counts, read_counts, optional=True),
    "steered": Part(_write_steered, _read_steered, optional=True),
    "device": Part(_write_device, _read_device),
    "threads": Part(_write_threads, _read_threads, optional=True),
    "versions": Part(_write_versions, _read_versions),
}
