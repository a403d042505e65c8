"""What a training has reached, with everything that the numbers depend on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rnn_magics.batching import BATCHERS
from rnn_magics.digits import rounded
from rnn_magics.language import marked, say, say_number
from rnn_magics.reports.texts import TextEvaluation, describe_score
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import Evaluation
from rnn_magics.training.run import Run


@dataclass(frozen=True, repr=False)
class RunReport(Result):
    """What a training has reached, on both parts of its text.

    Parameters
    ----------
    train
        The mean over the last epoch, while the weights changed; None before the first epoch.
        Its state is ``carried`` from minibatch to minibatch or ``zero`` at each, as the
        minibatches demand.
    valid
        The last score of the held-out text, as `evaluate_text` scores it; None where there is none.
    epoch
        The epoch after which the held-out text was scored, if the weights have changed since.
    notes
        What else to know about the held-out perplexity: that it was not measured, or has risen.
    """

    train: TextEvaluation | None
    valid: TextEvaluation | None
    epoch: int | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a line for each part."""
        return "\n".join(self.lines) or say("no epoch yet")

    @property
    def lines(self) -> list[str]:
        """One for each part that has a number, the held-out part first; then the notes."""
        told = zip(self.figures, self._how(), strict=True)
        return [
            *(say("{figures}: {how}.", figures=figures, how=how) for figures, how in told),
            *self.notes,
        ]

    @property
    def figures(self) -> list[str]:
        """The numbers alone, a line for each part, the held-out part first."""
        return [
            say("{part} {numbers}", part=name, numbers=found.numbers)
            for name, found, _ in self._parts()
        ]

    @property
    def definitions(self) -> list[str]:
        """What the numbers are and over what they were computed, a line for each part."""
        names = (name for name, *_ in self._parts())
        return [
            say("{figures}: {how}.", figures=name, how=how)
            for name, how in zip(names, self._how(), strict=True)
        ]

    def _parts(self) -> Iterator[tuple[str, TextEvaluation, str]]:
        if self.valid is not None:
            over = say_number(
                self.valid.score.num_tokens,
                "the one predicted token of the held-out text",
                "all {num_tokens:,} predicted tokens of the held-out text",
                num_tokens=self.valid.score.num_tokens,
            )
            name = (
                say("Held-out")
                if self.epoch is None
                else say("Held-out, after epoch {epoch}", epoch=self.epoch)
            )
            yield name, self.valid, over
        if self.train is not None:
            yield say("Training"), self.train, say("the last epoch, while the weights changed")

    def _how(self) -> Iterator[str]:
        for _, found, over in self._parts():
            told = [
                say(
                    "exp of the mean over {over}, state {state}",
                    over=over,
                    state=say(found.score.state),
                ),
                found.unknown,
                found.spelled,
            ]
            if found.word_perplexity is not None and found.num_words is not None:
                words = say_number(
                    found.num_words,
                    "{num_words:,} word between white space",
                    "{num_words:,} words between white space",
                    num_words=found.num_words,
                )
                told.append(
                    say("per word is exp of the nats of all characters over {words}", words=words)
                )
            if found.num_documents:
                told.append(
                    say_number(
                        found.num_documents,
                        "per document is exp of the nats of all tokens and ends over"
                        " {num_documents:,} document",
                        "per document is exp of the nats of all tokens and ends over"
                        " {num_documents:,} documents",
                        num_documents=found.num_documents,
                    )
                )
            yield say("; ").join(filter(None, told))


def report_run(run: Run) -> RunReport:
    """Return the perplexities of a run with all that they depend on; nothing is scored anew."""
    name = say("its text") if run.corpus is None else run.corpus[0]
    history, train, valid = run.history, None, None
    if len(history):
        carried = BATCHERS[run.config.batching.batching].carries_state
        score = _scored(history.train_bits[-1], run.num_train_tokens, carried=carried)
        train = describe_score(run, name, marked("training part"), score, run.train_counts)
    if (scored := run.scored) is not None:
        score = _scored(scored.bits, run.num_valid_tokens, carried=run.state_rule == "carried")
        valid = describe_score(run, name, marked("held-out part"), score, run.valid_counts)
    epoch = None if scored is None or scored.is_present else scored.epoch
    return RunReport(train, valid, epoch, tuple(_notes(run)))


def _notes(run: Run) -> Iterator[str]:
    scored, history = run.scored, run.history
    if run.reason is not None and len(history) and run.num_valid_tokens:
        if scored is None:
            yield say("The held-out text was not scored.")
        elif not scored.is_present:
            yield say("The weights have changed since the held-out text was scored.")
    if (turn := history.turn) is not None:
        epoch, last = turn.best.epoch, history.scores[-1].epoch
        before, after = (rounded(history.train_perplexity[at - 1]) for at in (epoch, last))
        told = {"best": turn.best, "since": turn.since, "epoch": epoch}
        told |= {"before": before, "after": after}
        if turn.is_memorising:
            yield say(
                "Best held-out perplexity {best}, {since}: the training perplexity fell from"
                " {before} to {after}. A run kept with --checkpoint DIR has that model:"
                " %load_rnn DIR --epoch {epoch}.",
                **told,
            )
        else:
            yield say(
                "Best held-out perplexity {best}, {since}: the training perplexity rose from"
                " {before} to {after}. A run kept with --checkpoint DIR has that model:"
                " %load_rnn DIR --epoch {epoch}.",
                **told,
            )


def _scored(bits: float, num_tokens: int, *, carried: bool) -> Evaluation:
    return Evaluation(bits * math.log(2), num_tokens - 1, "carried" if carried else "zero")
