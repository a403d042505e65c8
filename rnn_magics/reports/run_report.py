"""What a training has reached, with everything that the numbers depend on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnn_magics.batching import BATCHERS
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
        After the last epoch in which the held-out text was scored, as `evaluate_text` scores it;
        None where it was not.
    """

    train: TextEvaluation | None
    valid: TextEvaluation | None

    def __repr__(self) -> str:
        """Return a line for each part."""
        return "\n".join(self.lines) or "no epoch yet"

    @property
    def lines(self) -> list[str]:
        """One for each part that has a number, the held-out part first."""
        told = []
        if (valid := self.valid) is not None:
            over = f"over all {valid.score.num_tokens:,} predicted tokens of the held-out text"
            told.append(_line("Held-out", valid, f"exp of the mean {over}"))
        if self.train is not None:
            over = "over the last epoch, while the weights changed"
            told.append(_line("Training", self.train, f"exp of the mean {over}"))
        return told


def _line(part: str, found: TextEvaluation, how: str) -> str:
    unknown = found.unknown and f"; {found.unknown}"
    words = ""
    if found.num_words:
        words = f"; per word is exp of the nats of all characters over {found.num_words:,} words"
        words += " between white space"
    return f"{part} {found.numbers}: {how}, state {found.score.state}{unknown}{words}."


def report_run(run: Run) -> RunReport:
    """Return the perplexities of a run with all that they depend on; nothing is scored anew."""
    name = "its text" if run.corpus is None else run.corpus[0]
    history, train, valid = run.history, None, None
    if len(history):
        carried = BATCHERS[run.config.batching.batching].carries_state
        score = _scored(history.train_bits[-1], run.num_train_tokens, carried=carried)
        train = describe_score(run, name, "training part", score, run.train_counts)
    scored = [bits for bits in history.valid_bits if bits is not None]
    if scored:
        score = _scored(scored[-1], run.num_valid_tokens, carried=run.state_rule == "carried")
        valid = describe_score(run, name, "held-out part", score, run.valid_counts)
    return RunReport(train, valid)


def _scored(bits: float, num_tokens: int, *, carried: bool) -> Evaluation:
    return Evaluation(bits * math.log(2), num_tokens - 1, "carried" if carried else "zero")
