"""A run in one file: its weights, and the record of how they were trained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rnn_magics import files
from rnn_magics.errors import StorageError
from rnn_magics.language import marked, say
from rnn_magics.models.forked import check_fork
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, weights
from rnn_magics.storage import atomic, container
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.parts import read_parts, write_parts
from rnn_magics.storage.strict import Fields
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.run import Run

FORMAT = 2
"""The highest format; a run that needs nothing of it is written in format 1, see docs/format.md."""
FOLDER_FORMAT = 1
"""Of ``run.json`` in the folder of a run."""
SUFFIX = ".safetensors"
_MOST_TOKENS = 1 << 31
_WEIGHTS = "model."  # the prefix of the names of the model's tensors
_FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_UNFIT = re.compile(r"[^\w.~+-]+")


def default_path(run: Run) -> Path:
    """Return where a run is saved by default: a file of its name in the working folder."""
    return Path(f"{_UNFIT.sub('_', run.name).lstrip('.') or 'run'}{SUFFIX}")


def save_run(run: Run, path: str | Path | None = None, *, force: bool = False) -> Path:
    """Write a run to a file, which `load_run` reads.

    An older model file of that name is replaced in one step: at every moment the file is either the
    old one or the new one.

    Parameters
    ----------
    run
        A run from `train`.
    path
        The file, ``~`` being the home folder; or a folder, in which the file is named after the
        run. By default the working folder.
    force
        Whether to replace also a file that is not a model file.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    StorageError
        When it cannot be written, or would replace another file.

    Examples
    --------
    >>> save_run(run, "clock.safetensors").name
    'clock.safetensors'
    """
    path = require_place(run, path, force=force)
    atomic.write(path, packed(run))
    return path


def require_place(run: Run, path: str | Path | None, *, force: bool) -> Path:
    """Return where `save_run` writes a run, after checking that it may.

    Raises
    ------
    StorageError
        As for `save_run`.
    """
    if path is None:
        path = files.reachable(default_path(run), StorageError)
    else:
        path = atomic.user_path(path)
    path = path / default_path(run) if path.is_dir() else path
    if atomic.require_target(path).exists() and not force and not container.is_ours(path):
        raise StorageError(
            say(
                "{path!r} exists and is not a model file of rnn_magics; --force replaces it",
                path=str(path),
            )
        )
    return path


def packed(run: Run, training: Contents | None = None) -> bytes:
    """Return the bytes of a file: a run, and optionally the state of its training.

    Raises
    ------
    StorageError
        When a part of it cannot be written.
    """
    check_fork()
    document = {
        "format": format_of(run.vocab),
        "vocab_size": run.model.vocab_size,
        **write_parts(run),
    }
    tensors = {f"{_WEIGHTS}{name}": value for name, value in weights(run.model).items()}
    if training is not None:
        document["training"] = training.document
        tensors |= training.tensors
    return container.pack(document, tensors)


def read_run(path: Path) -> tuple[Run, Contents | None]:
    """Read a run, and the state of its training if the file has one.

    Raises
    ------
    StorageError
        When the file cannot be read, is damaged, or is not a model file.
    """
    with naming(path):
        return unpacked(container.read(path))


def unpacked(contents: Contents) -> tuple[Run, Contents | None]:
    """Return the run in a file, and the state of its training if the file has one.

    Raises
    ------
    StorageError
        When the contents are not valid.
    """
    document = Fields(contents.document, say("the document"))
    number = _check_format(contents.document, document)
    vocab_size = document.count("vocab_size", _MOST_TOKENS)
    found = read_parts(document)
    training = document.take("training") if "training" in document else None
    document.end()
    vocab = found.get("vocab")
    needed = format_of(vocab)
    if number != needed:
        raise StorageError(
            say(
                "its format is {number}, and what is in it is of format {needed}",
                number=number,
                needed=needed,
            )
        )
    if vocab is not None and len(vocab) != vocab_size:
        raise StorageError(
            say(
                "its vocabulary has {size} tokens, but its model has {vocab_size}",
                size=len(vocab),
                vocab_size=vocab_size,
            )
        )
    of_model = {k: v for k, v in contents.tensors.items() if k.startswith(_WEIGHTS)}
    others = {k: v for k, v in contents.tensors.items() if k not in of_model}
    if others and training is None:
        raise StorageError(
            say(
                "it has a tensor {tensor!r}, which this version does not know; update rnn_magics",
                tensor=next(iter(others)),
            )
        )
    model = build_model(found["config"].model, vocab_size, of_model)
    model.vocab = vocab
    run = Run(**{"corpus": None, "vocab": None, **found, "model": model})
    return run, None if training is None else Contents(training, others)


def build_model(config: ModelConfig, vocab_size: int, tensors: Mapping[str, Tensor]) -> RNNModel:
    """Return a model with the weights of a file.

    The model is first built without memory, to find the names and shapes of its tensors. Memory is
    allocated only if the file has exactly these tensors.

    Raises
    ------
    StorageError
        When the configuration and the tensors do not match.
    """
    if config.num_layers > len(tensors) or vocab_size < 1:
        raise StorageError(
            say(
                "it has too few tensors ({number}) for its layers ({layers}) and tokens"
                " ({vocab_size})",
                number=len(tensors),
                layers=config.num_layers,
                vocab_size=vocab_size,
            )
        )
    unused = torch.Generator()  # so that loading does not move the global generator
    with torch.device("meta"), _cell_errors(config.cell):
        expected = weights(RNNModel(config, vocab_size, unused))
    dtype = tensors[f"{_WEIGHTS}output.bias"].dtype if f"{_WEIGHTS}output.bias" in tensors else None
    if dtype not in _FLOATS:
        raise StorageError(say("it has no tensor output.bias of floating point numbers"))
    _check_tensors(expected, tensors, dtype)
    with _cell_errors(config.cell):
        model = RNNModel(config, vocab_size, unused).to(dtype)
        with torch.no_grad():
            for name, value in weights(model).items():
                value.copy_(tensors[f"{_WEIGHTS}{name}"])
    return model.eval()


def _check_tensors(
    expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], dtype: torch.dtype
) -> None:
    named = {f"{_WEIGHTS}{name}": value for name, value in expected.items()}
    if (missing := named.keys() - tensors.keys()) or (unknown := tensors.keys() - named.keys()):
        text = (
            marked("it lacks tensor {tensor!r}, contrary to its configuration")
            if missing
            else marked("it has a tensor {tensor!r}, contrary to its configuration")
        )
        raise StorageError(say(text, tensor=min(missing or unknown)))
    for name, value in named.items():
        kind = dtype if value.is_floating_point() else value.dtype
        found = tensors[name]
        if found.shape != value.shape or found.dtype != kind:
            raise StorageError(
                say(
                    "tensor {name!r} is {shape} of {kind}; by its configuration it must be"
                    " {wanted} of {wanted_kind}",
                    name=name,
                    shape=tuple(found.shape),
                    kind=found.dtype,
                    wanted=tuple(value.shape),
                    wanted_kind=kind,
                )
            )


def _check_format(values: Any, document: Fields) -> int:
    number = document.take("format")
    if type(number) is int and number > FORMAT:
        versions = values.get("versions")
        writer = versions.get("rnn_magics") if isinstance(versions, dict) else None
        raise StorageError(
            say(
                "it has format {number}, and this version reads up to {format}; rnn_magics"
                " {writer} wrote it; update rnn_magics",
                number=number,
                format=FORMAT,
                writer=writer,
            )
        )
    if type(number) is not int or not 1 <= number <= FORMAT:
        raise StorageError(
            say("its format is {number!r}, not 1 or {format}", number=number, format=FORMAT)
        )
    return number


def format_of(vocab: Vocab | None) -> int:
    """Return the format of the file of a run with this vocabulary."""
    return 1 if vocab is None else vocab.format


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path of a file to the errors of the body.

    Raises
    ------
    StorageError
        With a message that begins with the path.
    """
    try:
        yield
    except StorageError as error:
        raise StorageError(say("{path!r}: {error}", path=str(path), error=error)) from None


@contextmanager
def _cell_errors(cell: str) -> Iterator[None]:
    # The user may have registered another cell under the name of the one that was saved.
    try:
        yield
    except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise StorageError(
            say(
                "a model of cell {cell!r} cannot be built: {kind}: {error}",
                cell=cell,
                kind=type(error).__name__,
                error=error,
            )
        ) from None
