"""The display preferences: ``%config RNNMagics``."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Enum, Unicode, observe
from traitlets.config import Configurable

from rnn_magics.language import LANGUAGES, marked, say, speak


class RNNMagics(Configurable):
    """Display preferences of rnn_magics; none of them changes a result."""

    progress = Bool(True, help=marked("Show progress during training.")).tag(config=True)
    figures = Bool(True, help=marked("Show a figure when training ends.")).tag(config=True)
    live = Bool(True, help=marked("Show training in a live view; as text when this is off.")).tag(
        config=True
    )
    stream = Bool(
        True, help=marked("Show generated text as it is written, not only at the end.")
    ).tag(config=True)
    prepare = Bool(
        True, help=marked("Import and compile what training needs as soon as a text has been read.")
    ).tag(config=True)
    solutions = Bool(
        False, help=marked("Show solutions of exercises at once, not only after three tries.")
    ).tag(config=True)
    language = Enum(
        ["auto", *LANGUAGES],
        "auto",
        help=marked("What everything is said in; with auto, what the interface of Jupyter speaks."),
    ).tag(config=True)
    interface = Unicode("en")
    """The locale of the interface, which is told by the page or guessed before one has told it."""

    @classmethod
    def class_get_trait_help(cls, trait: Any, inst: Any = None, helptext: str | None = None) -> str:
        """Return the help of a preference, in the language that is spoken."""
        return super().class_get_trait_help(trait, inst, helptext or say(trait.help))

    @observe("language", "interface")
    def _speak(self, _change: Any) -> None:
        speak(self.interface if self.language == "auto" else self.language)
