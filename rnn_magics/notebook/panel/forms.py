"""A form for a magic: its options as widgets, and their values as a magic line.

The form is made from the options of the magic: a field has the label of its option, a menu has its
choices, a tooltip its help, and a value is checked as on a typed line. No flag is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from rnn_magics.errors import ConfigError
from rnn_magics.language import language, say
from rnn_magics.names import misfit
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import split_line
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.notebook.show.rich.markup import attribute
from rnn_magics.options import OptionField

# A word that needs no quotes; never "$name" or "{name}".
_PLAIN = re.compile(r"[\w.,:/+~%@^-]+", re.ASCII)
# Text with backslashes inside; backslashes before a quote or at the end; double quotes.
_PIECES = re.compile(r'(?:[^"\\]|\\+[^"\\])+|\\+|"+')
# What an option is by default, as its help says it in each language, in a clause of its own. What
# depends on something else, such as the kind of text, stands in a longer clause and is no default
# that a field could show: "of a series, by default its training part".
_DEFAULT = {
    "en": re.compile(r"(?:^|; |\()(?:by )?default:? ([^;,()]+)(?=$|;|\))"),
    "zh": re.compile(r"(?:^|[；（])默认(?:为|是|：)? ?([^；，。（）]+)(?=$|[；）])"),
}
_REFUSED = "rnn-refused"


def quoted(text: str) -> str:
    r"""Return text as one word of a magic line, in quotes where it needs them.

    Adjacent pieces form one word, so text with both kinds of quotes is quoted piece by piece.
    IPython tokenizes a line as Python before it takes it as a magic, so each piece must also be a
    complete Python string. A backslash before a closing quote would leave the string open, and a
    ``?`` after that would ask for help; therefore such backslashes stay outside the quotes.
    ``labextension/src/views/text/line.ts`` does the same.

    Raises
    ------
    ConfigError
        If the text has a line end or a control character, which no magic line can hold.
    """
    if what := misfit(text):
        msg = say(
            "a magic line cannot hold {what}; put the text into a variable and type $name",
            what=what,
        )
        raise ConfigError(msg)
    if _PLAIN.fullmatch(text) and not text.startswith("-"):
        return text
    pieces = [_piece(match[0]) for match in _PIECES.finditer(text)]
    return "".join([*pieces, '""'] if text.endswith("\\") or not text else pieces)


def _piece(text: str) -> str:
    if not text.strip("\\"):
        return text
    return f"'{text}'" if text.startswith('"') else f'"{text}"'


Offers = Mapping[str, Callable[[], Iterable[str]]]


@dataclass(frozen=True)
class Field:
    """One option of a magic.

    Parameters
    ----------
    option
        The option.
    widget
        The widget with its value.
    unsaid
        The value that leaves the option out of the line: nothing typed, or not ticked.
    """

    option: OptionField
    widget: Any  # every ipywidget with a value
    unsaid: Any

    @property
    def is_missing(self) -> bool:
        """Whether the line needs a value that is not there."""
        return self.option.spelling.required and self.widget.value == self.unsaid

    def words(self) -> Iterator[str]:
        """Yield the words of the option on a magic line."""
        value = self.widget.value
        if value == self.unsaid:
            return
        if self.option.flag:
            yield self.option.flag
        if self.option.type is not bool:
            yield quoted(value)

    def label_in(self, message: str) -> str:
        """Return a message with the label instead of the flag."""
        return _named(self.option).sub(lambda _match: self.label, message)

    @property
    def label(self) -> str:
        """What the form calls it, in the language that is spoken."""
        return say(self.option.label)

    def tell(self, default: Any) -> None:
        """Show what the option is where nothing is chosen."""
        said = default_in_words(self.option, default)
        if isinstance(self.widget, widgets.Dropdown):
            _offer(self.widget, said, self.widget.options[1:])
        elif isinstance(self.widget, widgets.Text):
            self.widget.placeholder = said


class Form:
    """The options of a magic as widgets.

    Parameters
    ----------
    parser
        The parser of the magic.
    skip
        Options that the form does not show.
    fixed
        Words that are always on the line.
    offers
        What is offered for an option whose values a session knows, such as its ``runs``.

    Attributes
    ----------
    fields : dict of str to Field
        The fields by the name of the option.
    """

    def __init__(
        self,
        parser: MagicParser[Any],
        *,
        skip: Iterable[str] = (),
        fixed: Iterable[str] = (),
        offers: Offers | None = None,
    ) -> None:
        self._parser, self._offers = parser, offers or {}
        self._fixed = list(fixed)
        shown = [f for f in parser.fields.values() if f.name not in (*skip, "explain")]
        self.fields = {f.name: _field(f, parser.offered(f.name)) for f in shown}
        self.refresh()

    def observe(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever a value changes."""
        for field in self.fields.values():
            field.widget.observe(lambda _change: changed(), names="value")

    def refresh(self) -> None:
        """Offer what the session knows by now."""
        for field in self.fields.values():
            suggest = field.option.spelling.suggest
            if isinstance(suggest, str) and suggest in self._offers:
                field.widget.options = tuple(self._offers[suggest]())

    def line(self) -> str:
        """Return the line without the name of the magic.

        Raises
        ------
        ConfigError
            If a value cannot be written on a line.
        """
        words = [word for field in self.fields.values() for word in field.words()]
        return " ".join([*words, *self._fixed])

    def magic_line(self) -> str:
        """Return the full line, e.g. ``%train_rnn --cell lstm``; see `line`."""
        return f"{self._parser.prog} {self.line()}".rstrip()

    @property
    def missing(self) -> list[str]:
        """The labels of the fields that must be filled in and are not."""
        return [field.label for field in self.fields.values() if field.is_missing]

    def check(self, variables: Mapping[str, Any]) -> str:
        """Return what is wrong with the values, in the words of the form; empty if nothing is.

        The field that it is about is marked. If nothing is wrong, each field shows its default.
        """
        problem = ""
        try:
            words = split_line(self.line(), variables)
            if not self.missing:
                self._parser.parse(words)
            defaults = self._parser.defaults(words) if not self.missing else {}
        except ConfigError as error:
            problem, defaults = str(error), {}
        for name, field in self.fields.items():
            if name in defaults:
                field.tell(defaults[name])
            is_refused = _named(field.option).match(problem) is not None
            (field.widget.add_class if is_refused else field.widget.remove_class)(_REFUSED)
        return one_line(self._labelled(problem))

    def _labelled(self, message: str) -> str:
        # Labels instead of flags, and instead of the name of a word with which a message begins.
        for field in self.fields.values():
            message = field.label_in(message)
        return message


