"""Run: one training, with its configuration, history, model and vocabulary."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.scores.ladder import Ladder
from rnn_magics.text.counts import TextCounts, count_text
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.curve import Curve
from rnn_magics.training.endings import Ending
from rnn_magics.training.history import History
from rnn_magics.training.machine.device import DeviceChoice
from rnn_magics.training.machine.threads import ThreadChoice

_GONE_THROUGH = 1 << 26  # tokens, in less than a second; a longer text is left on its disk


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    from rnn_magics import __version__  # noqa: PLC0415  (the package imports this module lazily)

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rnn_magics": __version__,
    }


@dataclass(frozen=True)
class RunConfig:
    """The three configurations that a run was made from."""

    model: ModelConfig
    train: TrainConfig
    batching: BatchConfig


@dataclass(frozen=True)
class Steering:
    """A change of a training while it went on.

    Parameters
    ----------
    step
        How many steps had been taken.
    lr, clip
        The largest learning rate and the bound on the gradient norm from there on.
    """

    step: int
    lr: float
    clip: float | None

    def __str__(self) -> str:
        """Say it in words."""
        clip = "no clip" if self.clip is None else f"clip {self.clip:g}"
        return f"learning rate {self.lr:g} and {clip} from step {self.step + 1:,} on"


@dataclass
class Run:
    """One training.

    Parameters
    ----------
    name
        How listings call it.
    model
        The model, on the device where it was trained.
    vocab
        The map of its tokens; None when it was trained on bare indices.
    config
        Of model, training and minibatches.
    device
        Where it was trained, and why there.
    corpus
        Name and sha256 of the corpus, None without one.
    num_train_tokens, num_valid_tokens
        The lengths of the training and the held-out text.
    history
        What each epoch reported.
    curve
        Loss and gradient norm of each step, up to the last epoch that is over.
    steered
        How learning rate and clip were changed while it trained, in the order of steps; `config`
        holds the newest.
    reason
        How it ended, a string: ``epochs``, ``max_time`` ... (see `Ending`); None while it trains.
    message
        What to know about the end; empty when all went as planned.
    threads
        How many of torch on the CPU, and why.
    step
        How its steps were taken: ``eager``, or ``cuda graph``; with the reason where a graph
        could not be had.
    versions
        Of Python, torch and rnn_magics.
    steps, tokens
        Taken and learnt from, up to the last epoch that is told of.
    ladder
        What counting n-grams reaches on the same split; None where none was fitted.
    folder
        Where it is kept as it trains; None where it is not.
    train_counts, valid_counts
        Unknown tokens and words of the training and the held-out text; None where there is no
        vocabulary or no such text, and of a training text too long to be gone through.
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
    threads: ThreadChoice = field(default_factory=ThreadChoice.present)
    step: str = "eager"
    versions: dict[str, str] = field(default_factory=versions)
    steps: int = 0
    tokens: int = 0
    ladder: Ladder | None = None
    folder: str | None = None
    train_counts: TextCounts | None = None
    valid_counts: TextCounts | None = None

    @property
    def tokens_per_second(self) -> float:
        """Of training, evaluation excluded, over all epochs; nan before the first."""
        seconds = sum(self.history.seconds)
        rates = zip(self.history.seconds, self.history.tokens_per_second, strict=True)
        return sum(s * rate for s, rate in rates) / seconds if seconds else float("nan")

    @property
    def train_perplexity(self) -> float | None:
        """Of the last epoch, None before the first."""
        return self.history.train_perplexity[-1] if self.history.train_perplexity else None

    @property
    def valid_perplexity(self) -> float | None:
        """Of the held-out text after the last epoch in which it was scored, or None."""
        scored = [value for value in self.history.valid_perplexity if value is not None]
        return scored[-1] if scored else None

    @property
    def state_rule(self) -> str:
        """How held-out text is read: ``carried`` state, or ``zero`` at each window."""
        return "zero" if self.config.model.bidirectional else "carried"

    @property
    def place(self) -> str:
        """Where it was trained, and why there, e.g. ``cpu (no GPU found), 1 thread (measured)``."""
        on_cpu = self.device.device.type == "cpu"
        return f"{self.device}, {self.threads if on_cpu else f'step: {self.step}'}"

    @property
    def architecture(self) -> str:
        """The model in words, e.g. ``gru, 256 hidden units, 1 layer``."""
        c = self.config.model
        layers = "1 layer" if c.num_layers == 1 else f"{c.num_layers} layers"
        both = ", bidirectional" if c.bidirectional else ""
        return f"{c.cell}, {c.num_hiddens} hidden units, {layers}{both}"

    def steer(self, train: TrainConfig, step: int) -> None:
        """Go on with another configuration after so many steps; to be called between steps."""
        self.config = replace(self.config, train=train)
        self.steered.append(Steering(step, train.peak_lr, train.clip))

    def __repr__(self) -> str:
        """Two lines: what it is, and where it stands."""
        head = f"Run {self.name!r}: {self.architecture}, {self.model.num_parameters:,} parameters"
        if not len(self.history):
            return f"{head}\n  no epoch yet ({self.reason or 'training'})"
        valid = self.valid_perplexity
        held_out = "nothing held out" if valid is None else f"held-out perplexity {valid:.3f}"
        epochs = "1 epoch" if len(self.history) == 1 else f"{len(self.history)} epochs"
        return (
            f"{head}\n  training perplexity {self.train_perplexity:.3f}, {held_out} after {epochs},"
            f" {self.tokens_per_second:,.0f} tokens/s ({self.reason or 'training'})"
        )


def copy_run(run: Run) -> Run:
    """Return a copy that a training does not change any more, to be taken between two steps."""
    return replace(
        run,
        model=copy_model(run.model),
        history=History(**run.history.to_dict()),  # type: ignore[arg-type]  # its own lists
        curve=run.curve.copy(),
        steered=list(run.steered),
        reason=run.reason or Ending.SNAPSHOT,
    )


def describe_run(
    name: str,
    model: RNNModel,
    batches: Batches,
    config: TrainConfig,
    device: DeviceChoice,
    threads: ThreadChoice,
) -> Run:
    """Return the record of a run that is about to start."""
    corpus = batches.corpus
    return Run(
        name,
        model,
        batches.vocab,
        RunConfig(model.config, config, batches.config),
        device,
        None if corpus is None else (corpus.name, corpus.fingerprint),
        len(batches.ids),
        len(batches.valid),
        threads=threads,
        train_counts=_counts(batches.ids, batches) if len(batches.ids) <= _GONE_THROUGH else None,
        valid_counts=_counts(batches.valid, batches),
    )


def _counts(ids: Tensor, batches: Batches) -> TextCounts | None:
    if batches.vocab is None or not len(ids):
        return None
    return count_text(ids.cpu().numpy(), batches.vocab)
