"""``%sample``: cuts the training text into minibatches."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, part
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import show
from rnn_magics.notebook.show.notes import say_notes
from rnn_magics.notebook.show.texts import preview_text
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.preview import preview
from rnn_magics.results import visible
from rnn_magics.text.vocab import encode_corpus


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleOptions(LineOptions):
    """The options of ``%sample``."""

    batches: BatchConfig = part(BatchConfig)
    show: int | None = option(
        None,
        "show the first K minibatches",
        within=AT_LEAST_ONE,
        label="Minibatches to show",
        spelling=Spelling(metavar="K"),
    )


def batches_call(desk: Desk, options: SampleOptions) -> Call[Batches]:
    """Return the library call behind ``%sample``."""
    corpus, vocab = desk.session.require_corpus(), desk.session.require_vocab()
    return Call.of("batches", make_batches, corpus, vocab, options.batches)


def sample(desk: Desk, options: SampleOptions) -> Batches:
    """Cut the training text into minibatches, in random order or one after another.

    ::

        %sample seq --batch-size 32 --num-steps 35
        %sample random --show 2
    """
    call = batches_call(desk, options)
    desk.session.refuse_while_training("%sample")
    batches = call()
    encoded = encode_corpus(desk.session.require_corpus(), desk.session.require_vocab())
    say_notes(desk.session, encoded.notes)
    if options.show is not None:
        show(visible(preview_text(preview(batches, options.show))))
    desk.session.batches = batches
    return batches


MAGIC = Magic(SampleOptions, sample, lambda desk, options: [batches_call(desk, options)])
