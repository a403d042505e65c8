"""The number types of the computation: float32, with tf32 products on CUDA, or bfloat16.

Parameters, gradients and moments are always float32. The precision applies to the forward pass and,
with it, to the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from rnn_magics.errors import DeviceError
from rnn_magics.language import say
from rnn_magics.models.cells import State
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.rnn_model import RNNModel, as_public, as_tuple

Forward = Callable[[RNNModel, Tensor, State], tuple[Tensor, State]]


def forward_float32(
    model: RNNModel, X: Tensor, hidden: State
) -> tuple[Tensor, State]:  # X: (batch_size, num_steps)
    """Compute with the parameters as they are."""
    logits, last = model(X, as_public(hidden))
    return logits, as_tuple(last)


def forward_bf16(model: RNNModel, X: Tensor, hidden: State) -> tuple[Tensor, State]:
    """Compute in bfloat16, and return logits and state as float32.

    `torch.autocast` does not work here: for cuDNN's recurrences it always casts to float16, which
    overflows without a loss scale. So each weight is cast here, and its gradient is float32.
    """
    weights = {name: p.to(torch.bfloat16) for name, p in model.named_parameters()}
    low = as_public(tuple(part.to(torch.bfloat16) for part in hidden))
    logits, last = functional_call(model, weights, (X, low))
    return logits.float(), tuple(part.float() for part in as_tuple(last))


PRECISIONS: dict[str, Forward] = {"float32": forward_float32, "bf16": forward_bf16}


def check_precision(precision: str, device: torch.device) -> None:
    """Check that a device supports a precision.

    Raises
    ------
    DeviceError
        If it does not.
    """
    if precision != "bf16":
        return
    if device.type != "cuda":
        raise DeviceError(
            say(
                "--precision bf16 needs a CUDA device, but this run is on {device}; leave it out",
                device=device,
            )
        )
    with torch.cuda.device(device):
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    if not supported:
        name = torch.cuda.get_device_name(device)
        raise DeviceError(
            say("--precision bf16: {name} does not support bfloat16; leave it out", name=name)
        )


def tf32_products(device: torch.device) -> AbstractContextManager[None]:
    """Compute float32 products on CUDA in tf32 within this context.

    A precision that the user has set (``torch.backends.cuda.matmul.fp32_precision``) is kept. The
    switch belongs to torch and to the whole process, so it is on only while a step is launched,
    never while the loop waits for its driver.
    """
    return _tf32_products() if device.type == "cuda" else nullcontext()


@contextmanager
def _tf32_products() -> Iterator[None]:
    switches: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn.rnn)
    unsaid = [switch for switch in switches if switch.fp32_precision == "none"]
    try:
        for switch in unsaid:
            switch.fp32_precision = "tf32"
        yield
    finally:
        for switch in unsaid:
            switch.fp32_precision = "none"


def forward_loss(
    model: RNNModel, X: Tensor, Y: Tensor, hidden: State, precision: str
) -> tuple[Tensor, State]:
    """Return the mean nats per token of a minibatch, a 0-d tensor, and the state after it."""
    logits, last = PRECISIONS[precision](model, X, hidden)  # (batch_size, num_steps, vocab_size)
    # Time first, as the model computed the logits, so that flattening does not copy them.
    loss = ENGINES[model.engine].loss
    return loss(logits.transpose(0, 1).flatten(0, 1), Y.t().flatten()), last
