"""Form: the lines, their beginnings, the characters and the rhymes that a text must have.

A form says what a text looks like; `rnn_magics.decoding.mask` holds a model to it. To add a class
of characters, add a line to `CHARACTER_CLASSES`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as plain_field
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.foreign import a_kind, exact, foreign_code, is_a
from rnn_magics.language import marked, say, say_number
from rnn_magics.options import AT_LEAST_ONE, Options, Spelling, check_choice, option
from rnn_magics.results import PARTS
from rnn_magics.text.characters import HAN
from rnn_magics.text.tokenizers import UNK

_HAN = re.compile(f"[{HAN}]")

CHARACTER_CLASSES: dict[str, Callable[[str], bool]] = {
    "letters": lambda c: unicodedata.category(c)[0] in "LM",  # with their marks
    "lower": str.islower,
    "upper": str.isupper,
    "han": lambda c: _HAN.match(c) is not None,
    "digits": str.isdecimal,
    "punctuation": lambda c: unicodedata.category(c)[0] == "P",
    "space": lambda c: unicodedata.category(c) == "Zs" or c == "\t",
    "newline": lambda c: c == "\n",
}
"""``CHARACTER_CLASSES[name](character)`` says whether a character belongs to a class."""


@dataclass(frozen=True, repr=False, kw_only=True)
class Form(Options):
    """The form of a text: what may be written, whatever the decoder.

    Every line ends with a line break. Before it stand `line_length` tokens; without `line_length`
    the model ends its lines, and none is empty. A text without `lines` has as many lines as
    `starts`, or as many of `line_length` as fit into its tokens. ``<unk>`` is never written.

    Parameters
    ----------
    rhymes
        The sound in which a token ends, for the tokens that may end a rhyming line. The second,
        the fourth and every other even line then end in the same sound, each in another token.
    """

    lines: int | None = option(
        None,
        "write this many lines, each ended by a line break",
        within=AT_LEAST_ONE,
        label="Lines",
    )
    line_length: int | None = option(
        None,
        "tokens of every line: characters, or words and marks with --token word",
        within=AT_LEAST_ONE,
        label="Length of a line",
    )
    starts: tuple[str, ...] = option(
        (),
        "how the lines begin, one after the other: an acrostic",
        spelling=Spelling(metavar="A,B"),
        label="How the lines begin",
    )
    only: tuple[str, ...] = option(
        (),
        lambda: say(
            "write nothing but these characters: {classes}", classes=", ".join(CHARACTER_CLASSES)
        ),
        spelling=Spelling(metavar="A,B", suggest=lambda: list(CHARACTER_CLASSES)),
        label="Only these characters",
    )
    rhymes: Mapping[str, str] | None = plain_field(default=None)

    def __post_init__(self) -> None:
        """Check each value, and that the values do not contradict each other."""
        super().__post_init__()
        for name in self.only:
            check_choice("only", name, CHARACTER_CLASSES)
        if self.lines is not None and len(self.starts) > self.lines:
            raise ConfigError(
                say_number(
                    self.lines,
                    "starts has {number} beginnings for {lines} line; leave some out, or ask for"
                    " more lines",
                    "starts has {number} beginnings for {lines} lines; leave some out, or ask for"
                    " more lines",
                    number=len(self.starts),
                    lines=self.lines,
                )
            )
        if self.rhymes is not None:
            object.__setattr__(self, "rhymes", _table(self.rhymes))
            if not self.has_lines:
                raise ConfigError(say("a rhyme needs lines; add --lines 4"))

    @property
    def has_lines(self) -> bool:
        """Whether the text is made of lines."""
        return bool(self.lines or self.line_length or self.starts)

    def changed(self) -> dict[str, Any]:
        """Return what differs from the free form."""
        rhymes = {} if self.rhymes is None else {"rhymes": self.rhymes}
        return {**super().changed(), **rhymes}

    def belongs(self, token: str) -> bool:
        """Whether every character of a token is in one of the classes of `only`."""
        classes = [CHARACTER_CLASSES[name] for name in self.only]
        return not classes or all(any(has(character) for has in classes) for character in token)

    def holds(self, token: Any) -> bool:
        """Whether a text in this form, or one of its lines, may hold a token."""
        if not isinstance(token, str) or token in ("", UNK) or not self.belongs(token):
            return False
        if PARTS.search(token):  # what bytes become together, no mask knows
            return False
        # Some characters besides \n also begin a new line.
        return not self.has_lines or len(f".{token}.".splitlines()) == 1


def _table(given: object) -> dict[str, str]:
    example = "{'light': 'ight', 'night': 'ight'}"
    if not is_a(given, Mapping):
        text = marked("rhymes must be a dict of texts, such as {example}, not {kind}")
        raise ConfigError(say(text, example=example, kind=a_kind(given)))
    wanted = say("rhymes must be a dict of texts, such as {example}", example=example)
    table: Any = given
    with foreign_code(say("{wanted}; reading it fails", wanted=wanted), ConfigError):
        pairs = [(token, table[token]) for token in table]
    for pair in pairs:
        if not all(is_a(each, str) for each in pair):
            odd = next(each for each in pair if not is_a(each, str))
            text = marked("{wanted}; one entry has {kind}")
            raise ConfigError(say(text, wanted=wanted, kind=a_kind(odd)))
    return {exact(token): exact(sound) for token, sound in pairs}
