"""Memory: how much training needs at least, how much is free, and what to do if it runs out.

The estimate comes from the shapes alone, before anything is allocated. It is a lower bound, so that
only runs that cannot fit are refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from rnn_magics.batching import BatchConfig
from rnn_magics.errors import TrainingError, is_out_of_memory
from rnn_magics.language import marked, say
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import OPTIMIZERS, TrainConfig

_FLOAT_BYTES = 4
WHAT_TO_TRY = marked("fewer --num-hiddens or --num-layers, or %sample with a smaller --batch-size")


@dataclass(frozen=True)
class MemoryEstimate:
    """The memory that training needs at least, in bytes.

    Parameters
    ----------
    parameters
        The weights.
    training
        The gradients, the moments of the optimizer, and the weights of the last good step.
    activations
        What the forward pass of a minibatch stores for the backward pass, and the logits.
    """

    parameters: int
    training: int
    activations: int

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return self.parameters + self.training + self.activations

    def __str__(self) -> str:
        """Return the sum and its parts."""
        return say(
            "{total} (weights {weights}, gradients and optimizer {training}, activations"
            " {activations})",
            total=in_words(self.total),
            weights=in_words(self.parameters),
            training=in_words(self.training),
            activations=in_words(self.activations),
        )


def estimate_memory(
    model: ModelConfig, vocab_size: int, batches: BatchConfig, config: TrainConfig
) -> MemoryEstimate:
    """Return the memory that training such a model on such minibatches needs at least."""
    number = num_parameters(model, vocab_size)
    copies = 2 + OPTIMIZERS[config.optimizer].moments  # the gradient and the last good step
    cell, directions = CELLS[model.cell], 1 + model.bidirectional
    tokens = batches.batch_size * batches.num_steps
    width = (cell.num_gates + cell.num_states) * model.num_hiddens  # of a token in a layer
    kept = model.num_layers * directions * width + 2 * vocab_size  # log-probabilities, gradient
    return MemoryEstimate(
        number * _FLOAT_BYTES, copies * number * _FLOAT_BYTES, tokens * kept * _FLOAT_BYTES
    )


def num_parameters(model: ModelConfig, vocab_size: int) -> int:
    """Return the number of weights of a model, without building it."""
    cell = CELLS[model.cell]
    rows = cell.num_gates * model.num_hiddens
    directions = 1 + model.bidirectional
    outputs = directions * model.num_hiddens
    first = model.embedding_size or vocab_size
    biases_and_hidden = rows * (model.num_hiddens + 2 if cell.multiplies_state else 1)
    layers = directions * (
        rows * first
        + (model.num_layers - 1) * rows * outputs
        + model.num_layers * biases_and_hidden
    )
    embedding = vocab_size * (model.embedding_size or 0)
    output = vocab_size + (0 if model.tie else vocab_size * outputs)
    states = CELLS[model.cell].num_states if model.learn_state else 0
    return layers + embedding + output + states * model.num_layers * outputs


def require_memory(needed: MemoryEstimate, device: torch.device) -> None:
    """Refuse a run that cannot fit into memory.

    Raises
    ------
    TrainingError
        If the run needs more memory than the device has free.
    """
    there = available_memory(device)
    if there is not None and needed.total > there:
        raise TrainingError(
            say(
                "this run needs at least {needed}, but {device} has only {there} free; try"
                " {advice}",
                needed=needed,
                device=device,
                there=in_words(there),
                advice=say(WHAT_TO_TRY),
            )
        )


def available_memory(device: torch.device) -> int | None:
    """Return the free memory of a device in bytes; None if it is unknown."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    if device.type != "cpu":
        return None
    free = psutil.virtual_memory().available
    return min([free, *_left_to_container()])


_CGROUPS = (  # files with the limit and the usage: cgroup version 2, version 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def _left_to_container() -> Iterator[int]:
    # A container may have less than the machine. Its usage includes file pages that can be dropped.
    for limit, used in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            statistics = Path(limit).with_name("memory.stat").read_text(encoding="ascii")
            numbers = dict(line.split(maxsplit=1) for line in statistics.splitlines())
            droppable = int(numbers.get("inactive_file", 0))
            yield int(Path(limit).read_text()) - int(Path(used).read_text()) + droppable


@contextlib.contextmanager
def memory_explained() -> Iterator[None]:
    """Report a failed allocation as one line.

    Raises
    ------
    TrainingError
        In place of the error that Python, torch or the driver raised.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            say(
                "there is not enough memory for this model; try {advice}",
                advice=say(WHAT_TO_TRY),
            )
        ) from None


def in_words(number: int) -> str:
    """Return a number of bytes in words, e.g. ``1.5 GB``."""
    size, unit = float(number), say("bytes")
    for larger in ("kB", "MB", "GB", "TB", "PB", "EB"):
        if size < 1000:  # noqa: PLR2004
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"
