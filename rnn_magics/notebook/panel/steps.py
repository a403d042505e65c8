"""The steps of the control panel: what each asks for, and what a session has of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rnn_magics.notebook.session.session import Session
from rnn_magics.results import brief


@dataclass(frozen=True)
class Made:
    """What a session has of a step.

    Parameters
    ----------
    said
        What it is, in a few words; empty if there is nothing.
    is_done
        Whether the step is done.
    """

    said: str = ""
    is_done: bool = False


@dataclass(frozen=True)
class Plan:
    """A step of the panel.

    Parameters
    ----------
    magic
        The name of the magic.
    title
        The title of the step.
    button
        The label of the button that runs the line.
    front
        Options that are always visible; the others are under "more options".
    made
        What a session has of the step.
    skip
        Options that make no sense in a form.
    fixed
        Words on every line, e.g. ``--background``, which keeps the panel usable during training.
    """

    magic: str
    title: str
    button: str
    front: tuple[str, ...]
    made: Callable[[Session], Made]
    skip: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


def _text(session: Session) -> Made:
    corpus = session.corpus
    if corpus is None:
        return Made()
    unit = "characters" if corpus.is_text else "tokens"
    return Made(f"{brief(corpus.name)}, {len(corpus):,} {unit}", is_done=True)


def _vocabulary(session: Session) -> Made:
    vocab = session.vocab
    return Made() if vocab is None else Made(f"{len(vocab):,} {vocab.token} tokens", is_done=True)


def _minibatches(session: Session) -> Made:
    if session.batches is None:
        return Made()
    cut = session.batches.config
    return Made(f"{cut.batch_size} rows of {cut.num_steps} tokens", is_done=True)


def _training(session: Session) -> Made:
    if not session.runs:
        return Made()
    run = session.require_run()
    if run.reason is None:
        return Made(f"{brief(run.name)} is training")
    scored = f", held-out perplexity {run.scored}" if run.scored else ""
    return Made(f"{brief(run.name)}: {run.reason}{scored}", is_done=len(run.history) > 0)


def _writing(_session: Session) -> Made:
    return Made()  # a session keeps no texts


PLANS = (
    Plan(
        "corpus",
        "Text",
        "Read the text",
        ("source", "valid", "d2l"),
        _text,
        skip=("as_tokens",),
    ),
    Plan(
        "vocab",
        "Vocabulary",
        "Make the vocabulary",
        ("token", "min_freq", "zipf"),
        _vocabulary,
    ),
    Plan(
        "sample",
        "Minibatches",
        "Cut the text",
        ("batching", "batch_size", "num_steps"),
        _minibatches,
    ),
    Plan(
        "train_rnn",
        "Training",
        "Train",
        ("cell", "num_hiddens", "num_layers", "epochs", "lr", "clip"),
        _training,
        skip=("background",),
        fixed=("--background",),
    ),
    Plan(
        "generate",
        "Writing",
        "Write",
        ("prefix", "length", "temperature"),
        _writing,
    ),
)
