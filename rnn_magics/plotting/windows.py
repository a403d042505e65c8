"""The figure of ``batches``: where the windows of an epoch lie in the text."""

from __future__ import annotations

from rnn_magics.inspection.views.windows import Windows
from rnn_magics.plotting.legible import Figure
from rnn_magics.plotting.style import GREY, cycle, house_style

_ROWS_IN_COLOUR = 8
_ARROWS = 200


def windows_figure(trace: Windows) -> Figure:
    """Draw a line for each minibatch, with its windows in the text and the carried states."""
    with house_style():
        height = 1.5 + 0.42 * trace.num_shown
        figure = Figure(figsize=(11, height), layout="constrained")
        axes = figure.subplots()
        starts = trace.starts[: trace.num_shown]
        colours = cycle(_ROWS_IN_COLOUR)
        # In a long text a window would be too thin to see, so it is drawn at least this wide.
        width = max(trace.num_steps, trace.num_tokens / 400)
        for minibatch, row_starts in enumerate(starts):
            bars = [(start, width) for start in row_starts.tolist()]
            rows = [colours[row % _ROWS_IN_COLOUR] for row in range(len(bars))]
            axes.broken_barh(bars, (minibatch - 0.3, 0.6), facecolors=rows)
        for before, row, after, next_row in trace.arrows_shown[:_ARROWS].tolist():
            axes.annotate(
                "",
                xy=(starts[after, next_row] + width / 2, after - 0.3),
                xytext=(starts[before, row] + width / 2, before + 0.3),
                arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 0.8},
            )
        axes.axvspan(0, trace.offset, color=GREY, alpha=0.3, linewidth=0)
        axes.set(xlim=(0, trace.num_tokens), ylim=(trace.num_shown - 0.4, -0.6))
        axes.set_yticks(range(trace.num_shown))
        axes.set(xlabel="place in the text (tokens)", ylabel="minibatch")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        carried = len(trace.arrows)
        state = "arrows: the state is carried" if carried else "the state starts from zero"
        axes.set_title(
            f"{trace.batching}: the first {trace.num_shown} of {len(trace.starts):,} minibatches,"
            f" one colour per row; {state}",
            loc="left",
        )
        axes.grid(visible=False, axis="y")
    return figure
