"""Space: which options a sweep tries, each a list or a range, and which stay as they are.

Its options are those of ``%train_rnn``, ``%vocab`` and ``%sample``, taken from their dataclasses.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_magics.batching import BatchConfig
from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import OptionField, Options, Spelling, describe, option
from rnn_magics.sweeps.dimensions import Dimension, Interval, Listed, read_dimension, written
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import VocabConfig
from rnn_magics.training.config import TrainConfig

OWNERS: tuple[type[Options], ...] = (ModelConfig, TrainConfig, BatchConfig, VocabConfig)
"""The dataclasses whose options a sweep may try."""
# What is no setting of a model, or is the same for all trials so that they can be compared.
_ONE_VALUE = {"device", "threads", "precision", "score_every", "reserved", "max_time"}

_OURS = "rnn_magics."  # what an import of the package registers


def owned_fields() -> dict[str, tuple[type[Options], OptionField]]:
    """Return every option by its name, with the dataclass that it belongs to."""
    return {field.name: (owner, field) for owner in OWNERS for field in describe(owner)}


def flag_in(field: OptionField) -> str:
    """Return what is typed before an option in a sweep; that of a positional word is its name."""
    return field.flag or f"--{field.name.replace('_', '-')}"


def _metavar(field: OptionField) -> str:
    if field.name in _ONE_VALUE:
        return "X"
    if field.type in (int, float) and field.choices is None:
        return "A,B|A:B"
    return "A,B"


def _declared(field: OptionField) -> tuple[str, Any, Any]:
    choices = field.choices or (lambda: list(field.words))
    spelling = Spelling(
        flag_in(field),
        _metavar(field),
        verbatim=True,
        bare="yes" if field.type is bool else None,
        suggest=choices if field.choices else "",
    )
    declared = option(None, field.help, label=field.label, spelling=spelling)
    return field.name, str | None, declared


if TYPE_CHECKING:

    class _Texts(Options):
        def __init__(self, **texts: Any) -> None: ...

else:  # an option is declared once, by its owner; here each is a text
    _Texts = dataclasses.make_dataclass(
        "_Texts",
        [_declared(field) for _, field in owned_fields().values()],
        bases=(Options,),
        frozen=True,
        repr=False,
    )


@dataclass(frozen=True, repr=False)
class Space(_Texts):
    """The settings that a sweep tries.

    Every option of `ModelConfig`, `TrainConfig`, `BatchConfig` and `VocabConfig` may be given: as
    one value; as a list, ``"gru,lstm"`` or ``["gru", "lstm"]``; or as a range ``"16:64"``. A range
    of a rate, such as ``lr="1e-4:1e-2"``, is drawn from on a log scale.

    Raises
    ------
    ConfigError
        If a value is not accepted, the ends of a range are swapped, an option cannot be swept, or
        no option has more than one value.

    Examples
    --------
    >>> Space(cell="gru,lstm", lr="1e-4:1e-2", epochs=3).dimensions["lr"]
    Interval(low=0.0001, high=0.01, is_whole=False, is_log=True)
    """

    def __post_init__(self) -> None:
        """Read every text once, so that a mistake is told at once."""
        for name in owned_fields():
            if (value := self.__dict__[name]) is not None:
                object.__setattr__(self, name, _as_text(value))
        super().__post_init__()
        object.__setattr__(self, "_read", dict(self._read_all()))

    def _read_all(self) -> Iterator[tuple[str, Any]]:
        for name, (_, field) in owned_fields().items():
            text = self.__dict__[name]
            if text is None:
                continue
            value = read_dimension(field, text, flag_in(field))
            if name in _ONE_VALUE and isinstance(value, Listed | Interval):
                msg = say("{flag} cannot be swept; give it one value", flag=flag_in(field))
                raise ConfigError(msg)
            yield name, value

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """What is tried: a dimension for each option with more than one value."""
        read: Mapping[str, Any] = self.__dict__["_read"]
        found = {n: d for n, d in read.items() if isinstance(d, Listed | Interval)}
        return {name: each for name, each in found.items() if each.size != 1}

    @property
    def fixed(self) -> dict[str, Any]:
        """The options with one value."""
        read: Mapping[str, Any] = self.__dict__["_read"]
        known = {n: d.values[0] if isinstance(d, Listed) else d for n, d in read.items()}
        return {name: known[name] for name in read if name not in self.dimensions}

    @property
    def size(self) -> int | None:
        """How many points it has; None if a range of real numbers is among its options."""
        sizes = [each.size for each in self.dimensions.values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def has_other_tokens(self) -> bool:
        """Whether its points have different tokens, so that their nats per token differ anyway."""
        names = {field.name for field in describe(VocabConfig)}
        return bool(names & self.dimensions.keys())

    def registered_here(self) -> str:
        """Return a cell or a tokenizer that was registered in this process; empty if none was."""
        for word in self._values("cell"):
            if not CELLS[word].__module__.startswith(_OURS):
                return str(word)
        for word in self._values("token"):
            home = getattr(TOKENIZERS[word].split, "__module__", None) or _OURS
            if not home.startswith((_OURS, "builtins")):
                return str(word)
        return ""

    def _values(self, name: str) -> list[Any]:
        given = self.dimensions[name].points(0) if name in self.dimensions else []
        return [word for word in (*given, self.fixed.get(name)) if word is not None]

    def require_several(self) -> Space:
        """Return the space after checking that there is something to try.

        Raises
        ------
        ConfigError
            If no option has more than one value.
        """
        if not self.dimensions:
            raise ConfigError(
                say(
                    "a sweep needs an option with several values, such as --lr 1e-4:1e-2 or"
                    " --cell gru,lstm"
                )
            )
        return self

    def __str__(self) -> str:
        """Return what is tried, e.g. ``cell gru, lstm; lr 0.0001:0.01 (log)``."""
        return say("; ").join(f"{name} {each}" for name, each in self.dimensions.items())


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ",".join(map(written, value if isinstance(value, list | tuple) else [value]))
