"""Starts the workers of a run, and starts them anew when one is lost, until the run has ended."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnn_magics.cluster.connection import quiet
from rnn_magics.cluster.messages import Plan, last_line
from rnn_magics.cluster.rank import Beginning, work
from rnn_magics.language import say, speaking

_MOST_RESTARTS = 3
_MOST_STARTS = 5  # of a group that does not begin, as on a machine whose disk is full
_DAYS = 24 * 3600
_TIMEOUT = 30 * _DAYS  # a pause may be long; a worker that is gone is noticed at once


def conduct(plan: Plan, hub: Any) -> None:
    """Let the workers of a run train; return when they have ended, and tell the hub why.

    Parameters
    ----------
    plan
        How they are started.
    hub
        The actor.
    """
    import ray  # noqa: PLC0415  (an optional extra)

    why = ""
    try:
        with (
            quiet("ray.train", logging.CRITICAL),
            TemporaryDirectory(prefix="rnn-magics-", ignore_cleanup_errors=True) as folder,
        ):
            _trainer(plan, hub, folder).fit()
    except Exception as error:  # noqa: BLE001  (told where the run is followed)
        with speaking(plan.language):
            why = _in_words(error)
    # Where the one who followed has left Ray in the meantime, Ray would connect anew by itself.
    if ray.is_initialized():
        with suppress(ray.exceptions.RayActorError):  # a hub that was given up is gone
            ray.get(hub.end.remote(why))


def _in_words(error: Exception) -> str:
    from ray.train.v2.api.exceptions import ControllerError  # noqa: PLC0415

    why = last_line(error)
    if not isinstance(error, ControllerError):
        return why
    what = say("workers cannot be started: {why}", why=why)
    return say("{what}; is a disk or the memory of a machine full?", what=what)


def _trainer(plan: Plan, hub: Any, folder: str) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig  # noqa: PLC0415
    from ray.train.torch import TorchTrainer  # noqa: PLC0415

    failures: Any = FailureConfig  # of the second version of Ray Train, which no type checker knows
    number: Any = plan.number if plan.least == plan.number else (plan.least, plan.number)
    return TorchTrainer(
        _work,
        train_loop_config={"beginning": Beginning(plan.begun[0], hub, plan.threads, plan.language)},
        torch_config=_torch_config(on_gpus=plan.on_gpus),
        scaling_config=ScalingConfig(
            num_workers=number,
            use_gpu=plan.on_gpus,
            resources_per_worker={"CPU": plan.threads, **({"GPU": 1} if plan.on_gpus else {})},
        ),
        run_config=RunConfig(
            name="run",
            storage_path=str(Path(folder).resolve()),
            failure_config=failures(
                max_failures=_MOST_RESTARTS, controller_failure_limit=_MOST_STARTS
            ),
        ),
    )


def _torch_config(*, on_gpus: bool) -> Any:
    from ray.train.torch import TorchConfig  # noqa: PLC0415

    if not on_gpus:
        return TorchConfig(backend="gloo", timeout_s=_TIMEOUT)

    class Backend(TorchConfig().backend_cls):  # type: ignore[misc]
        # Each worker sees its own GPU alone, as cuda:0: the device of the run that it is sent.
        share_cuda_visible_devices = False

    class Config(TorchConfig):
        @property
        def backend_cls(self) -> type:
            return Backend

    # Gradients are summed between GPUs; what a clock or a user decides stays on the CPU.
    return Config(backend="cpu:gloo,cuda:nccl", timeout_s=_TIMEOUT)


def _work(config: dict[str, Any]) -> None:
    work(config["beginning"])
