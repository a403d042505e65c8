"""The errors that rnn_magics raises, all of one tree.

::

    RNNMagicsError
    ├── CorpusError        a source cannot be read, or holds no usable text
    ├── VocabError         a vocabulary cannot be built, read or applied
    ├── BatchError         a text cannot be cut into minibatches
    ├── ConfigError        an option is unknown or its value is out of range (also a ValueError)
    ├── ModelError         a model cannot be built, or cannot do what is asked of it
    │   └── DeviceError    the device asked for is not there
    ├── TrainingError      a run cannot start or go on
    ├── StorageError       a file cannot be written, or is not what it should be
    ├── DecodingError      no text can be generated or scored
    ├── InspectionError    a view cannot be made of this model or text
    └── SessionError       a magic came out of order, or names a run that does not exist

A message is one line: what was wrong, with the numbers, and what to type next.
"""

from __future__ import annotations

__all__ = [
    "BatchError",
    "ConfigError",
    "CorpusError",
    "DecodingError",
    "DeviceError",
    "InspectionError",
    "ModelError",
    "RNNMagicsError",
    "SessionError",
    "StorageError",
    "TrainingError",
    "VocabError",
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
    """A model cannot be built, or cannot do what is asked of it."""


class DeviceError(ModelError):
    """The device asked for is not there."""


class TrainingError(RNNMagicsError):
    """A run cannot start or go on."""


class StorageError(RNNMagicsError):
    """A file cannot be written, or is not what it should be."""


class DecodingError(RNNMagicsError):
    """No text can be generated or scored."""


class InspectionError(RNNMagicsError):
    """A view cannot be made of this model or text."""


class SessionError(RNNMagicsError):
    """A magic came out of order, or names a run that does not exist."""
