"""The loss of a minibatch and its gradients, by the shortest way that knows all of the model."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.modules import module as of_all_modules

from rnn_magics.models.cells import State
from rnn_magics.models.forked import check_fork
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.training.machine.precision import forward_loss

if TYPE_CHECKING:
    from rnn_magics.models.fast.learning.gradients import WrittenOut

# ruff: noqa: SLF001


class Gradients:
    """Computes the loss of minibatches and its gradients.

    Parameters
    ----------
    model
        The model, which is made of the same modules and parameters all the time.
    """

    def __init__(self, model: RNNModel) -> None:
        self._model = model
        self._modules, self._parameters = list(model.modules()), list(model.parameters())

    def add(
        self, X: Tensor, Y: Tensor, state: State, precision: str, weight: float = 1.0
    ) -> tuple[Tensor, State]:
        """Compute the loss of a minibatch, and add its gradients to those of the parameters.

        Parameters
        ----------
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
        check_fork()
        if weight == 1 and precision == "float32" and not self.need_autograd():
            return self._written_out.add(X, Y, state)
        loss, last = forward_loss(self._model, X, Y, state, precision)
        loss = loss if weight == 1 else loss * weight
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), tuple(part.detach() for part in last)

    @cached_property
    def _written_out(self) -> WrittenOut:
        from rnn_magics.models.fast.learning import gradients  # noqa: PLC0415  (needs numba)

        return gradients.WrittenOut(self._model)

    def need_autograd(self) -> bool:
        """Whether only torch's autograd knows all that happens in the model.

        So it is unless the compiled engine runs it forwards from a state that is given, and
        wherever somebody listens: hooks are called by autograd, and by the modules. A forward pass
        that somebody has put in place of that of the class is called, too.
        """
        model = self._model
        if type(model) is not RNNModel or model.engine != "compiled":
            return True
        if model.rnn.num_directions > 1 or model.rnn.initial is not None:
            return True
        return torch.is_anomaly_enabled() or self._are_heard()

    def _are_heard(self) -> bool:
        # Torch has no public question for hooks.
        everywhere = (
            of_all_modules._global_forward_pre_hooks
            or of_all_modules._global_forward_hooks
            or of_all_modules._global_backward_pre_hooks
            or of_all_modules._global_backward_hooks
        )
        if everywhere:
            return True
        for module in self._modules:
            if module._forward_pre_hooks or module._forward_hooks:
                return True
            if module._backward_pre_hooks or module._backward_hooks:
                return True
            if "forward" in module.__dict__:
                return True
        return any(p._backward_hooks or p._post_accumulate_grad_hooks for p in self._parameters)
