"""The state of a session: what ``%rnn`` shows."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.batching import Batches
from rnn_magics.digits import rounded
from rnn_magics.errors import SessionError
from rnn_magics.inspection.diagnosis import Diagnosis
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.language import say
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.tables import heads, text_table
from rnn_magics.notebook.show.texts import batches_line, corpus_line, vocab_line
from rnn_magics.results import Result
from rnn_magics.storage.run_folder import KeptRun
from rnn_magics.tables import columns_of, wrapped
from rnn_magics.text.agreement import disagreement
from rnn_magics.training.endings import state_in_words
from rnn_magics.training.machine.device import choose_device
from rnn_magics.training.run import Run, state_of

_STEP = 9  # columns of the name of a step and the space behind it


def runs_heads() -> tuple[str, ...]:
    """Return what stands above the runs of a session."""
    return heads("run", "model", "state", "epochs", "train ppl", "held-out ppl", "note")


def kept_heads() -> tuple[str, ...]:
    """Return what stands above the runs kept in a folder."""
    return heads("folder", "run", "model", "state", "epochs", "train ppl", "held-out ppl")


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
        steps = [_step(name, said) for name, said in self.steps.items()]
        lines = [wrapped(line, indent=" " * _STEP) for line in steps]
        none = _step(say("runs"), say("none yet (%train_rnn)"))
        return "\n".join([*lines, text_table(runs_heads(), self.runs) if self.runs else none])

    @property
    def steps(self) -> dict[str, str]:
        """What is said of each step, by its name."""
        return {
            say("corpus"): self.corpus,
            say("vocab"): self.vocab,
            say("batches"): self.batches,
            say("device"): self.device,
        }


def _step(name: str, said: str) -> str:
    return f"{name}{' ' * (_STEP - columns_of(name))}{said}"


def session_status(session: Session) -> Status:
    """Describe a session."""
    return Status(
        corpus_line(session.corpus) if session.corpus else say("none yet (%corpus)"),
        vocab_line(session.vocab) if session.vocab else say("none yet (%vocab)"),
        batches_line(session.batches) if session.batches else say("none yet (%sample)"),
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
        msg = say(
            "the run and the current minibatches have different vocabularies{how};"
            " repeat the %corpus, %vocab and %sample lines of the run, or name another run:"
            " %rnn doctor NAME",
            how=differ and say(": {what}", what=differ),
        )
        raise SessionError(msg)
    return diagnose(run.model, batches, run.history)


def _run_row(session: Session, name: str) -> tuple[str, ...]:
    run, job = session.runs[name], session.jobs.get(name)
    state = "paused" if job is not None and job.is_paused else "training"
    return (
        name,
        run.architecture,
        state_of(run, state),
        f"{len(run.history)}/{run.config.train.epochs}",
        rounded(run.train_perplexity),
        str(run.scored or ""),
        say("; ").join(filter(None, (run.message, run.which_weights or str(run.turn or "")))),
    )


class KeptRuns(Result, list[KeptRun]):
    """The runs kept in a folder, newest last."""

    def __repr__(self) -> str:
        """Return a table with a row for each run."""
        if not self:
            return say("no runs here yet: %train_rnn --checkpoint DIR keeps a run in a folder")
        return "\n".join([text_table(kept_heads(), self.rows), *self.notes])

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
    return (
        str(kept.folder),
        kept.name,
        kept.architecture,
        state_in_words(kept.state),
        epochs,
        *said,
    )
