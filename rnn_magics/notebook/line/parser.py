"""The command line of a magic, made from its options: parsing, help and completion."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.names import misfit
from rnn_magics.notebook.line.options import Line, LineOptions, parts_of
from rnn_magics.notebook.line.words import Word
from rnn_magics.options import (
    OptionField,
    check_value,
    describe,
    did_you_mean,
    wrong_type,
)
from rnn_magics.tables import wrapped

O = TypeVar("O", bound=LineOptions)  # noqa: E741  (of the options)

# Marks a quoted word, so that argparse takes it as a value even if it begins with "-".
_VALUE_MARK = "\N{NULL}"
_NONE_MARK = "\N{NULL}None, as is "  # the name of the variable follows
_LIST_MARK = "\N{NULL}List, as is "  # the name of the variable and a space follow, then the element
_FLAG = re.compile(r"--?[^\W\d]")
_REQUIRED = "the following arguments are required: "
_TIMES = {"k": "000", "M": "000000"}
_COMMON = {field.name for field in describe(LineOptions)}


class _Help(argparse.HelpFormatter):
    """Help in the language that is spoken, whose lines fit where characters are wide, too."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, prefix or say("usage: "))

    def _split_lines(self, text: str, width: int) -> list[str]:
        if text.isascii():
            return super()._split_lines(text, width)
        return wrapped(text, width, indent="").split("\n")


class MagicParser(argparse.ArgumentParser, Generic[O]):
    """An argument parser that raises `ConfigError` instead of exiting.

    Parameters
    ----------
    name
        The name of the magic, without the percent sign.
    options
        The class of its options.

    Attributes
    ----------
    fields : dict of str to OptionField
        Every option by name.
    """

    def __init__(self, name: str, options: type[O]) -> None:
        super().__init__(
            prog=f"%{name}",
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
            argument_default=argparse.SUPPRESS,
            formatter_class=lambda prog: _Help(prog, max_help_position=28, width=96),
        )
        self._positionals.title = say("positional arguments")
        self._optionals.title = say("options")
        self.color = False  # Python 3.14 would colour the help
        self.fields: dict[str, OptionField] = {}
        self._cls = options
        for group, fields in _grouped(options):
            self._add_group(group, [field for field in fields if field.name not in self.fields])

    def error(self, message: str) -> NoReturn:
        """Raise an error instead of printing it."""
        raise ConfigError(self._readable(message))

    @property
    def actions(self) -> list[argparse.Action]:
        """The arguments, in the order they were added."""
        return self._actions

    def offered(self, name: str) -> list[str]:
        """Return the choices of an option, or the values suggested for it."""
        field = self.fields[name]
        suggest = field.spelling.suggest
        listed = field.choices or (None if isinstance(suggest, str) else suggest)
        return list(field.words) if listed is None else list(listed())

    def defaults(self, words: Sequence[Word]) -> dict[str, Any]:
        """Return the value of each option that is not typed; a recipe among the words sets some.

        Raises
        ------
        ConfigError
            As in `parse`.
        """
        begun = self._cls.begin(self.typed(words))
        parts = [getattr(begun, name) for name, _ in parts_of(self._cls)]
        owners = [*reversed(parts), begun]  # of options with one name, the first counts
        return {f.name: getattr(own, f.name) for own in owners for f in describe(type(own))}

    def parse(self, words: Sequence[Word], line: Line | None = None) -> O:
        """Parse the words of a line into options.

        Raises
        ------
        ConfigError
            If an option is unknown, a value is missing or not accepted, or a word is left over.
        """
        return self._cls.read(self.typed(words), line)

    def typed(self, words: Sequence[Word]) -> dict[str, Any]:
        """Return the typed values by option name.

        Raises
        ------
        ConfigError
            As in `parse`.
        """
        known = {field.flag for field in self.fields.values()}
        for word in words:  # first, since argparse would misread its value
            if not word.quoted and _FLAG.match(word.text) and _flag_in(word.text) not in known:
                raise ConfigError(self._unexpected(word.text))
        marked = [_marked(word) for word in words]
        try:
            found, extra = self.parse_known_intermixed_args(marked)
        except argparse.ArgumentError as error:
            raise ConfigError(self._readable(error.message, error.argument_name)) from None
        if extra:
            raise ConfigError(self._unexpected(extra[0]))
        typed = vars(found)
        for name, field in self.fields.items():  # drop words that were not typed
            if not field.flag and typed.get(name) in (None, []):
                typed.pop(name, None)
        return {n: tuple(v) if isinstance(v, list) else v for n, v in typed.items()}

    def _add_group(self, title: str, fields: Sequence[OptionField]) -> None:
        group = self.add_argument_group(title) if title else self
        for field in fields:
            self.fields[field.name] = field
            names = [field.flag] if field.flag else [field.name]
            group.add_argument(*names, **_settings(field))

    def _readable(self, message: str, argument: str | None = None) -> str:
        if message.startswith(_REQUIRED):  # raised by Python 3.13, given to `error` before
            required = message.removeprefix(_REQUIRED)
            return say("{magic} needs {required}", magic=self.prog, required=required)
        if message.startswith("expected"):
            return say("{option} needs a value", option=argument)
        if message.startswith("ignored explicit argument"):
            return say("{option} takes no value", option=argument)
        return message

    def _unexpected(self, word: str) -> str:
        if word.startswith("-"):
            flag = _flag_in(word)
            flags = [field.flag for field in self.fields.values() if field.flag]
            near = did_you_mean(flag, flags)
            if re.fullmatch(r"-\w", flag):  # there are no short options
                long = [each for each in flags if each.startswith(f"-{flag}")]
                near = say("; did you mean {words}?", words=say(" or ").join(long)) if long else ""
            near = near or say("; {magic}? lists them", magic=self.prog)
            return say("{magic} has no option {flag}{near}", magic=self.prog, flag=flag, near=near)
        if word.startswith(_LIST_MARK):
            return _one_value(word.removeprefix(_LIST_MARK).partition(" ")[0], self.prog)
        word = word.removeprefix(_VALUE_MARK)
        return say(
            "{magic} does not expect {word!r}; text with spaces needs quotes",
            magic=self.prog,
            word=word,
        )


