"""Training progress as text: a bar in a terminal, a rewritten output in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle, display
from tqdm import tqdm

from rnn_magics.digits import rounded
from rnn_magics.notebook.session.desk import has_kernel
from rnn_magics.notebook.show.bundle import Bundle
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.notebook.show.runs import run_notes, run_table
from rnn_magics.notebook.show.tables import html_table, text_table
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.training.endings import Ending
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

    def settle(self) -> None:
        """Show the baselines, which are fitted after the end of the run."""


_AS_TYPED = "white-space:pre-wrap;font-family:monospace"


def first_line(run: Run) -> str:
    """Return a line that says what is trained, on which device, and why on that one."""
    return one_line(
        f"{run.name}: {run.architecture}, {run.model.num_parameters:,} parameters, engine"
        f" {run.model.engine}, on {run.place}"
    )


def _compiling(event: Compiling) -> str:
    return f"compiling {event.what} for this CPU, once (about {event.seconds} seconds)"


class TerminalProgress:
    """A bar for the current epoch, and a line for each finished one.

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
        self._num_epochs = 0
        self._bar: Any = None  # a tqdm

    def __call__(self, event: Event) -> None:
        """Process an event."""
        match event:
            case Compiling():
                self._write(_compiling(event))
            case TrainBegin():
                self._num_epochs = event.num_epochs
                self._write(first_line(self._run))
            case StepEnd():
                self._draw(event)
            case Evaluating() if self._bar is not None:
                self._bar.set_postfix_str("scoring held-out text")
            case EpochEnd():
                self._close()
                self._write(_epoch_line(event, self._num_epochs))
            case TrainEnd():
                self._close()
                for note in run_notes(self._run):
                    self._write(one_line(note))

    def settle(self) -> None:
        """Write a line for each baseline of the run."""
        for mark in compare_with_baselines(self._run).marks:
            self._write(f"  {mark}")

    def _draw(self, event: StepEnd) -> None:
        bar_format = _bar_format(event)
        if self._bar is None:
            self._bar = tqdm(
                total=event.num_steps,
                desc=f"epoch {event.epoch}/{self._num_epochs}",
                unit="batch",
                leave=False,
                file=sys.stderr,
                bar_format=bar_format,
            )
        self._bar.bar_format = bar_format
        self._bar.set_postfix_str(
            f"ppl {rounded(perplexity(event.epoch_loss.item()))}", refresh=False
        )
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
                self._show(_compiling(event))
            case TrainBegin():
                self._begin = event
                self._show("")
            case StepEnd():
                self._show(self._bar(event))
            case Evaluating():
                self._show(f"epoch {event.epoch}: scoring held-out text")
            case EpochEnd():
                self._show("")
            case TrainEnd():
                self._end(event.reason)

    def settle(self) -> None:
        """Show the end again, with the baselines of the run."""
        if self._run.reason is not None:
            self._end(self._run.reason)

    def _end(self, reason: Ending) -> None:
        self._show("\n".join([f"ended: {reason}", *map(one_line, run_notes(self._run))]))

    def _bar(self, event: StepEnd) -> str:
        num_epochs = self._begin.num_epochs if self._begin else event.epoch
        seconds_per_token = event.seconds / event.tokens
        tokens_per_step = self._begin.tokens_per_step if self._begin else 1
        bar = tqdm.format_meter(
            event.step,
            event.num_steps,
            event.step * tokens_per_step * seconds_per_token,
            prefix=f"epoch {event.epoch}/{num_epochs}",
            unit="batch",
            ncols=78,
            bar_format=_bar_format(event),
            postfix=f"ppl {rounded(perplexity(event.epoch_loss.item()))}",
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


def _bar_format(event: StepEnd) -> str:
    # The bar is that of the epoch; the time left is that of the training.
    left = tqdm.format_interval(event.seconds_left)
    return f"{{l_bar}}{{bar}}| {{n_fmt}}/{{total_fmt}} [{left} left, {{rate_fmt}}{{postfix}}]"


def _epoch_line(event: EpochEnd, num_epochs: int) -> str:
    held_out = ""
    if event.valid_nats is not None:
        held_out = f", held out {_both_units(event.valid_nats)}"
    return (
        f"epoch {event.epoch}/{num_epochs}: perplexity {_both_units(event.train_nats)}"
        f"{held_out}, {event.tokens_per_second:,.0f} tokens/s, gradient norm"
        f" {event.grad_norm:.3g} median, {event.grad_norm_max:.3g} max, {event.clipped:.0%} clipped"
    )


def _both_units(nats: float) -> str:
    return f"{rounded(perplexity(nats))} ({rounded(bits_per_token(nats), 2)} bits)"


def silent(_event: Event) -> None:
    """Show nothing."""


def progress_for(shell: InteractiveShell, run: Run) -> Progress:
    """Return the progress for the front end: rewritten output in a kernel, a bar in a terminal."""
    return NotebookProgress(run) if has_kernel(shell) else TerminalProgress(run)
