"""What a training begins with: an architecture, or a model and the trainings behind it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rnn_magics.batching import Batches
from rnn_magics.errors import TrainingError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.text.agreement import disagreement
from rnn_magics.training.history import Life
from rnn_magics.training.run import Run, lives


@dataclass(frozen=True)
class Origin:
    """What a training begins with.

    Parameters
    ----------
    config
        The architecture.
    model
        The model that is trained, in place; None to draw initial weights.
    earlier
        The trainings that its weights come from, the first one first.
    """

    config: ModelConfig
    model: RNNModel | None = None
    earlier: tuple[Life, ...] = ()

    @classmethod
    def of(cls, given: Given) -> Origin:
        """Return what a training begins with that is given one of these; of a run, a copy."""
        match given:
            case Origin():
                return given
            case Run():
                return cls(given.model.config, copy_model(given.model), tuple(lives(given)))
            case RNNModel():
                return cls(given.config, given)
            case _:
                return cls(given or ModelConfig())

    def require_tokens(self, batches: Batches) -> None:
        """Refuse minibatches of other tokens than those that the model was trained with.

        Raises
        ------
        TrainingError
            If there is a model, and the tokens differ.
        """
        if self.model is None:
            return
        use = say("make them with the vocabulary of its run: make_batches(corpus, run.vocab)")
        if differ := disagreement(self.model.vocab, batches.vocab):
            raise TrainingError(
                say(
                    "the model was trained with other tokens than those of the minibatches:"
                    " {differ}; {use}",
                    differ=differ,
                    use=use,
                )
            )
        if self.model.vocab_size != batches.vocab_size:
            raise TrainingError(
                say(
                    "the model has {vocab_size} tokens, but the vocabulary has {other}; {use}",
                    vocab_size=self.model.vocab_size,
                    other=batches.vocab_size,
                    use=use,
                )
            )

    def build(self, vocab_size: int, generator: torch.Generator) -> RNNModel:
        """Return the model; where there is none, the generator draws its initial weights."""
        if self.model is not None:
            return self.model
        return RNNModel(self.config, vocab_size, generator)


Given = ModelConfig | RNNModel | Run | Origin | None
"""What `train` takes: an architecture, a model to train further, a run to go on from; or None."""