def _flag_in(word: str) -> str:
    return word.partition("=")[0]


def _marked(word: Word) -> str:
    if word.listed:
        return f"{_LIST_MARK}{word.listed} {word.text}"
    if word.none:
        return f"{_NONE_MARK}{word.none}"
    return f"{_VALUE_MARK}{word.text}" if word.quoted else word.text


def _grouped(options: type[LineOptions]) -> Iterator[tuple[str, list[OptionField]]]:
    # The magic's own options and parts in order of declaration, then those of every magic.
    own, parts = {field.name: field for field in describe(options)}, dict(parts_of(options))
    for declared in dataclasses.fields(options):
        if declared.name in own and declared.name not in _COMMON:
            yield "", [own[declared.name]]
        for each in parts.get(declared.name, ()):
            yield each.__name__, describe(each)
    yield "", [own[name] for name in own if name in _COMMON]


def _settings(field: OptionField) -> dict[str, Any]:
    settings: dict[str, Any] = {"help": _help(field)}
    if field.flag:
        settings["dest"] = field.name
    if field.type is bool:
        return {**settings, "action": "store_true"}
    settings |= {"type": _converter(field), "metavar": _metavar(field)}
    if field.spelling.bare is not None:
        return {**settings, "nargs": "?", "const": field.spelling.bare}
    if field.flag or field.spelling.required:
        return settings
    # None marks an absent word: argparse would convert any other default.
    return {**settings, "nargs": "*" if field.type is tuple else "?", "default": None}


def _converter(field: OptionField) -> Callable[[str], Any]:
    what = field.flag or field.name

    def convert(text: str) -> Any:
        try:
            if text.startswith(_LIST_MARK):
                return _element(field, text.removeprefix(_LIST_MARK), what)
            if text.startswith(_NONE_MARK):
                return _none(field, text.removeprefix(_NONE_MARK), what)
            if not field.flag and field.type is tuple:  # one of several words
                return text.removeprefix(_VALUE_MARK)
            return check_value(field, _parsed(field, text, what), what)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _element(field: OptionField, marked: str, what: str) -> str:
    name, _, text = marked.partition(" ")
    if field.flag or field.type is not tuple:
        raise ConfigError(_one_value(name, what))
    return text


def _one_value(name: str, what: str) -> str:
    return say(
        "variable {name!r} is a list, but {what} takes one value; name one element",
        name=name,
        what=what,
    )


def _none(field: OptionField, name: str, what: str) -> None:
    if not field.optional:
        msg = say("variable {name!r} is None, but {what} needs a value", name=name, what=what)
        raise ConfigError(msg)


def _parsed(field: OptionField, typed: str, what: str) -> Any:
    text = typed.removeprefix(_VALUE_MARK)
    if field.spelling.is_name and (unfit := misfit(text)):
        msg = say("{what} has {character}; names are one line of text", what=what, character=unfit)
        raise ConfigError(msg)
    if field.spelling.verbatim and field.type is str:
        return text
    # For a text option, such as a stop token, a quoted "none" is text.
    if field.optional and (typed if field.type is str else text).lower() == "none":
        return None
    if text in field.words:
        return text
    if field.type is tuple:
        return tuple(part for part in text.split(",") if part)
    if field.spelling.thousands and text[-1:] in _TIMES and text[:-1].isdecimal():
        text = f"{text[:-1]}{_TIMES[text[-1]]}"
    try:  # ASCII only: int() and float() accept the digits of every script
        return field.type(text if field.type is str or text.isascii() else "")
    except ValueError:
        raise ConfigError(wrong_type(field, text, what)) from None


def _metavar(field: OptionField) -> str:
    if field.spelling.metavar is not None:
        return field.spelling.metavar
    if field.choices is not None:
        return "|".join(field.choices())
    kind = {int: "N", float: "X", str: "NAME", tuple: "A,B"}[field.type]
    return "|".join([kind, *field.words])


def _help(field: OptionField) -> str:
    text = say(field.help).replace("%", "%%")
    default = default_of(field)
    return say("{help} (default {default})", help=text, default=default) if default else text


def default_of(field: OptionField) -> str:
    """Return what an option is when it is not typed, as text; empty where that says nothing."""
    if field.default in (None, (), "") or field.default is False:
        return ""
    return f"{field.default:g}" if field.type is float else str(field.default)
