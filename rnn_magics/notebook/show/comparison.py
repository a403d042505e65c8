"""Several runs side by side: what ``%rnn compare`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_magics.digits import rounded
from rnn_magics.errors import SessionError
from rnn_magics.notebook.show.run_payload import RUN_MIME, VERSION, saved_payload
from rnn_magics.notebook.show.tables import text_table
from rnn_magics.plotting import to_png, training_figure
from rnn_magics.results import Result, visible
from rnn_magics.training.run import Run


class Comparison(Result):
    """Runs side by side: a table, and their curves in one picture.

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

    def __repr__(self) -> str:
        """Return a table with a row for each run, best held-out perplexity first."""
        rows = [
            (
                run.name,
                run.architecture,
                str(len(run.history)),
                rounded(run.train_perplexity),
                str(run.scored or ""),
                f"{run.tokens_per_second:,.0f}",
                run.reason or "training",
            )
            for run in sorted(self.runs, key=_reached)
        ]
        head = ("run", "model", "epochs", "train ppl", "held-out ppl", "tokens/s", "state")
        return text_table(head, rows)

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, Any]:
        drawn = {run.name: run.history for run in self.runs if len(run.history)}
        clips = {run.config.train.clip for run in self.runs}
        clip = clips.pop() if len(clips) == 1 else None
        names = visible(", ".join(drawn), keep="")
        runs = [saved_payload(run) for run in self.runs]
        return {
            RUN_MIME: {"view": "compare", "version": VERSION, "runs": runs},
            "image/png": to_png(training_figure(drawn, clip)),
            "text/plain": f"{names}: perplexity and gradient norm\n{self!r}",
        }


def _reached(run: Run) -> float:
    reached = run.valid_perplexity or run.train_perplexity
    return float("inf") if reached is None else reached
