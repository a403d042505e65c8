"""What a training has reached, with everything that the numbers depend on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rnn_magics.batching import BATCHERS
from rnn_magics.digits import rounded
from rnn_magics.language import marked, say, say_number
from rnn_magics.reports.texts import TextEvaluation, describe_score
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import Evaluation
from rnn_magics.training.history import Turn
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
    when
        After how much training the held-out text was scored, if not after the last step: the
        weights have changed since, or the run has its best ones.
    test
        The score of the test part; None where there is none.
    over
        The epoch of the training figures; None for the last.
    notes
        What else to know about the held-out perplexity: that it was not measured, or has risen.
    """

    train: TextEvaluation | None
    valid: TextEvaluation | None
    when: str = ""
    test: TextEvaluation | None = None
    over: int | None = None
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
            name = say("Held-out, {when}", when=self.when) if self.when else say("Held-out")
            yield name, self.valid, over
        if self.test is not None:
            over = say_number(
                self.test.score.num_tokens,
                "the one predicted token of the test part, by which nothing was chosen",
                "all {num_tokens:,} predicted tokens of the test part, by which nothing was chosen",
                num_tokens=self.test.score.num_tokens,
            )
            yield say("Test part"), self.test, over
        if self.train is not None:
            over = (
                say("the last epoch, while the weights changed")
                if self.over is None
                else say("epoch {epoch}, while the weights changed", epoch=self.over)
            )
            yield say("Training"), self.train, over

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
    train, valid, test, when, over = None, None, None, "", None
    if epoch := run.epoch:
        carried = BATCHERS[run.config.batching.batching].carries_state
        score = _scored(run.history.train_bits[epoch - 1], run.num_train_tokens, carried=carried)
        over = None if epoch == len(run.history) else epoch
        train = describe_score(run, name, marked("training part"), score, run.train_counts)
    if (scored := run.scored) is not None:
        score = _scored(scored.bits, run.num_valid_tokens, carried=run.state_rule == "carried")
        valid = describe_score(run, name, marked("held-out part"), score, run.valid_counts)
        when = say("best weights, {when}", when=scored.when) if scored.is_kept else scored.when
        when = "" if scored.is_present and not scored.is_kept else when
    if run.test is not None and run.test.bits is not None:
        carried = run.state_rule == "carried"
        score = _scored(run.test.bits, run.test.num_tokens, carried=carried)
        test = describe_score(run, name, marked("test part"), score, run.test.counts)
    return RunReport(train, valid, when, test, over, tuple(_notes(run)))


def _notes(run: Run) -> Iterator[str]:
    scored, history = run.scored, run.history
    if run.reason is not None and len(history) and run.num_valid_tokens:
        if scored is None:
            yield say("The held-out text was not scored.")
        elif not scored.is_present:
            yield say("The weights have changed since the held-out text was scored.")
    if run.test is not None and run.test.nats is None and run.reason is not None and run.steps:
        yield say("The test part was not scored.")
    if (turn := run.turn) is not None:
        epochs = (min(s.epoch, len(history)) for s in (turn.best, run.record.scores[-1]))
        before, after = (rounded(history.train_perplexity[at - 1]) for at in epochs)
        told = {"best": turn.best, "since": turn.since, "before": before, "after": after}
        if run.weights_from is not None:
            yield from _kept_best(turn, told)
        elif turn.is_memorising:
            yield say(
                "Best held-out perplexity {best}, {since}: the training perplexity fell from"
                " {before} to {after}. --keep best leaves a run with that model; one that was kept"
                " with --checkpoint DIR may have it: %load_rnn DIR --epoch best.",
                **told,
            )
        else:
            yield say(
                "Best held-out perplexity {best}, {since}: the training perplexity rose from"
                " {before} to {after}. --keep best leaves a run with that model; one that was kept"
                " with --checkpoint DIR may have it: %load_rnn DIR --epoch best.",
                **told,
            )


def _kept_best(turn: Turn, told: Mapping[str, object]) -> Iterator[str]:
    if turn.is_memorising:
        yield say(
            "These are the weights of the best held-out perplexity, {best}, {since}: the training"
            " perplexity fell from {before} to {after}.",
            **told,
        )
    else:
        yield say(
            "These are the weights of the best held-out perplexity, {best}, {since}: the training"
            " perplexity rose from {before} to {after}.",
            **told,
        )


def _scored(bits: float, num_tokens: int, *, carried: bool) -> Evaluation:
    return Evaluation(bits * math.log(2), num_tokens - 1, "carried" if carried else "zero")
