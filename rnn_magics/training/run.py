"""Run: the record of one training run, with its configuration, history, model and vocabulary."""

from __future__ import annotations

import numbers
import platform
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from rnn_magics.batching import BatchConfig
from rnn_magics.digits import rounded
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.language import marked, say, say_in, say_number
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.options import AT_LEAST_ONE
from rnn_magics.results import Result
from rnn_magics.scores.ladder import Ladder
from rnn_magics.text.counts import TextCounts
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.curve import Curve
from rnn_magics.training.endings import Ending, state_in_words
from rnn_magics.training.history import History, Life, Scored, Turn
from rnn_magics.training.machine.device import DeviceChoice
from rnn_magics.training.machine.threads import ThreadChoice
from rnn_magics.training.scoring.record import Record, ScoreBetween
from rnn_magics.training.scoring.test_part import TestPart


def versions() -> dict[str, str]:
    """Return the versions of the software that a result depends on."""
    from rnn_magics import __version__  # noqa: PLC0415  (the package imports this module lazily)

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rnn_magics": __version__,
    }


@dataclass(frozen=True)
class RunConfig:
    """The three configurations of a run."""

    model: ModelConfig
    train: TrainConfig
    batching: BatchConfig


@dataclass(frozen=True)
class Steering:
    """A change of the settings during training.

    Parameters
    ----------
    step
        The number of steps taken before the change.
    lr, clip
        The largest learning rate and the bound on the gradient norm after the change.
    """

    step: int
    lr: float
    clip: float | None

    def __str__(self) -> str:
        """Return the change in words."""
        text = (
            marked("learning rate {lr:g} and no clip from step {step:,} on")
            if self.clip is None
            else marked("learning rate {lr:g} and clip {clip:g} from step {step:,} on")
        )
        return say(text, lr=self.lr, clip=self.clip, step=self.step + 1)


