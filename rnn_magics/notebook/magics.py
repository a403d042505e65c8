"""The magics: each parses its line, makes one library call, and keeps and returns the result."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import line_cell_magic, line_magic, magics_class
from IPython.display import display
from traitlets import Bool

from rnn_magics.notebook import declare
from rnn_magics.notebook.actions import act
from rnn_magics.notebook.arguments import collect
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.command import command
from rnn_magics.notebook.display import preview_text, show, show_figure, statistics_text
from rnn_magics.notebook.group import SessionMagics
from rnn_magics.notebook.reading import corpus_call
from rnn_magics.notebook.visible import visible

if TYPE_CHECKING:
    from rnn_magics.batching import Batches
    from rnn_magics.decoding.generate import Generation
    from rnn_magics.decoding.score import Score
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.text.vocab import Vocab
    from rnn_magics.training.baseline import Ladder
    from rnn_magics.training.run import Run
    from rnn_magics.training.seeds import SeedRuns


@magics_class
class RNNMagics(SessionMagics):
    """Display preferences of the rnn_magics; nothing here changes a result."""

    progress = Bool(True, help="Show the progress of a training.").tag(config=True)
    figures = Bool(True, help="Show a figure when a training ends.").tag(config=True)
    live = Bool(True, help="Show a training as a live view; as text where this is off.").tag(
        config=True
    )
    stream = Bool(True, help="Show generated text while it grows, not only when it is whole.").tag(
        config=True
    )

    @line_cell_magic
    @command(declare.corpus)
    def corpus(self, options: argparse.Namespace, cell: str | None = None) -> Corpus | None:
        """Take a text: a built-in one, files, URLs, a variable, or the body of the cell.

        ::

            %corpus                        the built-in text, no download
            %corpus time_machine --d2l     cleaned as the book does
            %corpus my_notes.txt --valid 0.2
            %corpus https://example.org/a.txt --sha256 HEX --max-download 10
            %corpus --data series          the variable `series`
            %%corpus poem                  the lines below are the text
        """
        call = corpus_call(options, cell, self.shell.user_ns)
        if self.explains(options, call):
            return None
        self.session.refuse_while_training("%corpus")
        corpus: Corpus = call()
        self.session.take_corpus(corpus)
        self._say_notes(corpus.notes)
        return corpus

    @line_magic
    @command(declare.vocab)
    def vocab(self, options: argparse.Namespace, _cell: str | None = None) -> Vocab | None:
        """Make a vocabulary of the training text: each token and its index.

        ::

            %vocab
            %vocab --token word --min-freq 3
            %vocab --token word --zipf
        """
        from rnn_magics.text.vocab import (  # noqa: PLC0415  (numpy on demand)
            VocabConfig,
            encode_corpus,
        )

        corpus = self.session.require_corpus()
        config = collect(VocabConfig, options)
        call = Call("vocab", "Vocab.from_corpus", (Named("corpus", corpus), config))
        if self.explains(options, call):
            return None
        self.session.refuse_while_training("%vocab")
        vocab: Vocab = call()
        if hasattr(options, "zipf"):
            self._show_statistics(corpus, vocab.token)
        encoded = encode_corpus(corpus, vocab)
        held_out = f", {encoded.valid_unk_share:.2%} of held-out" if len(encoded.valid) else ""
        self._say_notes(encoded.notes)
        print(f"<unk> is {encoded.train_unk_share:.2%} of training{held_out} tokens")
        self.session.take_vocab(vocab)
        return vocab

    def _say_notes(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            if note not in self.session.said:
                self.session.said.add(note)
                print(visible(note))

    def _show_statistics(self, corpus: Corpus, token: str) -> None:
        from rnn_magics.plotting import zipf_figure  # noqa: PLC0415  (matplotlib on demand)
        from rnn_magics.text.statistics import text_statistics  # noqa: PLC0415

        statistics = text_statistics(corpus, token)
        show(visible(statistics_text(statistics)))
        show_figure(zipf_figure(statistics), "Zipf's law: counts against ranks")

    @line_magic
    @command(declare.sample)
    def sample(self, options: argparse.Namespace, _cell: str | None = None) -> Batches | None:
        """Cut the training text into minibatches, in random order or one after the other.

        ::

            %sample seq --batch-size 32 --num-steps 35
            %sample random --show 2
        """
        from rnn_magics.batching import BatchConfig, preview  # noqa: PLC0415  (torch on demand)
        from rnn_magics.text.vocab import encode_corpus  # noqa: PLC0415  (numpy on demand)

        corpus, vocab = self.session.require_corpus(), self.session.require_vocab()
        args = (Named("corpus", corpus), Named("vocab", vocab), collect(BatchConfig, options))
        call = Call("batches", "make_batches", args)
        if self.explains(options, call):
            return None
        self.session.refuse_while_training("%sample")
        batches: Batches = call()
        self._say_notes(encode_corpus(corpus, vocab).notes)
        if hasattr(options, "show"):
            show(visible(preview_text(preview(batches, options.show))))
        self.session.batches = batches
        return batches

    @line_magic
    @command(declare.train_rnn)
    def train_rnn(
        self, options: argparse.Namespace, _cell: str | None = None
    ) -> Run | SeedRuns | None:
        """Train a recurrent language model on the minibatches.

        An interrupt ends the run after the present step and keeps the model.

        ::

            %train_rnn
            run = %train_rnn --cell lstm --num-layers 2 --dropout 0.2 --epochs 20
            %train_rnn --recipe d2l-gru --seed 1
            %train_rnn --seeds 5
            %train_rnn --max-time 180 --background
            %train_rnn --checkpoint runs/first --every 500steps
            %train_rnn --resume runs/first
        """
        from rnn_magics.notebook.training import (  # noqa: PLC0415  (torch on demand)
            start,
            start_seeds,
            training_call,
        )

        call = training_call(self.session, options)
        if self.explains(options, call):
            return None
        self.session.refuse_while_training("%train_rnn")
        baseline = not hasattr(options, "no_baseline")
        if hasattr(options, "seeds"):
            return start_seeds(self, call, baseline=baseline)
        return start(self, call, background=hasattr(options, "background"), baseline=baseline)

    @line_magic
    @command(declare.generate)
    def generate(
        self, options: argparse.Namespace, _cell: str | None = None
    ) -> Generation | list[Generation] | Score | None:
        """Write text with a trained model, or score a given text.

        ::

            %generate "time traveller" --length 200 --temperature 0.7
            %generate "the " --greedy
            %generate "the " --num 3 --top-k 10 --seed 1
            %generate "the " --novelty
            %generate --score "the time machine"
        """
        from rnn_magics.notebook.writing import (  # noqa: PLC0415  (torch on demand)
            decoding_call,
            novelty_calls,
            write_text,
        )

        trained = self.session.snapshot(getattr(options, "run", None))
        call = decoding_call(trained, options)
        more = novelty_calls(self.session, options)
        if self.explains(options, call, *more):
            return None
        written = write_text(call, sys.stdout, while_it_grows=self.stream)
        for each in novelty_calls(self.session, options, written):
            display(each())
        return written

    @line_magic
    @command(declare.baseline)
    def baseline(self, options: argparse.Namespace, _cell: str | None = None) -> Ladder | None:
        """Fit n-gram models on the training text: what counting alone reaches.

        ::

            %baseline
            ladder = %baseline --order 1-8
        """
        from rnn_magics.training.baseline import BaselineConfig  # noqa: PLC0415  (torch)

        args = (
            Named("corpus", self.session.require_corpus()),
            Named("vocab", self.session.require_vocab()),
            collect(BaselineConfig, options),
        )
        call = Call("ladder", "fit_ladder", args)
        if self.explains(options, call):
            return None
        ladder: Ladder = call()
        return ladder

    @line_magic
    @command(declare.rnn)
    def rnn(self, options: argparse.Namespace, _cell: str | None = None) -> Any:
        """Say where the session stands; steer a background run; look for silent mistakes.

        ::

            %rnn
            %rnn pause
            %rnn stop gru-1
            %rnn doctor
            %rnn runs ~/runs
            %rnn --reset
        """
        if hasattr(options, "explain"):
            return print("# %rnn steers the session of this notebook; the library has none")
        words = getattr(options, "action", None), getattr(options, "names", [])
        done = act(self.shell, self.session, *words)
        if not hasattr(options, "reset"):
            return done
        self.session.reset()
        return act(self.shell, self.session, None, [])
