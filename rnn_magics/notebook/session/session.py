"""Session: what a notebook has made so far, step by step."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnn_magics.errors import SessionError
from rnn_magics.exercises.attempts import Tries
from rnn_magics.language import say
from rnn_magics.notebook.session.baselines import Baselines
from rnn_magics.notebook.session.views import ViewSources
from rnn_magics.options import did_you_mean

if TYPE_CHECKING:  # a session exists before torch is imported
    from rnn_magics.batching import Batches
    from rnn_magics.models.rnn_model import RNNModel
    from rnn_magics.sweeps.sweep import SweepRuns
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.text.read_as import TextReading
    from rnn_magics.text.vocab import Vocab
    from rnn_magics.training.job import Job
    from rnn_magics.training.run import Run


@dataclass(frozen=True)
class Snapshot:
    """A copy of a model at one moment, with the vocabulary, the reading and the name of its run."""

    model: RNNModel
    vocab: Vocab | None
    reading: TextReading | None
    name: str


@dataclass
class Session:
    """The corpus, vocabulary, minibatches and runs of one shell.

    A new corpus makes the old vocabulary and minibatches meaningless, so they are dropped. Runs
    keep their own vocabulary, so they stay.
    """

    corpus: Corpus | None = None
    vocab: Vocab | None = None
    batches: Batches | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    sweeps: dict[str, SweepRuns] = field(default_factory=dict)
    baselines: Baselines = field(default_factory=Baselines)
    views: ViewSources = field(default_factory=ViewSources)
    tries: Tries = field(default_factory=Tries)
    said: set[str] = field(default_factory=set)  # notes already printed about this corpus

    def take_corpus(self, corpus: Corpus) -> None:
        """Start over with a new corpus."""
        self.corpus, self.vocab, self.batches = corpus, None, None
        self.said.clear()

    def take_vocab(self, vocab: Vocab) -> None:
        """Take a vocabulary, and drop minibatches whose indices mean other tokens."""
        self.vocab = vocab
        if self.batches is not None and self.batches.vocab != vocab:
            self.batches = None

    def require_corpus(self) -> Corpus:
        """Return the corpus.

        Raises
        ------
        SessionError
            If there is none yet.
        """
        if self.corpus is None:
            msg = say("no corpus yet: type %corpus (the built-in text), %corpus PATH, or %%corpus")
            raise SessionError(msg)
        return self.corpus

    def require_vocab(self) -> Vocab:
        """Return the vocabulary.

        Raises
        ------
        SessionError
            If there is none yet.
        """
        self.require_corpus()
        if self.vocab is None:
            msg = say("no vocabulary yet: type %vocab --token char, or %vocab --token word")
            raise SessionError(msg)
        return self.vocab

    def require_batches(self) -> Batches:
        """Return the minibatches.

        Raises
        ------
        SessionError
            If there are none yet.
        """
        self.require_vocab()
        if self.batches is None:
            msg = say("no minibatches yet: type %sample seq, or %sample random")
            raise SessionError(msg)
        return self.batches

    def require_run(self, name: str | None = None) -> Run:
        """Return the run with this name, or the newest run.

        Raises
        ------
        SessionError
            If there is no such run.
        """
        if not self.runs:
            msg = say("no run yet: type %train_rnn first")
            raise SessionError(msg)
        if name is None:
            return next(reversed(self.runs.values()))
        if name not in self.runs:
            near = did_you_mean(name, self.runs)
            msg = say(
                "no run {name!r}{near} (runs: {runs})",
                name=name,
                near=near,
                runs=", ".join(self.runs),
            )
            raise SessionError(msg)
        return self.runs[name]

    def corpus_of(self, run: Run) -> Corpus:
        """Return the text that a run was trained on.

        Raises
        ------
        SessionError
            If the current corpus is a different one.
        """
        corpus = self.require_corpus()
        if run.corpus is None or run.corpus[1] != corpus.fingerprint:
            trained = say("bare indices") if run.corpus is None else repr(run.corpus[0])
            msg = say(
                "run {run!r} was trained on {trained}, not on the current corpus"
                " ({corpus!r}); type the %corpus line of the run again",
                run=run.name,
                trained=trained,
                corpus=corpus.name,
            )
            raise SessionError(msg)
        return corpus

    def require_job(self, name: str | None = None) -> Job:
        """Return the job of a run in training, by name, or the newest such job.

        Raises
        ------
        SessionError
            If that run has ended, or no run is training.
        """
        if name is not None:
            self.require_run(name)
        alive = {n: job for n, job in self.jobs.items() if job.is_alive}
        if name is None and alive:
            return next(reversed(alive.values()))
        if name not in alive:
            msg = say("no run is training: %train_rnn --background starts one")
            if name is not None:
                msg = say(
                    "run {name!r} has already ended: there is nothing to pause, resume or stop",
                    name=name,
                )
            raise SessionError(msg)
        return alive[name]

    def refuse_while_training(self, what: str) -> None:
        """Refuse a step that must not run while a background run is training.

        Raises
        ------
        SessionError
            If a run is training.
        """
        for name, job in self.jobs.items():
            if job.is_alive:
                msg = say(
                    "{what} has to wait: run {name!r} is training; end it with %rnn stop {name}",
                    what=what,
                    name=name,
                )
                raise SessionError(msg)

    def snapshot(self, name: str | None = None) -> Run | Snapshot:
        """Return a run to read from; for a run in training, a copy taken between two steps."""
        run = self.require_run(name)
        job = self.jobs.get(run.name)
        if job is not None and job.is_alive:
            return Snapshot(job.snapshot(), run.vocab, run.reading, run.name)
        return run

    def snapshot_run(self, name: str | None = None) -> Run:
        """Return a run to save; for a run in training, a copy taken between two steps."""
        from rnn_magics.training.run import copy_run  # noqa: PLC0415  (torch on demand)

        run = self.require_run(name)
        job = self.jobs.get(run.name)
        if job is not None and job.is_alive:
            return job.between_steps(lambda: copy_run(run))
        return run

    def require_folder(self, name: str | None = None) -> str:
        """Return the folder with the checkpoints of a run, by name, or of the newest run.

        Raises
        ------
        SessionError
            If there is no such run, or it keeps no checkpoints.
        """
        run = self.require_run(name)
        if run.folder is None:
            msg = say(
                "run {run!r} has no checkpoints: train with %train_rnn --checkpoint DIR, or"
                " name the folder of another run with --epochs DIR",
                run=run.name,
            )
            raise SessionError(msg)
        return run.folder

    def free_name(self, stem: str) -> str:
        """Return the first of ``stem-1``, ``stem-2`` ... that no run uses.

        The runs of several seeds, ``stem-1-seed-0``, ``stem-1-seed-1`` ..., use ``stem-1``.
        """
        taken = {*self.runs, *(name.rpartition("-seed-")[0] for name in self.runs)}
        numbered = (f"{stem}-{number}" for number in itertools.count(1))
        return next(name for name in numbered if name not in taken)

    def keep(self, run: Run, job: Job | None = None) -> str | None:
        """Add a run, with its job if it is training, and return the new name of an older namesake.

        No trained model is lost: an older run of the same name stays under ``name~1``.
        """
        moved: str | None = None
        if run.name in self.runs:
            numbered = (f"{run.name}~{number}" for number in itertools.count(1))
            moved = next(name for name in numbered if name not in self.runs)
            older = self.runs.pop(run.name)
            older.name = moved
            self.runs[moved] = older
            if run.name in self.jobs:
                self.jobs[moved] = self.jobs.pop(run.name)
        self.runs[run.name] = run
        if job is not None:
            self.jobs[run.name] = job
        return moved

    def reset(self) -> None:
        """Forget everything, and stop the runs that are still training."""
        for job in self.jobs.values():
            job.stop()
        self.corpus = self.vocab = self.batches = None
        self.runs, self.jobs, self.sweeps = {}, {}, {}
        self.baselines, self.views = Baselines(), ViewSources()