@dataclass
class Run(Result):
    """One training run.

    Parameters
    ----------
    name
        The name of the run in listings.
    model
        The model, on the device where it was trained.
    vocab
        The vocabulary; None if the run was trained on bare indices.
    config
        The configurations of model, training and minibatches.
    device
        The device on which it was trained, and why.
    corpus
        Name and sha256 of the corpus, or None.
    reading
        How the corpus was read; None without one, and for a file of an older version.
    predicted
        The held-out perplexity that somebody expected at the end (`predict`); None if nobody did.
    num_train_tokens, num_valid_tokens
        The lengths of the training text and the held-out text, in tokens.
    history
        The results of each epoch.
    curve
        Loss and gradient norm of each step, up to the last finished epoch.
    steered
        The changes of learning rate and clip during training, in order; `config` has the current
        values.
    reason
        How it ended, a string: ``epochs``, ``max_time`` ... (see `Ending`); None while it trains.
    message
        What to know about the end; empty if all went as planned.
    threads
        The number of torch's CPU threads, and why; None until it is known which is the fastest.
    between
        The held-out scores between the epoch ends.
    weights_from
        After which step the weights of the model were, if they are the best ones and not those of
        the last step; None otherwise.
    test
        The part of the text that was set aside, and its score; None without one.
    step
        How its steps were taken: ``eager`` or ``cuda graph``. If no graph was possible, with the
        reason.
    versions
        The versions of Python, torch and rnn_magics.
    steps, tokens
        The number of steps taken and of tokens trained on.
    ladder
        The n-gram baselines of the same split; None if they were not fitted.
    folder
        The folder of its checkpoints; None without checkpoints.
    train_counts, valid_counts
        Counts of unknown tokens and words in the training text and the held-out text; None without
        a vocabulary or such a text, and for a very long training text.
    """

    name: str
    model: RNNModel
    vocab: Vocab | None
    config: RunConfig
    device: DeviceChoice
    corpus: tuple[str, str] | None
    num_train_tokens: int
    num_valid_tokens: int
    history: History = field(default_factory=History)
    curve: Curve = field(default_factory=Curve)
    steered: list[Steering] = field(default_factory=list)
    reason: Ending | None = None
    message: str = ""
    threads: ThreadChoice | None = None
    step: str = "eager"
    versions: dict[str, str] = field(default_factory=versions)
    steps: int = 0
    tokens: int = 0
    ladder: Ladder | None = None
    folder: str | None = None
    train_counts: TextCounts | None = None
    valid_counts: TextCounts | None = None
    reading: TextReading | None = None
    predicted: float | None = None
    earlier: list[Life] = field(default_factory=list)
    between: list[ScoreBetween] = field(default_factory=list)
    weights_from: int | None = None
    test: TestPart | None = None

    @property
    def tokens_per_second(self) -> float:
        """Training speed over all epochs, without evaluation; nan before the first epoch."""
        seconds = sum(self.history.seconds)
        rates = zip(self.history.seconds, self.history.tokens_per_second, strict=True)
        return sum(s * rate for s, rate in rates) / seconds if seconds else float("nan")

    @property
    def train_perplexity(self) -> float | None:
        """The training perplexity of the epoch of the weights; None before the first epoch ends.

        That is the last epoch, unless the run has its best weights.
        """
        return self.history.train_perplexity[self.epoch - 1] if self.epoch else None

    @property
    def epoch(self) -> int:
        """The epoch of the weights, counted from 1; 0 before the first epoch ends."""
        last, scored = len(self.history), self.scored
        if self.weights_from is None or scored is None:
            return last
        return min(scored.epoch, last)

    @property
    def record(self) -> Record:
        """Its held-out scores."""
        told = self.history, self.curve, self.between, self.steps, self.reason, self.weights_from
        return Record(*told)

    @property
    def scored(self) -> Scored | None:
        """The held-out score of the weights; or the last one, which is not present; or None."""
        return self.record.scored

    @property
    def turn(self) -> Turn | None:
        """Where the held-out perplexity was lowest, if it has risen by more than chance since."""
        return self.record.turn

    @property
    def which_weights(self) -> str:
        """Which weights the model has, in words; empty for those of the last step."""
        if self.weights_from is None or (scored := self.scored) is None:
            return ""
        best = say("best weights, {when}", when=scored.when)
        turn = self.turn
        return best if turn is None else say("{best}, {since}", best=best, since=turn.since)

    @property
    def valid_perplexity(self) -> float | None:
        """The held-out perplexity of the model; while it trains, that after its last epoch.

        None if the held-out text was not scored after the last step; `scored` then has an earlier
        score.
        """
        scored = self.scored
        is_told = scored is not None and (scored.is_present or self.reason is None)
        return scored.perplexity if scored is not None and is_told else None

    @property
    def held_out(self) -> str:
        """The held-out perplexity in words; they say so if it belongs to earlier weights."""
        if self.num_valid_tokens == 0:
            return say("nothing held out")
        if (scored := self.scored) is None:
            return say("held-out text not scored")
        told = self.which_weights or self.turn
        if not told:
            return say("held-out perplexity {perplexity}", perplexity=scored)
        reached = replace(scored, is_kept=False)
        return say("held-out perplexity {perplexity} ({turn})", perplexity=reached, turn=told)

    @property
    def state_rule(self) -> str:
        """How held-out text is read: with ``carried`` state, or from ``zero`` in each window."""
        return "zero" if self.config.model.bidirectional else "carried"

    @property
    def place(self) -> str:
        """The device and threads with reasons, e.g. ``cpu (no GPU found), 1 thread (measured)``."""
        if self.device.device.type != "cpu":
            step = say(self.step)
            return say("{device}, step: {step}", device=self.device, step=step)
        if self.threads is None:
            return f"{self.device}"
        return say("{device}, {threads}", device=self.device, threads=self.threads)

    @property
    def architecture(self) -> str:
        """The model in words, e.g. ``gru, 256 hidden units, 1 layer``, and what of it is frozen."""
        c, frozen = self.config.model, self.config.train.freeze
        said = [c.in_brief, say_number(c.num_layers, "{number} layer", "{number} layers")]
        said += [say("bidirectional")] if c.bidirectional else []
        said += [say("learnt initial state")] if c.learn_state else []
        said += [say("frozen: {layers}", layers=" + ".join(frozen))] if frozen else []
        return say(", ").join(said)

    @property
    def may_predict(self) -> bool:
        """Whether a prediction is still one: the held-out text has not been scored."""
        return self.reason is None and self.num_valid_tokens > 1 and not self.history.scores

    def predict(self, perplexity: float) -> None:
        """Note which held-out perplexity somebody expects at the end; the training is the same.

        Parameters
        ----------
        perplexity
            At least 1, the perplexity of a model that is certain of every token, and right.

        Raises
        ------
        ConfigError
            If it is no such number.
        TrainingError
            If nothing is held out, or the held-out text has been scored already.

        Examples
        --------
        >>> new, state = begin(batches)
        >>> new.predict(4.0)
        >>> new.predicted
        4.0
        """
        typed: Any = perplexity  # a page sends it, too
        if not isinstance(typed, numbers.Real) or float(typed) not in AT_LEAST_ONE:
            msg = say("a perplexity must be at least 1, not {value!r}", value=perplexity)
            raise ConfigError(msg)
        if not self.num_valid_tokens:
            raise TrainingError(say("nothing is held out, so there is nothing to predict"))
        if not self.may_predict:
            raise TrainingError(say("the held-out text has been scored: too late to predict"))
        self.predicted = float(perplexity)

    def steer(self, train: TrainConfig, step: int) -> None:
        """Continue with another configuration after this many steps; call it between two steps."""
        self.config = replace(self.config, train=train)
        self.steered.append(Steering(step, train.peak_lr, train.clip))

    def clips_since(self, step: int, clip: float | None) -> list[tuple[int, float | None]]:
        """Return each bound on the gradient norm from a step on, and after which step it holds.

        Parameters
        ----------
        step
            The number of steps before the first of interest.
        clip
            The bound that held before anything was steered.
        """
        first = next((s.clip for s in reversed(self.steered) if s.step <= step), clip)
        return [(step, first), *((s.step, s.clip) for s in self.steered if s.step > step)]

    def __repr__(self) -> str:
        """Return two lines: the model, and the results so far."""
        head = say(
            "Run {name!r}: {architecture}, {parameters:,} parameters",
            name=self.name,
            architecture=self.architecture,
            parameters=self.model.num_parameters,
        )
        state = state_of(self)
        if not len(self.history):
            return f"{head}\n  {say('no epoch yet ({state})', state=state)}"
        reached = say_number(
            len(self.history),
            "after {number} epoch: training perplexity {perplexity}, {held_out},"
            " {speed:,.0f} tokens/s ({state})",
            "after {number} epochs: training perplexity {perplexity}, {held_out},"
            " {speed:,.0f} tokens/s ({state})",
            perplexity=rounded(self.train_perplexity),
            held_out=self.held_out,
            speed=self.tokens_per_second,
            state=state,
        )
        return f"{head}\n  {reached}"


def state_of(run: Run, alive: str = "training") -> str:
    """Return how a run ended in words; for one that has not, whether it is training."""
    return say_in("state", alive) if run.reason is None else state_in_words(run.reason)


def lives(run: Run) -> list[Life]:
    """Return the trainings that the weights of a run come from, its own the last."""
    scored = run.scored
    reached = scored.perplexity if scored is not None and scored.is_present else None
    history = History(**run.history.to_dict())  # type: ignore[arg-type]  # its own lists
    own = Life(run.name, run.corpus, run.steps, run.tokens, history, reached)
    return [*run.earlier, own]


def copy_run(run: Run) -> Run:
    """Return a copy that further training does not change; call it between two steps."""
    return replace(
        run,
        model=copy_model(run.model),
        history=History(**run.history.to_dict()),  # type: ignore[arg-type]  # its own lists
        curve=run.curve.copy(),
        steered=list(run.steered),
        between=list(run.between),
        earlier=list(run.earlier),
        reason=run.reason or Ending.SNAPSHOT,
    )
