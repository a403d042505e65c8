"""Several runs side by side: what ``%rnn compare`` shows."""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import count, product
from typing import Any

from rnn_magics.digits import rounded
from rnn_magics.errors import SessionError
from rnn_magics.notebook.show.bundle import forms_of
from rnn_magics.notebook.show.run_payload import RUN_MIME, VERSION, saved_payload
from rnn_magics.notebook.show.tables import text_table
from rnn_magics.plotting import training_figure
from rnn_magics.reports.comparable import basis_in_words, comparable, difference_in_words
from rnn_magics.results import Result
from rnn_magics.training.run import Run


class Comparison(Result):
    """Runs side by side: a table, and their curves in one picture.

    Runs whose perplexities can be compared form a group; see `rnn_magics.reports.comparable`.

    Parameters
    ----------
    runs
        The runs to compare; a run that has not finished an epoch has no curve yet.

    Raises
    ------
    SessionError
        If no run has finished an epoch.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        if not any(len(run.history) for run in runs):
            names = ", ".join(run.name for run in runs)
            msg = f"nothing to compare yet: {names} must first finish an epoch"
            raise SessionError(msg)
        self.runs = tuple(runs)

    @property
    def groups(self) -> dict[str, list[Run]]:
        """The groups by their letters; within one, perplexities can be compared."""
        return dict(zip(_letters(), comparable(self.runs), strict=False))

    @property
    def notes(self) -> list[str]:
        """Why groups cannot be compared, and what each is; empty if there is one group."""
        groups = self.groups
        if len(groups) == 1:
            return []
        bases = [f"{letter}: {basis_in_words(runs[0])}" for letter, runs in groups.items()]
        return [difference_in_words([*groups.values()]), *bases]

    def __repr__(self) -> str:
        """Return a table with a row for each run, best held-out perplexity of its group first."""
        groups = self.groups
        rows = [
            (
                *((letter,) if len(groups) > 1 else ()),
                run.name,
                run.architecture,
                str(len(run.history)),
                rounded(run.train_perplexity),
                str(run.scored or ""),
                f"{run.tokens_per_second:,.0f}",
                run.reason or "training",
            )
            for letter, runs in groups.items()
            for run in sorted(runs, key=_reached)
        ]
        head = ("run", "model", "epochs", "train ppl", "held-out ppl", "tokens/s", "state")
        table = text_table(("group", *head) if len(groups) > 1 else head, rows)
        return "\n".join([table, *self.notes])

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, Any]:
        groups, notes = self.groups, self.notes
        letters = {id(run): letter for letter, runs in groups.items() for run in runs}
        drawn = {
            run.name if len(groups) == 1 else f"{letters[id(run)]}: {run.name}": run.history
            for run in self.runs
            if len(run.history)
        }
        clips = {run.config.train.clip for run in self.runs}
        clip = clips.pop() if len(clips) == 1 else None
        figure = training_figure(drawn, clip)
        if notes:
            figure.suptitle(notes[0], fontsize="small")
        curves = forms_of(figure)
        runs = [saved_payload(run) for run in self.runs]
        return {
            RUN_MIME: {"view": "compare", "version": VERSION, "runs": runs, "notes": notes},
            **curves,
            "text/plain": f"{curves['text/plain']}\n\n{self!r}".lstrip("\n"),
        }


def _letters() -> Any:
    # A to Z, then AA, AB ...
    return ("".join(word) for n in count(1) for word in product(string.ascii_uppercase, repeat=n))


def _reached(run: Run) -> float:
    reached = run.valid_perplexity or run.train_perplexity
    return float("inf") if reached is None else reached
