"""From option dataclasses to command lines: one definition for parsing, help and completion."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

from rnn_magics.errors import ConfigError
from rnn_magics.notebook.words import Word
from rnn_magics.options import (
    TYPE_NAMES,
    OptionField,
    Options,
    check_value,
    describe,
    did_you_mean,
)

C = TypeVar("C", bound=Options)

# Marks a word that was quoted, so that argparse takes it for a value even if it begins with "-".
_VALUE_MARK = "\N{NULL}"


class MagicParser(argparse.ArgumentParser):
    """An argument parser that raises `ConfigError` instead of leaving the program.

    Parameters
    ----------
    name
        Of the magic, without the per cent sign.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            prog=f"%{name}",
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
            argument_default=argparse.SUPPRESS,
            formatter_class=lambda prog: argparse.HelpFormatter(
                prog, max_help_position=28, width=96
            ),
        )

        self.color = False  # Python 3.14 would put terminal colours into the help

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        if message.startswith(_REQUIRED):
            message = f"{self.prog} needs {message.removeprefix(_REQUIRED)}"
        raise ConfigError(message)

    def add(self, *names: str, **settings: Any) -> argparse.Action:
        """Add an argument whose value arrives as it was typed."""
        if "action" not in settings:
            settings["type"] = _unmarked(settings.get("type", str))
        if settings.get("nargs") == "?" and not names[0].startswith("-"):
            settings["default"] = None  # argparse would convert the mark of an absent value
        return self.add_argument(*names, **settings)

    def add_options(self, cls: type[Options], skip: Iterable[str] = ()) -> None:
        """Add one option for each field of a dataclass."""
        group = self.add_argument_group(cls.__name__)
        for field in describe(cls):
            if field.name in skip:
                continue
            flag = flag_of(field.name)
            if field.type is bool:
                group.add_argument(flag, dest=field.name, action="store_true", help=field.help)
                continue
            action = group.add_argument(
                flag,
                dest=field.name,
                type=converter(field, flag),
                metavar=_metavar(field),
                help=_help(field),
            )
            if field.choices is not None:
                offer(action, field.choices)

    @property
    def actions(self) -> list[argparse.Action]:
        """The arguments, in the order in which they were added."""
        return self._actions

    def parse(self, words: Sequence[Word]) -> argparse.Namespace:
        """Parse the words of a line.

        Raises
        ------
        ConfigError
            When an option is unknown, a value is missing or not accepted, or a word is left over.
        """
        typed = [f"{_VALUE_MARK}{w.text}" if w.quoted else w.text for w in words]
        try:
            options, extra = self.parse_known_intermixed_args(typed)
        except argparse.ArgumentError as error:
            raise ConfigError(_readable(error)) from None
        if extra:
            raise ConfigError(self._unexpected(extra[0]))
        for action in self._actions:  # what was not typed is absent, positional words as well
            if not action.option_strings and getattr(options, action.dest, None) in (None, []):
                vars(options).pop(action.dest, None)
        return options

    def _unexpected(self, word: str) -> str:
        flags = [flag for action in self._actions for flag in action.option_strings]
        if word.startswith("-"):
            flag = word.partition("=")[0]
            near = did_you_mean(flag, flags)
            return f"{self.prog} has no option {flag}{near or f'; {self.prog}? lists them'}"
        word = word.removeprefix(_VALUE_MARK)
        return f"{self.prog} does not expect {word!r}; text with spaces needs quotes"


def flag_of(name: str) -> str:
    """Return the option of a field: ``num_hiddens`` is ``--num-hiddens``."""
    return "--" + name.replace("_", "-")


def offer(action: argparse.Action, values: Callable[[], Iterable[str]]) -> None:
    """Let completion offer these values for an argument."""
    action.offered_values = values  # type: ignore[attr-defined]


def offered(action: argparse.Action) -> list[str]:
    """Return the values that completion may offer for an argument."""
    values = getattr(action, "offered_values", None)
    return [] if values is None else list(values())


def collect(cls: type[C], options: argparse.Namespace, base: C | None = None) -> C:
    """Build a dataclass from what was typed, over its defaults or those of `base`."""
    typed = {
        field.name: getattr(options, field.name)
        for field in describe(cls)
        if hasattr(options, field.name)
    }
    return cls(**{**(base.to_dict() if base else {}), **typed})


def converter(field: OptionField, flag: str) -> Callable[[str], Any]:
    """Return the function that turns typed text into the value of a field."""

    def convert(text: str) -> Any:
        try:
            return check_value(field, _parsed(field, text, flag), flag)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _parsed(field: OptionField, typed: str, flag: str) -> Any:
    text = typed.removeprefix(_VALUE_MARK)
    # A quoted "none" is a word where words are asked for, such as a stop token.
    if field.optional and (typed if field.type is str else text).lower() == "none":
        return None
    if field.type is tuple:
        return tuple(part for part in text.split(",") if part)
    try:
        return field.type(text)
    except ValueError:
        msg = f"{flag} must be {TYPE_NAMES[field.type]}, not {text!r}"
        raise ConfigError(msg) from None


def _unmarked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: convert(text.removeprefix(_VALUE_MARK))


def _metavar(field: OptionField) -> str:
    if field.metavar is not None:
        return field.metavar
    if field.choices is not None:
        return "|".join(field.choices())
    return {int: "N", float: "X", str: "NAME", tuple: "A,B"}[field.type]


def _help(field: OptionField) -> str:
    text = field.help.replace("%", "%%")
    if field.default in (None, ()) or field.default is False:
        return text
    default = f"{field.default:g}" if field.type is float else field.default
    return f"{text} (default {default})"


_REQUIRED = "the following arguments are required: "


def _readable(error: argparse.ArgumentError) -> str:
    if error.message.startswith("expected"):
        return f"{error.argument_name} needs a value"
    if error.message.startswith("ignored explicit argument"):
        return f"{error.argument_name} takes no value"
    return error.message
