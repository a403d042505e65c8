"""What the doctor looks at: copies of a model, and windows of its training text."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.batching import Batches, labels_of
from rnn_magics.errors import ModelError
from rnn_magics.language import say
from rnn_magics.models.recurrent import Dropout
from rnn_magics.models.rnn_model import ModelState, RNNModel, require_finite
from rnn_magics.training.history import History

_ROWS, _STEPS = 4, 12


@dataclass(frozen=True)
class Patient:
    """The model and the data that a check may look at.

    Parameters
    ----------
    model
        A copy of the model, in evaluation mode, in float32 or float64.
    fresh
        An untrained model of the same kind; None if the module cannot be initialised again.
    batches
        Its minibatches, on the device of the model.
    inputs, labels
        Windows of the training text, (rows, steps), whatever the size of a minibatch.
    history
        What it reached after each epoch; None if that is not known.
    """

    model: nn.Module
    fresh: nn.Module | None
    batches: Batches
    inputs: Tensor
    labels: Tensor
    history: History | None = None

    @classmethod
    def admitted(cls, model: nn.Module, batches: Batches, history: History | None) -> Patient:
        """Return the patient that is made of a model and its minibatches.

        Raises
        ------
        ModelError
            If the module has no `begin_state`, cannot be copied, or has a weight that is not
            finite.
        """
        if not callable(getattr(model, "begin_state", None)):
            name = type(model).__name__
            msg = say(
                "{name} has no begin_state(batch_size, device); the doctor needs it", name=name
            )
            raise ModelError(msg)
        require_finite(model)
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        moved = batches.to(device)
        return cls(copy_module(model), _fresh(model), moved, *_windows(moved), history)

    def read(self, inputs: Tensor, state: ModelState | None = None) -> tuple[Tensor, ModelState]:
        """Return the logits and the state after `inputs`, from `begin_state` if none is given."""
        return read(self.model, inputs, state)


def _windows(batches: Batches) -> tuple[Tensor, Tensor]:
    ids = batches.ids
    steps = min(_STEPS, len(ids) - 1)
    rows = min(_ROWS, (len(ids) - 1) // steps)
    apart = (len(ids) - 1 - steps) // max(rows - 1, 1)
    starts = torch.arange(rows, device=ids.device) * apart
    places = starts[:, None] + torch.arange(steps, device=ids.device)
    return ids[places].long(), labels_of(ids[places + 1].long(), batches.marks)


def copy_module(model: nn.Module) -> nn.Module:
    """Return an independent copy of a module, in evaluation mode, in float32 or float64."""
    try:
        return _widened(copy.deepcopy(model)).eval()
    except RuntimeError as error:
        msg = say(
            "the module cannot be copied; perhaps it stores tensors with a graph: {error}",
            error=error,
        )
        raise ModelError(msg) from None


def _widened(model: nn.Module) -> nn.Module:
    # Rounding in half precision would hide the differences that the checks look for.
    half = any(p.dtype in (torch.bfloat16, torch.float16) for p in model.parameters())
    return model.float() if half else model


def learning_copy(model: nn.Module) -> nn.Module:
    """Return a copy in training mode, which cuDNN needs to go backward, but without dropout."""
    learning = copy_module(model).train()
    for module in learning.modules():
        if isinstance(module, Dropout | nn.Dropout):
            module.p = 0.0
    return learning


def _fresh(model: nn.Module) -> nn.Module | None:
    if type(model) is RNNModel:
        fresh = RNNModel(model.config, model.vocab_size, torch.Generator().manual_seed(0))
        fresh.vocab = model.vocab
        return fresh.to(model.output.weight.device).eval()
    if not callable(getattr(model, "reset_parameters", None)):
        return None
    other = copy_module(model)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other.reset_parameters()  # type: ignore[operator]  # callable, as asked
    return other


def read(
    model: nn.Module, inputs: Tensor, state: ModelState | None = None, *, grad: bool = False
) -> tuple[Tensor, ModelState]:
    """Return the logits and the state after `inputs`, from `begin_state` if none is given."""
    if state is None:
        state = model.begin_state(len(inputs), inputs.device)  # type: ignore[operator]  # asked
    with torch.set_grad_enabled(grad):
        logits, state = model(inputs, state)
    return logits, state


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def gradient_of(parameter: nn.Parameter) -> Tensor:
    """Return a copy of the gradient of a parameter, zero if it has none."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
