"""One file for tensors and a document: a safetensors file that ends in a digest.

The document is the string ``rnn_magics`` in the metadata of the safetensors header, so every
program that reads safetensors can open the file. The last 32 bytes are the tensor ``~sha256``: the
sha256 of all bytes before it. See docs/format.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from rnn_magics import files
from rnn_magics.errors import StorageError
from rnn_magics.language import say
from rnn_magics.storage.strict import dumps, loads
from rnn_magics.training.machine.memory import available_memory, in_words

DIGEST = "~sha256"  # last by name among the tensors of the smallest type, hence last in the file
_DIGEST_BYTES = 32
_LENGTH_BYTES = 8
_MOST_HEADER = 100_000_000  # the limit of safetensors itself
_BEGINNING = b'{"__metadata__":{"rnn_magics":"'
_PICKLES = (b"PK\x03\x04", b"\x80")  # what torch.save writes now, and what it wrote before
# Without bool, which would come after the digest.
_TYPES = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_TYPES |= {torch.int64, torch.int32, torch.int16, torch.uint8}


@dataclass(frozen=True)
class Contents:
    """The contents of a file.

    Parameters
    ----------
    document
        The parsed JSON document.
    tensors
        The tensors by name, on the CPU; they share the memory of the file's bytes.
    """

    document: Any
    tensors: dict[str, Tensor]


def pack(document: Any, tensors: Mapping[str, Tensor]) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    StorageError
        When the document or a tensor cannot be written.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise StorageError(
                say(
                    "tensor {name!r} is of type {kind}, which a model file cannot hold; it holds"
                    " {kinds}",
                    name=name,
                    kind=tensor.dtype,
                    kinds=", ".join(sorted(str(kind).removeprefix("torch.") for kind in _TYPES)),
                )
            )
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    plain[DIGEST] = torch.zeros(_DIGEST_BYTES, dtype=torch.uint8)
    try:
        data = tensors_to_bytes(plain, metadata={"rnn_magics": dumps(document)})
    except SafetensorError as error:
        raise StorageError(say("this cannot be written to a file: {error}", error=error)) from None
    header = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if header > _MOST_HEADER:
        raise StorageError(
            say(
                "the vocabulary needs a header of {size:,.0f} MB, and a file can have at most"
                " {most:,.0f} MB; keep fewer tokens: %vocab --min-freq 2",
                size=header / 1e6,
                most=_MOST_HEADER / 1e6,
            )
        )
    body = memoryview(data)[:-_DIGEST_BYTES]
    return b"".join((body, hashlib.sha256(body).digest()))


def read(path: Path) -> Contents:
    """Read a file after checking its digest.

    Raises
    ------
    StorageError
        When it cannot be read, is not a file of rnn_magics, or is damaged.
    """
    return unpack(_bytes_of(path))


def read_document(path: Path) -> Any:
    """Read the document of a file and nothing else; the digest is not checked.

    Raises
    ------
    StorageError
        When it cannot be read, or is not a file of rnn_magics.
    """
    with (
        files.in_one_line(StorageError, say("it cannot be read")),
        files.open_file(path) as file,
    ):
        header = _header_size(file.read(_LENGTH_BYTES + len(_BEGINNING)), _size_of(file))
        file.seek(_LENGTH_BYTES)
        return loads(_metadata(file.read(header)))


def unpack(data: bytes) -> Contents:
    """Read the bytes of a file.

    Raises
    ------
    StorageError
        When they are not a file of rnn_magics, or are damaged.
    """
    header = _header_size(data[: _LENGTH_BYTES + len(_BEGINNING)], len(data))
    body = memoryview(data)[:-_DIGEST_BYTES]
    if hashlib.sha256(body).digest() != data[-_DIGEST_BYTES:]:
        raise StorageError(
            say("it is damaged: its sha256 does not match its content; use another copy")
        )
    metadata = _metadata(bytes(body[_LENGTH_BYTES : _LENGTH_BYTES + header]))
    try:
        tensors = tensors_from_bytes(data)  # checks sizes and places against the length
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise StorageError(say("its tensors cannot be read: {error}", error=error)) from None
    digest = tensors.pop(DIGEST, None)
    if digest is None or digest.numpy().tobytes() != data[-_DIGEST_BYTES:]:
        raise StorageError(
            say("it is damaged: its digest is not at the end of the file; use another copy")
        )
    return Contents(loads(metadata), tensors)


def is_ours(path: Path) -> bool:
    """Whether a file begins like a file of ours; the rest is not read."""
    try:
        with files.open_file(path) as file:
            _header_size(file.read(_LENGTH_BYTES + len(_BEGINNING)), _size_of(file))
    except (OSError, ValueError, StorageError):
        return False
    return True


def _header_size(beginning: bytes, size: int) -> int:
    header = int.from_bytes(beginning[:_LENGTH_BYTES], "little")
    if beginning[_LENGTH_BYTES:] != _BEGINNING:
        if beginning.startswith(_PICKLES):
            raise StorageError(
                say(
                    "it is a pickle, which torch.save writes; such a file can run code, so it is"
                    " never opened; give a file that %save_rnn wrote"
                )
            )
        raise StorageError(
            say("it is not a model file of rnn_magics; give a file that %save_rnn wrote")
        )
    if header > _MOST_HEADER or _LENGTH_BYTES + header + _DIGEST_BYTES > size:
        raise StorageError(
            say(
                "it is damaged: it has {size:,} bytes, too few for its header of {header:,}"
                " bytes; use another copy",
                size=size,
                header=header,
            )
        )
    return header


def _metadata(header: bytes) -> str:
    found = _parsed(header)["__metadata__"]
    if list(found) != ["rnn_magics"] or not isinstance(found["rnn_magics"], str):
        raise StorageError(say("its metadata has other keys than rnn_magics"))
    return str(found["rnn_magics"])


def _parsed(header: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(header, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise StorageError(say("its header cannot be read: {error}", error=error)) from None
    return found


def _check_size(header: bytes, size: int) -> None:
    # Compares the size that the header announces with that of the file, before the body is read.
    try:
        ends = [
            int(tensor["data_offsets"][1])
            for name, tensor in _parsed(header).items()
            if name != "__metadata__"
        ]
    except (ValueError, TypeError, LookupError, OverflowError):
        raise StorageError(
            say("its tensors cannot be read: the header does not say where they are")
        ) from None
    announced = _LENGTH_BYTES + len(header) + max(ends, default=0)
    if announced != size:
        raise StorageError(
            say(
                "it is damaged: it should have {announced:,} bytes, and it has {size:,}; use"
                " another copy",
                announced=announced,
                size=size,
            )
        )
    free = available_memory(torch.device("cpu"))
    if free is not None and 2 * size > free:  # the bytes, and the tensors made of them
        raise StorageError(
            say(
                "it does not fit into memory: it needs {needed}, and only {free} are free",
                needed=in_words(2 * size),
                free=in_words(free),
            )
        )


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError(say("a key occurs twice"))
    return made


def _size_of(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _bytes_of(path: Path) -> bytes:
    try:
        with (
            files.in_one_line(StorageError, say("it cannot be read")),
            files.open_file(path) as file,
        ):
            size = _size_of(file)
            beginning = file.read(_LENGTH_BYTES + len(_BEGINNING))
            header = _header_size(beginning, size)
            file.seek(_LENGTH_BYTES)
            _check_size(file.read(header), size)
            file.seek(0)
            data: bytes = file.read(size)
            return data
    except MemoryError:
        raise StorageError(say("it does not fit into memory")) from None
