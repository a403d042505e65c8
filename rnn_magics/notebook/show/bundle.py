"""Displays something in several forms: as text, as HTML, as a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.display import DisplayHandle, display

from rnn_magics.results import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIVE_MIME = "application/vnd.rnn-magics.live+json"
"""Marks what stands in for a view: a page with our extension draws the view and leaves this out."""


@dataclass(frozen=True)
class Bundle:
    """Something to display in several forms, by MIME type."""

    data: dict[str, Any]

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, Any]:
        return self.data


def show(plain: str, rich: str | None = None) -> None:
    """Display text, with an HTML form for front ends that can show it."""
    data = {"text/plain": plain}
    if rich is not None:
        data["text/html"] = rich
    display(Bundle(data))


def show_forms(forms: Mapping[str, Any]) -> None:
    """Display something in several forms, by MIME type."""
    display(Bundle(dict(forms)))


def forms_of(figure: Figure, words: str = "") -> dict[str, Any]:
    """Return a figure as a picture, and in characters for front ends without pictures.

    Parameters
    ----------
    figure
        The figure.
    words
        What stands for it in words if it has no curve that characters can draw.
    """
    from rnn_magics.plotting import to_characters, to_png  # noqa: PLC0415  (matplotlib on demand)

    return {"image/png": to_png(figure), "text/plain": visible(to_characters(figure)) or words}


def show_figure(figure: Figure, words: str = "") -> None:
    """Display a figure; in a terminal nothing, if there are neither characters nor words for it."""
    forms = forms_of(figure, words)
    if forms["text/plain"]:
        show_forms(forms)


def place_figure(words: str) -> Callable[[Figure], None]:
    """Reserve a place in the current cell for a figure that any thread may add later."""
    handle: DisplayHandle = display(Bundle({"text/plain": ""}), display_id=True)
    return lambda figure: handle.update(Bundle(forms_of(figure, words)))
