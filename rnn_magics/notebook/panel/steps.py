"""The steps of the control panel: what each asks for, and what a session has of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rnn_magics.language import marked, say, say_number
from rnn_magics.notebook.session.session import Session
from rnn_magics.results import brief
from rnn_magics.training.endings import state_in_words


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
        The title of the step, in English.
    button
        The label of the button that runs the line, in English.
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
    said = say("{name}, {length}", name=brief(corpus.name), length=corpus.length)
    return Made(said, is_done=True)


def _vocabulary(session: Session) -> Made:
    vocab = session.vocab
    if vocab is None:
        return Made()
    said = say("{number:,} {kind} tokens", number=len(vocab), kind=say(vocab.token))
    return Made(said, is_done=True)


def _minibatches(session: Session) -> Made:
    if session.batches is None:
        return Made()
    cut = session.batches.config
    said = say_number(
        cut.batch_size,
        "{rows} row of {steps} tokens",
        "{rows} rows of {steps} tokens",
        rows=cut.batch_size,
        steps=cut.num_steps,
    )
    return Made(said, is_done=True)


def _training(session: Session) -> Made:
    if not session.runs:
        return Made()
    run = session.require_run()
    if run.reason is None:
        return Made(say("{name} is training", name=brief(run.name)))
    name, ending = brief(run.name), state_in_words(run.reason)
    said = say("{name}: {ending}", name=name, ending=ending)
    if run.scored:
        said = say(
            "{name}: {ending}, held-out perplexity {perplexity}",
            name=name,
            ending=ending,
            perplexity=run.scored,
        )
    return Made(said, is_done=len(run.history) > 0)


def _writing(_session: Session) -> Made:
    return Made()  # a session keeps no texts


PLANS = (
    Plan(
        "corpus",
        marked("Text"),
        marked("Read the text"),
        ("source", "valid", "d2l"),
        _text,
        skip=("as_tokens",),
    ),
    Plan(
        "vocab",
        marked("Vocabulary"),
        marked("Make the vocabulary"),
        ("token", "min_freq", "zipf"),
        _vocabulary,
    ),
    Plan(
        "sample",
        marked("Minibatches"),
        marked("Cut the text"),
        ("batching", "batch_size", "num_steps"),
        _minibatches,
    ),
    Plan(
        "train_rnn",
        marked("Training"),
        marked("Train"),
        ("cell", "num_hiddens", "num_layers", "epochs", "lr", "clip"),
        _training,
        skip=("background",),
        fixed=("--background",),
    ),
    Plan(
        "generate",
        marked("Writing"),
        marked("Write"),
        ("prefix", "length", "temperature"),
        _writing,
    ),
)
