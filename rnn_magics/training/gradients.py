"""The loss of a minibatch and its gradients, by the shortest way that knows all of the model."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor
from torch.nn.modules import module as of_all_modules

from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.training.machine.precision import forward_loss


def add_gradients(
    model: RNNModel, X: Tensor, Y: Tensor, state: State, precision: str, weight: float = 1.0
) -> tuple[Tensor, State]:
    """Compute the loss of a minibatch, and add its gradients to those of the parameters.

    Parameters
    ----------
    model
        The model.
    X, Y
        Token indices and labels, (batch, num_steps) each.
    state
        The state before the first token, `num_states` tensors (num_layers, batch, num_hiddens).
    precision
        A name of `PRECISIONS`.
    weight
        What the loss is multiplied by.

    Returns
    -------
    loss : Tensor
        The mean nats per token times `weight`, a 0-d tensor, detached.
    state : tuple of Tensor
        The state after the last token, detached.
    """
    if weight == 1 and not needs_autograd(model):
        from rnn_magics.models.fast.learning import gradients  # noqa: PLC0415  (needs numba)

        return gradients.add_gradients(model, X, Y, state)
    loss, last = forward_loss(model, X, Y, state, precision)
    loss = loss if weight == 1 else loss * weight
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach(), tuple(part.detach() for part in last)


def needs_autograd(model: RNNModel) -> bool:
    """Whether only torch's autograd knows all that happens in a model.

    So it is unless the compiled engine runs it forwards from a state that is given, and wherever
    somebody listens: hooks are called by autograd, and by the modules.
    """
    is_known = type(model) is RNNModel and model.engine == "compiled"
    if not is_known or model.rnn.num_directions > 1 or model.rnn.initial is not None:
        return True
    return torch.is_anomaly_enabled() or _has_hooks(model)


def _has_hooks(model: RNNModel) -> bool:
    # Torch has no public question for it.
    everywhere = (
        of_all_modules._global_forward_pre_hooks,  # noqa: SLF001
        of_all_modules._global_forward_hooks,  # noqa: SLF001
        of_all_modules._global_backward_pre_hooks,  # noqa: SLF001
        of_all_modules._global_backward_hooks,  # noqa: SLF001
    )
    of_modules = (
        hooks
        for module in model.modules()
        for hooks in (
            module._forward_pre_hooks,  # noqa: SLF001
            module._forward_hooks,  # noqa: SLF001
            module._backward_pre_hooks,  # noqa: SLF001
            module._backward_hooks,  # noqa: SLF001
        )
    )
    of_weights = (
        hooks
        for weight in model.parameters()
        for hooks in (weight._backward_hooks, weight._post_accumulate_grad_hooks)  # noqa: SLF001
    )
    return any(chain(everywhere, of_modules, of_weights))
