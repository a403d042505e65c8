"""The errors that rnn_magics raises, in one tree.

::

    RNNMagicsError
    ├── CorpusError        a source cannot be read, or holds no usable text
    ├── VocabError         a vocabulary cannot be built, read or applied
    ├── BatchError         a text cannot be cut into minibatches
    ├── ConfigError        an option is unknown or its value is out of range (also a ValueError)
    ├── ModelError         a model cannot be built, or cannot do what it is asked to do
    │   └── DeviceError    the requested device is not available
    ├── TrainingError      a run cannot start or continue
    ├── StorageError       a file cannot be written, or does not hold what it should
    ├── DecodingError      text cannot be generated or scored
    ├── InspectionError    a view of this model or text cannot be computed
    ├── ExerciseError      an exercise does not exist, or cannot be checked yet
    └── SessionError       a magic ran out of order, or names a run that does not exist

A message is one line: what is wrong, with the numbers, and what to type next.
"""

from __future__ import annotations

__all__ = [
    "BatchError",
    "ConfigError",
    "CorpusError",
    "DecodingError",
    "DeviceError",
    "ExerciseError",
    "InspectionError",
    "ModelError",
    "RNNMagicsError",
    "SessionError",
    "StorageError",
    "TrainingError",
    "VocabError",
    "is_out_of_memory",
]


class RNNMagicsError(Exception):
    """Base of every error that rnn_magics raises on purpose."""


class CorpusError(RNNMagicsError):
    """A source cannot be read, or holds no usable text."""


class VocabError(RNNMagicsError):
    """A vocabulary cannot be built, read or applied."""


class BatchError(RNNMagicsError):
    """A text cannot be cut into minibatches."""


class ConfigError(RNNMagicsError, ValueError):
    """An option is unknown, or its value is out of range."""


class ModelError(RNNMagicsError):
    """A model cannot be built, or cannot do what it is asked to do."""


class DeviceError(ModelError):
    """The requested device is not available."""


class TrainingError(RNNMagicsError):
    """A run cannot start or continue."""


class StorageError(RNNMagicsError):
    """A file cannot be written, or does not hold what it should."""


class DecodingError(RNNMagicsError):
    """Text cannot be generated or scored."""


class InspectionError(RNNMagicsError):
    """A view of this model or text cannot be computed."""


class ExerciseError(RNNMagicsError):
    """An exercise does not exist, or its answer cannot be checked yet."""


class SessionError(RNNMagicsError):
    """A magic ran out of order, or names a run that does not exist."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; torch has no single class for it."""
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    marks = ("out of memory", "can't allocate memory", "not enough memory", "storage size calc")
    return isinstance(error, RuntimeError) and any(mark in words for mark in marks)
