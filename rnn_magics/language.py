"""The language in which everything is said: English, or Chinese where page or reader asks for it.

Every text that people read passes through `say`. It stands in the source in English, which is also
its key in the catalogue (GNU gettext, `rnn_magics/locale`), with named fields as in `str.format`.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOMAIN = "rnn_magics"
LANGUAGES = {"en": "English", "zh": "简体中文"}
"""The languages that there are, each in its own name."""
_LOCALES = {"zh": "zh_CN"}
_FOLDER = Path(__file__).parent / "locale"


class _Spoken:
    """What the process speaks, in all threads, since a worker writes into the same page."""

    def __init__(self) -> None:
        self.language = "en"
        self.catalogue = gettext.NullTranslations()

    def use(self, language: str) -> None:
        locale = _LOCALES.get(language)
        self.catalogue = (
            gettext.NullTranslations()
            if locale is None
            else gettext.translation(DOMAIN, _FOLDER, [locale], fallback=True)
        )
        self.language = language


_spoken = _Spoken()


def language() -> str:
    """Return the language that is spoken, a key of `LANGUAGES`."""
    return _spoken.language


def speak(name: str) -> None:
    """Say everything in a language from now on.

    Parameters
    ----------
    name
        A key of `LANGUAGES`, or the name of a locale such as ``zh_CN.UTF-8`` or ``en-US``. For any
        other language it is English.
    """
    key = re.split(r"[-_.@]", name, maxsplit=1)[0].lower()
    _spoken.use(key if key in LANGUAGES else "en")


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Say everything in a language inside a ``with`` block."""
    before = _spoken.language
    speak(name)
    try:
        yield
    finally:
        _spoken.use(before)


def say(text: str, /, **filled: object) -> str:
    """Return a text in the language that is spoken, its fields filled in.

    Parameters
    ----------
    text
        The text in English, a literal, with fields such as ``{epochs}`` or ``{share:.1%}``.
    **filled
        The value of each field. A text without values is not formatted; its braces are braces.
    """
    said = _spoken.catalogue.gettext(text) if text else ""  # gettext("") is the catalogue's head
    return said.format(**filled) if filled else said


def say_number(number: int, one: str, many: str, /, **filled: object) -> str:
    """Return the text for one thing or for many; ``{number}`` is the number, unless it is given."""
    said = _spoken.catalogue.ngettext(one, many, number)
    return said.format(**{"number": number, **filled})


def say_in(context: str, text: str, /) -> str:
    """Return a word whose translation depends on what it says: of a run, "training" is a state."""
    return _spoken.catalogue.pgettext(context, text)


def marked(text: str, /) -> str:
    """Return a text as it is; the catalogue has it, and `say` translates it where it is shown."""
    return text
