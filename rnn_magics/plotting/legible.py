"""A figure in which every character is drawn: with a font that has it, or as an escape."""

from __future__ import annotations

from matplotlib import figure
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text

from rnn_magics.plotting.style import drawable, font_with


class Figure(figure.Figure):
    """A matplotlib figure that finds the fonts for its names and texts when it is drawn.

    Whatever its text is, and wherever it is drawn or saved, there is neither a box in place of a
    character nor a warning about one.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure with fonts that have its characters."""
        for axes in self.axes:
            for axis in (axes.xaxis, axes.yaxis):
                axis.get_ticklabels()  # which gives the ticks their labels
        for text in self.findobj(Text):
            _make_legible(text)
        super().draw(renderer)


def _make_legible(text: Text) -> None:
    words = text.get_text()
    if words.isascii() and words.isprintable():
        return
    shown = "\n".join(map(drawable, words.split("\n")))
    if shown != words:
        text.set_text(shown)
    families = text.get_fontfamily()
    needed = dict.fromkeys(font_with(character) for character in shown if character != "\n")
    more = [name for name in needed if name is not None and name not in families]
    if more:
        text.set_fontfamily([*families, *more])
