"""A form for a magic: its arguments as widgets, and their values as a magic line.

The form is made from the parser of the magic, so it has the same options, choices, help and
validation as the typed line.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.names import misfit
from rnn_magics.notebook.line.parser import MagicParser, default_of
from rnn_magics.notebook.line.words import split_line
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.options import OptionField

_UNSAID = ""  # the value of a field that is left out of the line
# A word that needs no quotes; never "$name" or "{name}".
_PLAIN = re.compile(r"[\w.,:/+~%@^-]+", re.ASCII)
# Text with backslashes inside; backslashes before a quote or at the end; double quotes.
_PIECES = re.compile(r'(?:[^"\\]|\\+[^"\\])+|\\+|"+')
_LAYOUT = {"width": "21em"}
_STYLE = {"description_width": "9em"}


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


@dataclass(frozen=True)
class Field:
    """One argument of a magic.

    Parameters
    ----------
    action
        The argument in the parser.
    widget
        The widget with its value; an empty value leaves the argument out.
    """

    action: argparse.Action
    widget: Any  # every ipywidget with a value

    def words(self) -> Iterator[str]:
        """Yield the words of the argument on a magic line."""
        value = self.widget.value
        if value is None or value is False or value == _UNSAID:  # but the number 0 is said
            return
        yield from self.action.option_strings[:1]
        if self.action.nargs == 0:
            return
        yield quoted(f"{value:g}" if isinstance(value, float) else value)


class Form:
    """The arguments of a magic as widgets.

    Parameters
    ----------
    parser
        The parser of the magic.
    skip
        Arguments that the form does not show.
    sliders
        Numbers chosen with a slider: lowest, highest, step and initial value by argument.
    fixed
        Words that are always on the line.

    Attributes
    ----------
    fields : dict of str to Field
        The fields by argument name.
    """

    def __init__(
        self,
        parser: MagicParser[Any],
        *,
        skip: Iterable[str] = (),
        sliders: Mapping[str, tuple[float, float, float, float]] | None = None,
        fixed: Iterable[str] = (),
    ) -> None:
        self._parser = parser
        self._fixed = list(fixed)
        shown = [a for a in parser.actions if a.dest not in (*skip, "explain")]
        self.fields = {
            a.dest: Field(a, _widget(a, parser, (sliders or {}).get(a.dest))) for a in shown
        }

    def observe(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever a value changes."""
        for field in self.fields.values():
            field.widget.observe(lambda _change: changed(), names="value")

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

    def problem(self, variables: Mapping[str, Any]) -> str:
        """Return the error that the magic would report for the values; empty if there is none."""
        try:
            self._parser.parse(split_line(self.line(), variables))
        except ConfigError as error:
            return one_line(str(error))
        return ""


def _widget(
    action: argparse.Action,
    parser: MagicParser[Any],
    slider: tuple[float, float, float, float] | None,
) -> Any:
    label = action.option_strings[0] if action.option_strings else action.dest
    settings: dict[str, Any] = {
        "description": label,
        "tooltip": (action.help or "").replace("%%", "%"),
        "layout": _LAYOUT,
        "style": _STYLE,
    }
    choices = parser.offered(action.dest)
    if action.nargs == 0:
        return widgets.Checkbox(value=False, **settings)
    if slider is not None:
        low, high, step, value = slider
        return widgets.FloatSlider(value=value, min=low, max=high, step=step, **settings)
    placeholder = _placeholder(action, parser.fields[action.dest])
    if choices:
        return widgets.Combobox(options=choices, placeholder=placeholder, **settings)
    return widgets.Text(placeholder=placeholder, **settings)


def _placeholder(action: argparse.Action, field: OptionField) -> str:
    told = re.search(r"\(default ([^)]*)\)", field.help)
    return told[1] if told else default_of(field) or str(action.metavar or "")
