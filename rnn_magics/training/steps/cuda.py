"""A training step as a CUDA graph: captured once, then replayed as a whole.

At the sizes of a book a step is some hundred small operations, and launching them from Python
takes longer than running them. A graph is launched at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine.precision import tf32_products
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.device_step import DeviceStep, heeds_found_inf
from rnn_magics.training.steps.step import EagerStep, Step

_WARM_UP_STEPS = 3  # cuDNN and cuBLAS choose their algorithms, the optimizer makes its moments


def choose_step(state: TrainState, config: TrainConfig) -> Step:
    """Return what takes the steps of a run, by a rule that times nothing.

    A CUDA graph on CUDA, where all minibatches of a plan have one shape; the same step without
    a graph where it cannot be captured; the step that looks at each loss elsewhere, and where
    an optimizer of the user's own cannot be held back on the device.
    """
    if state.batches.ids.device.type != "cuda" or not heeds_found_inf(state.optimizer):
        return EagerStep(state)
    return DeviceStep(state, config, capture_graph)


def capture_graph(step: Callable[[], None], state: TrainState) -> Callable[[], None]:
    """Capture a step, after a few on a stream of their own, and return what replays it.

    Parameters
    ----------
    step
        Launches one step on the current stream, always on the same tensors.
    state
        Of the training; its dropout generator advances with each replay.

    Raises
    ------
    RuntimeError
        When the step does what no graph can hold, e.g. reads a value back. The step is then
        free to run without a graph.
    """
    device = state.batches.ids.device
    state.model.train()
    with torch.cuda.device(device), tf32_products(device):
        main = torch.cuda.current_stream(device)
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(main)
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP_STEPS):
                step()
        main.wait_stream(aside)
        state.optimizer.zero_grad(set_to_none=True)  # the graph's gradients lie in its own memory
        graph = torch.cuda.CUDAGraph()
        if state.model.config.dropout:
            graph.register_generator_state(state.dropout_generator)
        # The capturing stream would stay the current one if the capture broke off. Other threads
        # may use the device meanwhile: the cell that shows the run, or another run.
        with (
            torch.cuda.stream(main),
            _Capturable(state.optimizer),
            torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"),
        ):
            step()
    return graph.replay


class _Capturable:
    """Tell an optimizer that it is being captured; outside of a capture it would warn."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._groups = [g for g in optimizer.param_groups if "capturable" in g]
        self._were = [group["capturable"] for group in self._groups]

    def __enter__(self) -> None:
        for group in self._groups:
            group["capturable"] = True

    def __exit__(self, *_: object) -> None:
        for group, was in zip(self._groups, self._were, strict=True):
            group["capturable"] = was
