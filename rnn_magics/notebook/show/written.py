"""What ``%generate`` shows of a text: one output, whatever was asked for beside the text."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from rnn_magics.notebook.show.bundle import forms_of
from rnn_magics.notebook.show.decoded import apart, score_text
from rnn_magics.notebook.show.novelty import novelty_html, novelty_text
from rnn_magics.notebook.show.rich.decoded import score_html, written_html
from rnn_magics.notebook.show.rich.markup import attribute, block, muted, picture
from rnn_magics.results import visible

if TYPE_CHECKING:
    from rnn_magics.decoding.forecast import Forecast
    from rnn_magics.decoding.generate import Generation
    from rnn_magics.decoding.score import Score
    from rnn_magics.inspection.novelty import Novelty


def written_forms(
    written: Generation,
    score: Score | None = None,
    novelty: Novelty | None = None,
    *,
    is_whole: bool = True,
) -> dict[str, str]:
    """Return a text with its prefix set off, coloured and marked as asked, and what is said of it.

    Parameters
    ----------
    written
        The text.
    score
        The surprise of its tokens, if they are to be coloured.
    novelty
        What is copied in it, if that is to be marked.
    is_whole
        Whether what is said of the text is a part of it. In a terminal it follows, as the value of
        the line.
    """
    prefix, text = apart(written)
    rich = [
        *([] if score is None else [score_html(score)]),
        *([] if novelty is None else [novelty_html(novelty, prefix)]),
    ] or [written_html(prefix, text)]
    plain = [
        *([] if score is None else [score_text(score)]),
        *([] if novelty is None else [novelty_text(novelty, prefix)]),
    ] or [visible(prefix + text)]
    if is_whole:
        rich.append(muted(written.said))
        plain.append(visible(written.said))
    return {"text/html": block(*rich), "text/plain": "\n\n".join(plain)}


def generation_html(written: Generation) -> str:
    """Return a text as HTML, with what is said of it."""
    return written_forms(written)["text/html"]


def forecast_forms(forecast: Forecast, *, is_whole: bool = True) -> dict[str, Any]:
    """Return a forecast as a picture with its verdict, and in characters; see `written_forms`."""
    from rnn_magics.plotting.series.fan import fan_figure  # noqa: PLC0415  (matplotlib on demand)

    forms, said = forms_of(fan_figure(forecast)), visible(repr(forecast))
    drawn = base64.b64encode(forms["image/png"]).decode("ascii")
    caption = f"{forecast.verdict}{forecast.seed}"
    shown = block(picture(drawn, attribute(forecast.size)), muted(caption))
    plain = "\n\n".join(filter(None, [forms["text/plain"], said if is_whole else ""]))
    return {**forms, "text/html": shown, "text/plain": plain}