def _named(option: OptionField) -> re.Pattern[str]:
    # What finds an option in a message; a flag may stand between Chinese characters.
    if option.flag:
        return re.compile(rf"(?<![!-~]){option.flag}(?![\w-])", re.ASCII)
    return re.compile(rf"\A{option.name}(?=:|：| must | 必须)")


def _field(option: OptionField, offered: list[str]) -> Field:
    settings: dict[str, Any] = {"description": _label(option), "description_allow_html": True}
    if option.type is bool:
        return Field(option, widgets.Checkbox(value=False, indent=False, **settings), False)
    said = default_in_words(option, option.default)
    if option.choices is not None:
        menu = widgets.Dropdown(options=[("", ""), *((word, word) for word in offered)], **settings)
        _offer(menu, said, menu.options[1:])
        return Field(option, menu, "")
    if offered or option.spelling.suggest:
        return Field(option, widgets.Combobox(options=offered, placeholder=said, **settings), "")
    return Field(option, widgets.Text(placeholder=said, **settings), "")


def _label(option: OptionField) -> str:
    # ipywidgets shows the tooltip of a widget only where it has no description.
    return f"<span title='{attribute(say(option.help))}'>{escaped(say(option.label))}</span>"


def _offer(menu: widgets.Dropdown, default: str, others: Iterable[Any]) -> None:
    # The first entry stands for the default, and leaves the option out of the line.
    said = say("{value} (default)", value=default) if default else say("not set")
    first = (said, "")
    if not menu.options or menu.options[0] != first:
        value = menu.value
        menu.options = [first, *others]
        menu.value = value


def default_in_words(option: OptionField, default: Any) -> str:
    """Return a default as a reader sees it; where it is None, as its help says it, or nothing."""
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        default = " ".join(default)
    if default is not None and default != "":
        return str(default)
    said = _DEFAULT[language()].search(say(option.help))
    return said[1] if said else ""
