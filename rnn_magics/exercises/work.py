"""Work: what a learner has made so far, on which the right answers depend."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.batching import Batches
from rnn_magics.errors import ExerciseError
from rnn_magics.language import say
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import Series
from rnn_magics.text.tasks.stream import MadeUp
from rnn_magics.training.run import Run


@dataclass(frozen=True)
class Work:
    """What a learner has made so far.

    Parameters
    ----------
    corpus, batches, run
        The text, its minibatches and the newest run; None where there is none yet.
    """

    corpus: Corpus | None = None
    batches: Batches | None = None
    run: Run | None = None

    def need_corpus(self) -> Corpus:
        """Return the text.

        Raises
        ------
        ExerciseError
            If there is none.
        """
        if self.corpus is None:
            msg = say("this exercise is about your text: type %corpus first")
            raise ExerciseError(msg)
        return self.corpus

    def need_text(self) -> Corpus:
        """Return the text, which must consist of characters.

        Raises
        ------
        ExerciseError
            If there is none, or it is a list of tokens.
        """
        corpus = self.need_corpus()
        if not corpus.is_text:
            msg = say("this exercise needs a text of characters: type %corpus, or %corpus PATH")
            raise ExerciseError(msg)
        return corpus

    def need_series(self) -> tuple[Corpus, Series]:
        """Return the series and what is known of it.

        Raises
        ------
        ExerciseError
            If the corpus is no series of numbers.
        """
        corpus = self.need_corpus()
        if not isinstance(corpus.behind, Series):
            msg = say("this exercise is about a series: type %corpus --data x --levels 20")
            raise ExerciseError(msg)
        return corpus, corpus.behind

    def need_task(self, name: str) -> MadeUp:
        """Return what is known of a made-up task.

        Raises
        ------
        ExerciseError
            If the corpus is another one.
        """
        known = self.need_corpus().behind
        if not isinstance(known, MadeUp) or known.task != name:
            msg = say("this exercise is about a made-up task: type %corpus task:{name}", name=name)
            raise ExerciseError(msg)
        return known

    def need_batches(self) -> Batches:
        """Return the minibatches.

        Raises
        ------
        ExerciseError
            If there are none.
        """
        if self.batches is None:
            msg = say("this exercise is about your minibatches: type %sample seq first")
            raise ExerciseError(msg)
        return self.batches

    def need_run(self, cell: str | None = None) -> Run:
        """Return the newest run, which must be of a cell if one is named.

        Raises
        ------
        ExerciseError
            If there is no such run.
        """
        if self.run is None:
            msg = say("this exercise is about your newest run: type %train_rnn first")
            raise ExerciseError(msg)
        if cell is not None and self.run.config.model.cell != cell:
            msg = say(
                "this exercise needs your newest run to have --cell {cell}, not {present}",
                cell=cell,
                present=self.run.config.model.cell,
            )
            raise ExerciseError(msg)
        return self.run

    def need_score(self) -> float:
        """Return the held-out perplexity of the newest run.

        Raises
        ------
        ExerciseError
            If there is none.
        """
        score = self.need_run().valid_perplexity
        if score is None:
            msg = say("your newest run has no held-out perplexity: hold text out with --valid 0.1")
            raise ExerciseError(msg)
        return score
