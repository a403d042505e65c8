"""The state of a session: what ``%rnn`` shows."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.batching import Batches
from rnn_magics.digits import rounded
from rnn_magics.errors import SessionError
from rnn_magics.inspection.doctor import Diagnosis, diagnose
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.tables import text_table
from rnn_magics.results import Result
from rnn_magics.storage.run_folder import KeptRun
from rnn_magics.tables import wrapped
from rnn_magics.text.agreement import disagreement
from rnn_magics.training.machine.device import choose_device
from rnn_magics.training.run import Run

RUNS_HEAD = ("run", "model", "state", "epochs", "train ppl", "held-out ppl", "note")
KEPT_HEAD = ("folder", "run", "model", "state", "epochs", "train ppl", "held-out ppl")


@dataclass(frozen=True)
class Status(Result):
    """The state of a session in words.

    Parameters
    ----------
    corpus, vocab, batches, device
        One line each.
    runs
        A row for each run: name, architecture, state, epochs, perplexities and note.
    """

    corpus: str
    vocab: str
    batches: str
    device: str
    runs: list[tuple[str, ...]]

    def __repr__(self) -> str:
        """Return a line for each step, then the runs."""
        steps = (f"{name:<9}{said}" for name, said in self.steps.items())
        lines = [wrapped(line, indent=" " * 9) for line in steps]
        runs = text_table(RUNS_HEAD, self.runs) if self.runs else "runs     none yet (%train_rnn)"
        return "\n".join([*lines, runs])

    @property
    def steps(self) -> dict[str, str]:
        """What is said of each step, by its name."""
        return {
            "corpus": self.corpus,
            "vocab": self.vocab,
            "batches": self.batches,
            "device": self.device,
        }


def session_status(session: Session) -> Status:
    """Describe a session."""
    return Status(
        repr(session.corpus) if session.corpus else "none yet (%corpus)",
        repr(session.vocab) if session.vocab else "none yet (%vocab)",
        repr(session.batches) if session.batches else "none yet (%sample)",
        str(choose_device()),
        [_run_row(session, name) for name in session.runs],
    )


def diagnose_run(run: Run, batches: Batches) -> Diagnosis:
    """Look for silent mistakes in a model and in the minibatches of the session.

    Raises
    ------
    SessionError
        If the minibatches have a different vocabulary from the model.
    """
    if run.vocab != batches.vocab:
        differ = disagreement(run.vocab, batches.vocab)
        msg = (
            f"the run and the current minibatches have different vocabularies{differ and ': '}"
            f"{differ}; repeat the %corpus, %vocab and %sample lines of the run, or name another"
            " run: %rnn doctor NAME"
        )
        raise SessionError(msg)
    return diagnose(run.model, batches, run.history)


def _run_row(session: Session, name: str) -> tuple[str, ...]:
    run, job = session.runs[name], session.jobs.get(name)
    state = run.reason or ("paused" if job is not None and job.is_paused else "training")
    return (
        name,
        run.architecture,
        state,
        f"{len(run.history)}/{run.config.train.epochs}",
        rounded(run.train_perplexity),
        str(run.scored or ""),
        "; ".join(filter(None, (run.message, str(run.history.turn or "")))),
    )


class KeptRuns(Result, list[KeptRun]):
    """The runs kept in a folder, newest last."""

    def __repr__(self) -> str:
        """Return a table with a row for each run."""
        if not self:
            return "no runs here yet: %train_rnn --checkpoint DIR keeps a run in a folder"
        return "\n".join([text_table(KEPT_HEAD, self.rows), *self.notes])

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """A row for each run."""
        return [_kept_row(kept) for kept in self]

    @property
    def notes(self) -> list[str]:
        """What is wrong with a folder, each with its folder."""
        return [f"{kept.folder}: {kept.note}" for kept in self if kept.note]


def _kept_row(kept: KeptRun) -> tuple[str, ...]:
    said = rounded(kept.train_perplexity), str(kept.scored or "")
    epochs = f"{kept.epochs}/{kept.planned}"
    return (str(kept.folder), kept.name, kept.architecture, kept.state, epochs, *said)
