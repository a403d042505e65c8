"""Training progress as text: a bar in a terminal, a rewritten output in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle, display
from tqdm import tqdm

from rnn_magics.digits import rounded
from rnn_magics.language import marked, say
from rnn_magics.notebook.session.desk import has_kernel
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.notebook.show.runs import closing_lines, run_table
from rnn_magics.notebook.show.tables import html_table, text_table
from rnn_magics.reports.run_notes import run_notes
from rnn_magics.reports.run_report import report_run
from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.tables import columns_of, terminal_width, wrapped
from rnn_magics.training.endings import Ending, state_in_words
from rnn_magics.training.events import (
    Compiling,
    EpochEnd,
    Evaluating,
    Event,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.run import Run

Listener = Callable[[Event], None]


class Progress(Protocol):
    """A listener that shows a run."""

    def __call__(self, event: Event) -> None:
        """Process an event."""

    def settle(self, verdict: str) -> None:
        """Tell the end: the verdict, the figures, and the baselines, which are fitted by now."""

    def explain(self) -> None:
        """Say what the figures are; it comes last."""


_AS_TYPED = "white-space:pre-wrap;font-family:monospace"


def first_line(run: Run) -> str:
    """Return a line that says what is trained, where and why there, and what was predicted."""
    said = say(
        "{run}: {architecture}, {num_parameters:,} parameters, engine {engine}, on {place}",
        run=run.name,
        architecture=run.architecture,
        num_parameters=run.model.num_parameters,
        engine=run.model.engine,
        place=run.place,
    )
    if run.predicted is not None:
        expected = rounded(run.predicted)
        yours = say("your prediction: held-out perplexity {perplexity}", perplexity=expected)
        said = say("; ").join([said, yours])
    return one_line(said)


def compiling_line(event: Compiling) -> str:
    """Return what is awaited, and for about how long."""
    return say(
        "compiling {what} for this CPU, once (about {seconds} seconds)",
        what=say(event.what),
        seconds=event.seconds,
    )


class TerminalProgress:
    """A bar for the current epoch, and a row of a table for each finished one.

    Parameters
    ----------
    run
        The run in training.
    write
        Writes a line of text.
    """

    def __init__(self, run: Run, write: Callable[[str], object] = print) -> None:
        self._run = run
        self._write = write
        self._table = _EpochTable(0)
        self._num_epochs = 0
        self._bar: Any = None  # a tqdm

    def __call__(self, event: Event) -> None:
        """Process an event."""
        match event:
            case Compiling():
                self._write(compiling_line(event))
            case TrainBegin():
                self._num_epochs = event.num_epochs
                self._table = _EpochTable(event.num_epochs)
                self._write(wrapped(first_line(self._run)))
            case StepEnd():
                self._draw(event)
            case Evaluating() if self._bar is not None:
                self._bar.set_postfix_str(say("scoring held-out text"))
            case EpochEnd():
                self._close()
                for line in self._table.lines(event):
                    self._write(line)
            case TrainEnd():
                self._close()
                self._tell([self._run.message] if self._run.message else [])

    def settle(self, verdict: str) -> None:
        """Write the verdict, then the figures, then a line for each baseline of the run."""
        self._tell(closing_lines(self._run, verdict))

    def explain(self) -> None:
        """Write what the figures are."""
        self._tell(report_run(self._run).definitions)

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            indent = line[: len(line) - len(line.lstrip(" "))]
            self._write(wrapped(indent + one_line(line)))

    def _draw(self, event: StepEnd) -> None:
        bar_format = _bar_format(event)
        if self._bar is None:
            self._bar = tqdm(
                total=event.num_steps,
                desc=say("epoch {epoch}/{planned}", epoch=event.epoch, planned=self._num_epochs),
                unit=say("batch"),
                leave=False,
                file=sys.stderr,
                bar_format=bar_format,
            )
        self._bar.bar_format = bar_format
        self._bar.set_postfix_str(_perplexity(event), refresh=False)
        self._bar.update(event.step - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class NotebookProgress:
    """One output that is rewritten: the epochs so far, and a bar for the current one.

    It uses a display handle, so it stays in the cell that started the run, even when a worker
    thread writes it while other cells run.

    Parameters
    ----------
    run
        The run in training.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._begin: TrainBegin | None = None
        first = first_line(run)
        bundle = Bundle({"text/plain": first, "text/html": escaped(first)})
        self._handle: DisplayHandle | None = display(bundle, display_id=True)

    def __call__(self, event: Event) -> None:
        """Process an event."""
        match event:
            case Compiling():
                self._show(compiling_line(event))
            case TrainBegin():
                self._begin = event
                self._show("")
            case StepEnd():
                self._show(self._bar(event))
            case Evaluating():
                self._show(say("epoch {epoch}: scoring held-out text", epoch=event.epoch))
            case EpochEnd():
                self._show("")
            case TrainEnd():
                self._end(event.reason)

    def settle(self, verdict: str) -> None:
        """Show the end again, with the verdict and the baselines of the run."""
        if self._run.reason is not None:
            self._end(self._run.reason, verdict)

    def explain(self) -> None:
        """Say nothing more: the notes are in the same output."""

    def _end(self, reason: Ending, *verdict: str) -> None:
        told = filter(None, [*verdict, *run_notes(self._run)])
        self._show(
            "\n".join([say("ended: {reason}", reason=state_in_words(reason)), *map(one_line, told)])
        )

    def _bar(self, event: StepEnd) -> str:
        num_epochs = self._begin.num_epochs if self._begin else event.epoch
        seconds_per_token = event.seconds / event.tokens
        tokens_per_step = self._begin.tokens_per_step if self._begin else 1
        bar = tqdm.format_meter(
            event.step,
            event.num_steps,
            event.step * tokens_per_step * seconds_per_token,
            prefix=say("epoch {epoch}/{planned}", epoch=event.epoch, planned=num_epochs),
            unit=say("batch"),
            ncols=78,
            bar_format=_bar_format(event),
            postfix=say(
                "ppl {perplexity}", perplexity=rounded(perplexity(event.epoch_loss.item()))
            ),
        )
        return str(bar)

    def _show(self, last_line: str) -> None:
        if self._handle is None:
            return
        first, (head, rows) = first_line(self._run), run_table(self._run)
        plain = [first, text_table(head, rows)] if rows else [first]
        table = html_table(head, rows) if rows else ""
        rich = (
            f"<div>{escaped(first)}</div>{table}<div style='{_AS_TYPED}'>{escaped(last_line)}</div>"
        )
        data = {"text/plain": "\n".join(filter(None, [*plain, last_line])), "text/html": rich}
        self._handle.update(Bundle(data))


