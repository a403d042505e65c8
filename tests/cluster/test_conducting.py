"""What can be known of workers on GPUs where there is none: what is asked of Ray, and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import ray
import torch

from rnn_magics.cluster import conducting, workers
from rnn_magics.cluster.connection import Connection
from rnn_magics.cluster.messages import Plan
from rnn_magics.cluster.workers import Workers
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.training.machine.device import DeviceChoice
from rnn_magics.training.steps.shared import Lockstep
from tests.training.steps.test_shared import Seat, Table, begun

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray itself


def asked_of_ray(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> dict[str, Any]:
    import ray.train.torch

    asked: dict[str, Any] = {}

    def trainer(_work: object, **how: Any) -> None:
        asked.update(how)

    monkeypatch.setattr(ray.train.torch, "TorchTrainer", trainer)
    conducting._trainer(plan, None, "/")
    return asked


def test_each_worker_is_given_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(2, 1, 3, "en", on_gpus=True, begun=[None])
    asked = asked_of_ray(monkeypatch, plan)
    scaling, torch_config = asked["scaling_config"], asked["torch_config"]
    assert scaling.use_gpu
    assert scaling.num_workers == (1, 2)
    assert scaling.resources_per_worker == {"CPU": 3, "GPU": 1}
    assert torch_config.backend == "cpu:gloo,cuda:nccl"
    for config in (torch_config, ray.cloudpickle.loads(ray.cloudpickle.dumps(torch_config))):
        assert not config.backend_cls().share_cuda_visible_devices  # so that it sees no other
        assert hasattr(config.backend_cls, "on_start")


def test_without_gpus_nothing_of_them_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_of_ray(monkeypatch, Plan(2, 2, 1, "en", begun=[None]))
    assert not asked["scaling_config"].use_gpu
    assert asked["scaling_config"].resources_per_worker == {"CPU": 1}
    assert asked["torch_config"].backend == "gloo"


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("mps", r"^--workers trains on CPUs or on CUDA GPUs, not on mps; add --device cpu"),
        ("cuda:1", r"^each worker has a GPU of its own, .*--device cuda instead of cuda:1"),
    ],
)
def test_other_devices_are_refused_before_ray_starts(
    device: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(workers, "connect", started)
    run, state = begun()
    run = replace(run, device=DeviceChoice(torch.device(device), ""))
    with pytest.raises(ConfigError, match=said):
        next(Workers(2).trains(run, state))


@pytest.mark.parametrize(("device", "expected"), [("cpu", False), ("cuda", True), ("cuda:0", True)])
def test_a_run_on_a_gpu_asks_for_gpus(device: str, *, expected: bool) -> None:
    run = replace(begun()[0], device=DeviceChoice(torch.device(device), ""))
    assert workers._is_on_gpu(run) == expected


class Machines:
    """A Ray that offers four CPUs and a GPU."""

    @staticmethod
    def cluster_resources() -> dict[str, float]:
        return {"CPU": 4.0, "GPU": 1.0}


def test_fewer_gpus_than_workers_are_refused() -> None:
    connection = Connection(Machines(), "", is_local=True)
    workers._require_room(connection, 2, on_gpus=False)
    workers._require_room(connection, 1, on_gpus=True)
    with pytest.raises(TrainingError, match=r"^2 workers need a GPU each, and there are 1: take"):
        workers._require_room(connection, 2, on_gpus=True)


def test_the_step_tells_how_long_it_takes() -> None:
    run, state = begun()
    lockstep = Lockstep(run, state, Seat(Table(1), 0), note="8 ms; one worker: 5 ms")
    words = lockstep.make_step(state, run.config.train).words
    assert words == "shared by 1 workers (8 ms; one worker: 5 ms)"
