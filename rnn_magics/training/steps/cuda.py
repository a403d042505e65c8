"""A training step as a CUDA graph: captured once, then replayed as a whole.

At textbook sizes, a step consists of some hundred small operations, and launching them from Python
takes longer than running them. A graph is launched in one go.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from rnn_magics.training.config import TrainConfig
from rnn_magics.training.machine.precision import tf32_products
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.device_step import DeviceStep, heeds_found_inf
from rnn_magics.training.steps.step import EagerStep, Step

_WARM_UP_STEPS = 3  # for cuDNN and cuBLAS to choose algorithms, and the moments to exist


def choose_step(state: TrainState, config: TrainConfig) -> Step:
    """Return the step for a run, by a fixed rule without timing.

    On CUDA, it is a CUDA graph, since all minibatches of a plan have the same shape; or the same
    step without a graph, if it cannot be captured. On other devices, and for an optimizer whose
    update cannot be skipped on the device, it is the step that checks every loss.
    """
    if state.batches.ids.device.type != "cuda" or not heeds_found_inf(state.optimizer):
        return EagerStep(state)
    return DeviceStep(state, config, capture_graph)


def capture_graph(step: Callable[[], None], state: TrainState) -> Callable[[], None]:
    """Capture a step after a few warm-up steps on a side stream, and return its replay.

    Parameters
    ----------
    step
        Launches one step on the current stream, always on the same tensors.
    state
        The state of the training; its dropout generator advances with each replay.

    Raises
    ------
    RuntimeError
        If the step does something that a graph cannot contain, such as reading a value back. The
        step can then still run without a graph.
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
        # The outer stream context restores the current stream if the capture fails. In the
        # meantime, other threads may use the device: the cell that shows the run, or another run.
        with (
            torch.cuda.stream(main),
            _Capturable(state.optimizer),
            torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"),
        ):
            step()
    return graph.replay


class _Capturable:
    """Marks an optimizer as capturable during a capture; at other times it would warn."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._groups = [g for g in optimizer.param_groups if "capturable" in g]
        self._were = [group["capturable"] for group in self._groups]

    def __enter__(self) -> None:
        for group in self._groups:
            group["capturable"] = True

    def __exit__(self, *_: object) -> None:
        for group, was in zip(self._groups, self._were, strict=True):
            group["capturable"] = was