def _perplexity(event: StepEnd) -> str:
    reached = rounded(perplexity(event.epoch_loss.item()))
    return say("ppl {perplexity}", perplexity=reached)


def _bar_format(event: StepEnd) -> str:
    # The bar is that of the epoch; the time left is that of the training.
    left = tqdm.format_interval(event.seconds_left)
    told = say("{time} left", time=left)
    return f"{{l_bar}}{{bar}}| {{n_fmt}}/{{total_fmt}} [{told}, {{rate_fmt}}{{postfix}}]"


class _EpochTable:
    """Rows that are written one by one; columns that do not fit the terminal are left out."""

    _COLUMNS = (  # name, width, and how much it matters
        (marked("epoch"), 5, 9),
        (marked("train ppl"), 9, 8),
        (marked("held-out ppl"), 12, 7),
        (marked("train bits"), 10, 2),
        (marked("held-out bits"), 13, 3),
        (marked("tokens/s"), 9, 6),
        (marked("grad norm / max"), 15, 5),
        (marked("clipped"), 7, 4),
    )

    def __init__(self, num_epochs: int) -> None:
        self._num_epochs = num_epochs
        widest = len(f"{num_epochs}/{num_epochs}")
        self._widths = {
            name: max(width, columns_of(say(name)), widest * (name == "epoch"))
            for name, width, _ in self._COLUMNS
        }
        self._shown: list[str] = []

    def lines(self, event: EpochEnd) -> list[str]:
        """Return the row of an epoch, with the head above the first."""
        known = self._cells(event)
        if self._shown:
            return [self._line(known)]
        matters = {name: matter for name, _, matter in self._COLUMNS if known[name]}
        most = terminal_width()
        while most is not None and len(matters) > 1 and self._width(matters) > most:
            del matters[min(matters, key=matters.__getitem__)]
        self._shown = list(matters)
        return [self._line({name: say(name) for name in self._shown}), self._line(known)]

    def _width(self, names: Iterable[str]) -> int:
        return sum(self._widths[name] + 2 for name in names) - 2

    def _line(self, cells: Mapping[str, str]) -> str:
        gaps = (" " * (self._widths[name] - columns_of(cells[name])) for name in self._shown)
        cut = (f"{gap}{cells[name]}" for gap, name in zip(gaps, self._shown, strict=True))
        return "  ".join(cut)

    def _cells(self, event: EpochEnd) -> dict[str, str]:
        train, valid = event.train_nats, event.valid_nats
        return {
            "epoch": f"{event.epoch}/{self._num_epochs}",
            "train ppl": rounded(perplexity(train)),
            "held-out ppl": "" if valid is None else rounded(perplexity(valid)),
            "train bits": rounded(bits_per_token(train), 2),
            "held-out bits": "" if valid is None else rounded(bits_per_token(valid), 2),
            "tokens/s": f"{event.tokens_per_second:,.0f}",
            "grad norm / max": f"{event.grad_norm:.3g} / {event.grad_norm_max:.3g}",
            "clipped": f"{event.clipped:.0%}",
        }


def silent(_event: Event) -> None:
    """Show nothing."""


def progress_for(shell: InteractiveShell, run: Run) -> Progress:
    """Return the progress for the front end: rewritten output in a kernel, a bar in a terminal."""
    return NotebookProgress(run) if has_kernel(shell) else TerminalProgress(run)
