"""The peer in JAX: the cells as textbooks write them, over time by `jax.lax.scan`, one jitted step.

The step is that of the book: cross-entropy, its gradient, clipping by the global norm, SGD, and a
state that is carried from minibatch to minibatch. Input products are looked up, as ours are. Before
anything is measured, `check` compares it with our model step by step, from the same weights.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnn_magics import ModelConfig, RNNModel

Weights = dict[str, Any]
NUM_STATES = {"rnn": 1, "gru": 1, "lstm": 2}


def jax(threads: int) -> Any:
    """Return ``jax`` with so many threads, or None if it is not installed.

    XLA reads the number when it begins to compute, so the first call in a process decides.
    """
    os.environ.setdefault("PJRT_NPROC", str(threads))
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        return importlib.import_module("jax")
    except ImportError:
        return None


def weights_of(model: RNNModel) -> Weights:
    """Return the weights of a model of one layer as JAX keeps them, products from the left."""
    (cell,) = model.rnn.cells
    named = {
        "w_x": cell.weight_ih.t(),  # (vocab_size, columns)
        "b_x": cell.bias_ih,
        "w_h": cell.weight_hh.t(),  # (num_hiddens, columns)
        "b_h": cell.bias_hh,
        "w_o": model.output.weight.t(),  # (num_hiddens, vocab_size)
        "b_o": model.output.bias,
    }
    numpy = importlib.import_module("jax.numpy")
    return {name: numpy.array(value.detach().numpy()) for name, value in named.items()}


def make_step(cell: str, lr: float = 0.1, clip: float = 1.0) -> Callable[..., Any]:
    """Return the jitted step: ``step(weights, state, X, Y)`` gives weights, state and loss.

    `X` and `Y` are (num_steps, batch), the state is (batch, num_hiddens) for each of `NUM_STATES`.
    """
    jax = importlib.import_module("jax")
    jnp = jax.numpy

    def rnn(weights: Weights, state: Any, x: Any) -> Any:
        (h,) = state
        return (jnp.tanh(x + h @ weights["w_h"] + weights["b_h"]),)

    def gru(weights: Weights, state: Any, x: Any) -> Any:
        (h,) = state
        x_r, x_z, x_n = jnp.split(x, 3, axis=-1)
        h_r, h_z, h_n = jnp.split(h @ weights["w_h"] + weights["b_h"], 3, axis=-1)
        reset, update = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
        candidate = jnp.tanh(x_n + reset * h_n)
        return ((1 - update) * candidate + update * h,)

    def lstm(weights: Weights, state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x + h @ weights["w_h"] + weights["b_h"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    take = {"rnn": rnn, "gru": gru, "lstm": lstm}[cell]

    def loss_of(weights: Weights, state: Any, X: Any, Y: Any) -> Any:
        inputs = weights["w_x"][X] + weights["b_x"]  # (num_steps, batch, columns)

        def over_time(state: Any, x: Any) -> Any:
            state = take(weights, state, x)
            return state, state[0]

        state, outputs = jax.lax.scan(over_time, state, inputs)
        log_probs = jax.nn.log_softmax(outputs @ weights["w_o"] + weights["b_o"])
        return -jnp.take_along_axis(log_probs, Y[..., None], axis=-1).mean(), state

    def step(weights: Weights, state: Any, X: Any, Y: Any) -> Any:
        (loss, state), grads = jax.value_and_grad(loss_of, has_aux=True)(weights, state, X, Y)
        norm = jnp.sqrt(sum((grad**2).sum() for grad in grads.values()))
        scale = lr * jnp.minimum(1.0, clip / norm)
        return {name: weights[name] - scale * grads[name] for name in weights}, state, loss

    return jax.jit(step, donate_argnums=(0, 1))  # type: ignore[no-any-return]


def zeros(cell: str, batch_size: int, num_hiddens: int) -> tuple[Any, ...]:
    """Return the state before the first token."""
    jnp = importlib.import_module("jax.numpy")
    shape = (batch_size, num_hiddens)
    return tuple(jnp.zeros(shape, jnp.float32) for _ in range(NUM_STATES[cell]))


def losses(cell: str, model: RNNModel, minibatches: list[tuple[Tensor, Tensor]]) -> list[float]:
    """Return the loss of each of some steps, which begin with the weights of a model."""
    step, weights = make_step(cell), weights_of(model)
    state, found = zeros(cell, minibatches[0][0].shape[1], model.config.num_hiddens), []
    for X, Y in minibatches:
        weights, state, loss = step(weights, state, as_int(X), as_int(Y))
        found.append(float(loss))
    return found


def as_int(tokens: Tensor) -> Any:
    """Return tokens as JAX takes them by default, of 32 bits."""
    return tokens.numpy().astype(np.int32)


def check(cell: str) -> None:
    """End the script unless a few steps have the losses that our model has in torch's own loop."""
    generator = torch.Generator().manual_seed(0)
    model = RNNModel(ModelConfig(cell, 32), 11, generator)
    tokens = torch.randint(11, (6, 8, 5), generator=generator)  # six times (num_steps, batch)
    minibatches = [(X, X.roll(-1, 0)) for X in tokens]
    found = losses(cell, model, minibatches)
    optimizer, state, expected = torch.optim.SGD(model.parameters(), 0.1), None, []
    for X, Y in minibatches:
        logits, state = model(X.t(), state)
        state = state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), Y.t().flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        expected.append(loss.item())
    if not np.allclose(found, expected, rtol=1e-5):
        sys.exit(f"JAX's {cell} has other losses than ours: {found}, {expected}")


def epochs(
    cell: str, num_hiddens: int, vocab_size: int, minibatches: list[tuple[Tensor, Tensor]]
) -> Iterator[int]:
    """Yield the number of tokens learnt each time that all minibatches have been learnt from."""
    model = RNNModel(ModelConfig(cell, num_hiddens), vocab_size, torch.Generator().manual_seed(0))
    step, weights = make_step(cell), weights_of(model)
    given = [(as_int(X), as_int(Y)) for X, Y in minibatches]
    while True:
        state = zeros(cell, given[0][0].shape[1], num_hiddens)
        for X, Y in given:
            weights, state, loss = step(weights, state, X, Y)
        loss.block_until_ready()
        yield sum(X.size for X, _ in given)
