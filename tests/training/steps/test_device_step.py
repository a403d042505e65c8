"""The step that reads nothing back: the bits of `train_step`, and a guard on the device.

No test here runs on a GPU. The step runs on the CPU; a capture is played by `FakeCapture`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rnn_magics.batching import BATCHERS, BatchConfig, Batcher, Batches
from rnn_magics.models.cells import CELLS, GRUCell
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.training import loop
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Event, StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps import cuda, device_step
from rnn_magics.training.steps.device_step import Capture, DeviceStep, heeds_found_inf
from rnn_magics.training.steps.step import EagerStep
from rnn_magics.training.steps.update import TorchUpdate

SMALL = ModelConfig(num_hiddens=8)
MODELS = {
    "rnn": ModelConfig("rnn", num_hiddens=8),
    "gru": SMALL,
    "lstm": ModelConfig("lstm", num_hiddens=8),
    "scratch": ModelConfig("gru", num_hiddens=8, scratch=True),
    "deep": ModelConfig("lstm", num_hiddens=8, num_layers=2, dropout=0.3),
    "both": ModelConfig("gru", num_hiddens=8, num_layers=2, dropout=0.3, bidirectional=True),
    "tied": ModelConfig("gru", num_hiddens=8, tie=True, dropout=0.3),
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda model, **given: torch.optim.SGD(model.parameters(), **given),
    "adam": lambda model, **given: torch.optim.Adam(model.parameters(), **given),
    "adamw": lambda model, **given: torch.optim.AdamW(model.parameters(), **given),
}


class FakeCapture:
    """Plays `capture_graph`: runs the step, and replays it by calling it again."""

    def __init__(self, error: RuntimeError | None = None) -> None:
        self.error = error
        self.captured = self.replayed = 0

    def __call__(self, step: Callable[[], None], state: TrainState) -> Callable[[], None]:
        state.model.train()
        for _ in range(4):
            step()
        if self.error is not None:
            raise self.error
        self.captured += 1

        def replay() -> None:
            self.replayed += 1
            step()

        return replay


def tensors(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else list(value)


def bits(values: Any) -> bytes:
    return b"".join(
        value.detach().contiguous().numpy().tobytes()
        for value in (tensors(values) if not isinstance(values, nn.Module) else values.parameters())
    )


def moments(state: TrainState) -> bytes:
    kept = [state.optimizer.state[p] for p in state.model.parameters()]
    return bits([value for entry in kept for _, value in sorted(entry.items())])


def everything(state: TrainState) -> tuple[bytes, ...]:
    assert state.current is not None
    return (
        bits(state.model),
        moments(state),
        bits(state.current.hidden),
        bits(state.dropout_generator.get_state()),
        bits(state.generator.get_state()),
    )


def values_of(event: Event) -> Any:
    if isinstance(event, StepEnd):
        values = event.loss.item(), event.epoch_loss.item(), event.grad_norm.item()
        return event.epoch, event.step, event.num_steps, *values, event.lr, event.tokens
    if isinstance(event, EpochEnd):
        return (
            *(event.epoch, event.complete, event.train_nats, event.valid_nats),
            *(event.grad_norm, event.grad_norm_max, event.clipped),
        )
    return event


class Trial:
    """A run whose steps a `DeviceStep` takes, or an `EagerStep` to compare it with."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        batches: Batches,
        config: TrainConfig,
        model: ModelConfig = SMALL,
        *,
        capture: Capture | None = None,
        eager: bool = False,
    ) -> None:
        self._patch = monkeypatch
        self._capture = capture
        self.run: Run
        self.state: TrainState
        self.run, self.state = begin(batches, model, config)
        self.state.optimizer = OPTIMIZERS[config.optimizer](
            self.state.model, lr=config.peak_lr, fused=True
        )
        self.eager = eager

    def choose(self, state: TrainState, config: TrainConfig) -> EagerStep | DeviceStep:
        if self.eager:
            return EagerStep(state, TorchUpdate(state.optimizer))
        self.step = DeviceStep(state, config, self._capture)
        return self.step

    def events(
        self,
        should_stop: Callable[[], str | None] | None = None,
        seen: Callable[[Event], None] = lambda _: None,
    ) -> list[Event]:
        told = []
        with self._patch.context() as patch:
            patch.setattr(loop, "choose_step", self.choose)
            for event in iter_train(self.run, self.state, should_stop):
                told.append(event)
                seen(event)
        return told


def assert_equal_to_eager(
    monkeypatch: pytest.MonkeyPatch,
    batches: Batches,
    config: TrainConfig,
    model: ModelConfig,
    capture: Capture | None = None,
) -> None:
    eager = Trial(monkeypatch, batches, config, model, eager=True)
    device = Trial(monkeypatch, batches, config, model, capture=capture)
    expected = [values_of(event) for event in eager.events()]
    assert [values_of(event) for event in device.events()] == expected
    assert len(expected) > 10
    assert device.run.reason == eager.run.reason == "epochs"
    assert bits(device.state.model) == bits(eager.state.model)
    assert moments(device.state) == moments(eager.state)


def parted(batches: Batches, kind: str) -> Batches:
    return Batches(batches.ids, BatchConfig(kind, 4, 8), valid=batches.valid)


@pytest.mark.parametrize("kind", ["seq", "random"])
@pytest.mark.parametrize("model", MODELS)
def test_two_epochs_have_the_bits_of_the_plain_step(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, model: str, kind: str
) -> None:
    config = TrainConfig(epochs=2, lr=0.02)
    assert_equal_to_eager(monkeypatch, parted(batches, kind), config, MODELS[model])


@pytest.mark.parametrize("clip", [None, 0.05, 1.0])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_has_the_bits_of_the_plain_step(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, optimizer: str, clip: float | None
) -> None:
    config = TrainConfig(epochs=2, optimizer=optimizer, clip=clip)
    assert_equal_to_eager(monkeypatch, batches, config, SMALL)


@pytest.mark.parametrize("kind", ["seq", "random"])
def test_a_replayed_step_has_the_bits_of_the_plain_step(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, kind: str
) -> None:
    capture = FakeCapture()
    config = TrainConfig(epochs=3)
    assert_equal_to_eager(monkeypatch, parted(batches, kind), config, MODELS["deep"], capture)
    assert capture.captured == 1
    assert capture.replayed > 20


@pytest.mark.parametrize("length", [41, 73, 74])
def test_epochs_of_different_lengths_share_a_capture(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, length: int
) -> None:
    short = Batches(batches.ids[:length], BatchConfig("seq", 2, 4))
    generator = torch.Generator().manual_seed(0)
    assert len({len(short.plan(generator)) for _ in range(100)}) > 1
    capture = FakeCapture()
    config = TrainConfig(epochs=8)
    assert_equal_to_eager(monkeypatch, short, config, SMALL, capture)
    assert capture.captured == 1


def test_a_plan_longer_than_all_before_is_captured_again(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    calls = itertools.count()

    def overlapping(num_tokens: int, size: int, steps: int, _: torch.Generator) -> Tensor:
        number = 5 + 40 * (next(calls) % 3)
        return torch.arange(number * size).view(number, size) % (num_tokens - steps)

    monkeypatch.setitem(BATCHERS, "mine", Batcher(overlapping, carries_state=False, help=""))
    mine = Batches(batches.ids, BatchConfig("mine", 4, 8))
    capture = FakeCapture()
    config = TrainConfig(epochs=3)
    eager = Trial(monkeypatch, mine, config, eager=True)
    eager.events()
    device = Trial(monkeypatch, mine, config, capture=capture)
    device.events()
    assert capture.captured > 1
    assert bits(device.state.model) == bits(eager.state.model)


@pytest.mark.parametrize("error", [None, RuntimeError("operation not permitted\nwhen capturing")])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_capture_is_no_training(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, optimizer: str, error: RuntimeError | None
) -> None:
    config = TrainConfig(epochs=2, optimizer=optimizer)
    trial = Trial(monkeypatch, batches, config, MODELS["deep"])
    stopped = trial.events(lambda: "stopped")  # after a step, so that there are moments to lose
    assert [type(event) for event in stopped] == [TrainBegin, StepEnd, EpochEnd, TrainEnd]
    epoch = trial.state.begin_epoch()  # the one under way
    before, norms = everything(trial.state), epoch.norms[:1].tolist()
    step = DeviceStep(trial.state, config, FakeCapture(error))
    assert step.begin_epoch() is epoch
    assert everything(trial.state) == before
    assert epoch.unsettled is not None
    counted = epoch.unsettled.taken.item(), epoch.unsettled.bad.item()
    assert (*counted, epoch.norms[:1].tolist()) == (1, 0, norms)
    assert step.words == (
        "eager; no cuda graph: operation not permitted" if error else "cuda graph"
    )


def test_a_step_that_cannot_be_captured_trains_all_the_same(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    capture = FakeCapture(RuntimeError("no"))
    config = TrainConfig(epochs=2)
    assert_equal_to_eager(monkeypatch, batches, config, MODELS["deep"], capture)
    trial = Trial(monkeypatch, batches, config, capture=FakeCapture(RuntimeError("no")))
    trial.events()
    assert trial.run.step == "eager; no cuda graph: no"


def test_a_run_records_how_its_steps_were_taken(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    trial = Trial(monkeypatch, batches, TrainConfig(epochs=1), capture=FakeCapture())
    steps: list[str] = []
    trial.events(seen=lambda _: steps.append(trial.run.step))
    assert set(steps) == {"cuda graph"}
    run, _ = begin(batches, SMALL)
    assert run.step == "eager"


@pytest.mark.parametrize("then", ["device", "eager"])
@pytest.mark.parametrize("kind", ["seq", "random"])
@pytest.mark.parametrize("number", [1, 3, 12])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, number: int, kind: str, then: str
) -> None:
    batches = parted(batches, kind)
    config = TrainConfig(epochs=2)
    whole = Trial(monkeypatch, batches, config, MODELS["deep"], eager=True)
    expected = [values_of(event) for event in whole.events() if isinstance(event, EpochEnd)][-1]
    trial = Trial(monkeypatch, batches, config, MODELS["deep"], capture=FakeCapture())
    trial.events(lambda: "stopped" if trial.state.total_steps >= number else None)
    assert trial.state.total_steps == number
    trial.eager = then == "eager"
    again = [values_of(event) for event in trial.events() if isinstance(event, EpochEnd)]
    assert trial.run.reason == "epochs"
    assert bits(trial.state.model) == bits(whole.state.model)
    assert again[-1] == expected


def test_a_capture_after_the_last_step_of_an_epoch_stays_within_it(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    exact = Batches(batches.ids[: 4 * 8 * 5 + 1], BatchConfig("seq", 4, 8))  # no room to spare
    config = TrainConfig(epochs=2)
    whole = Trial(monkeypatch, exact, config, eager=True)
    whole.events()
    trial = Trial(monkeypatch, exact, config, capture=FakeCapture())
    monkeypatch.setattr(loop, "choose_step", trial.choose)
    for event in iter_train(trial.run, trial.state):
        if isinstance(event, StepEnd) and event.step == event.num_steps == 5:
            break  # whoever drove the loop let go of it here
    trial.events()
    assert bits(trial.state.model) == bits(whole.state.model)


def test_values_handed_out_do_not_change_later(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    kept = []
    trial = Trial(monkeypatch, batches, TrainConfig(epochs=2), capture=FakeCapture())
    for event in trial.events(seen=lambda event: kept.append(values_of(event))):
        assert values_of(event) == kept.pop(0)


@pytest.fixture
def never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceStep, "_look", lambda _: True)


@pytest.mark.usefixtures("never_looks")
@pytest.mark.parametrize("capture", [None, FakeCapture()])
@pytest.mark.parametrize("bad", [math.inf, math.nan])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_after_a_bad_step_nothing_changes_until_the_host_looks(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, optimizer: str, bad: float, capture: Any
) -> None:
    config = TrainConfig(epochs=2, optimizer=optimizer, lr=0.1)
    trial = Trial(monkeypatch, batches, config, capture=capture)
    after: list[tuple[bytes, ...]] = []

    def spoil(gradient: Tensor) -> Tensor:
        return gradient * bad if len(after) == 3 else gradient

    trial.state.model.rnn.cells[0].weight_hh.register_hook(spoil)
    norms: list[float] = []

    def seen(event: Event) -> None:
        if isinstance(event, StepEnd):
            after.append(everything(trial.state)[:3])
            norms.append(event.grad_norm.item())

    events = trial.events(seen=seen)
    assert len(after) > 5  # the host ran on
    assert all(later == after[2] for later in after[3:])  # in vain, though later steps were good
    assert trial.run.reason == "non_finite"
    assert trial.run.message.startswith(
        "loss, gradient or weights became non-finite in epoch 1, step 4"
        f" (the last finite gradient norms were {norms[0]:.3g}, {norms[1]:.3g}, {norms[2]:.3g});"
    )
    assert (trial.state.step, trial.state.total_steps, trial.state.total_tokens) == (3, 3, 96)
    assert [type(event) for event in events[-2:]] == [EpochEnd, TrainEnd]
    (end,) = (event for event in events if isinstance(event, EpochEnd))
    assert end.grad_norm_max == max(norms[:3])
    assert math.isfinite(end.train_nats)


def test_a_bad_step_ends_the_run_as_on_the_host(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    config = TrainConfig(optimizer="sgd", lr=3e38, clip=None, epochs=50, schedule="constant")
    runs = []
    for eager in (True, False):
        trial = Trial(monkeypatch, batches, config, eager=eager, capture=FakeCapture())
        trial.events()
        end = trial.state.epoch, trial.state.step, trial.state.total_tokens
        runs.append((trial.run.message, bits(trial.state.model), end, trial.run.history.grad_norm))
    assert runs[0] == runs[1]
    assert "non-finite" in runs[0][0]


def test_a_first_step_that_is_bad_has_no_epoch(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    trial = Trial(monkeypatch, batches, TrainConfig(epochs=2), capture=FakeCapture())
    with torch.no_grad():
        trial.state.model.output.bias[0] = math.inf
    before = bits(trial.state.model)
    trial.events()
    assert bits(trial.state.model) == before
    assert "in epoch 1, step 1 (at the first step)" in trial.run.message
    assert len(trial.run.history) == 0


@pytest.mark.usefixtures("never_looks")
def test_settling_between_steps_steps_back(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    trial = Trial(monkeypatch, batches, TrainConfig(epochs=1))
    trial.state.model.output.bias.register_hook(
        lambda gradient: gradient * (math.nan if trial.state.step >= 2 else 1)
    )
    places = []

    def seen(event: Event) -> None:
        if isinstance(event, StepEnd):
            handed_over = trial.state.total_steps
            places.append((handed_over, trial.state.settle(), trial.state.total_steps))

    trial.events(seen=seen)
    assert places == [(1, True, 1), (2, True, 2), (3, False, 2)]
    assert trial.run.reason == "non_finite"


class NoTime:
    """A clock of a host that hands steps over in no time."""

    def perf_counter(self) -> float:
        return 0.0


@pytest.mark.parametrize(("seconds", "most"), [(0.001, 100), (0.03, 3), (0.5, 1)])
def test_the_host_looks_about_ten_times_a_second(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, seconds: float, most: int
) -> None:
    trial = Trial(monkeypatch, batches, TrainConfig(epochs=30))
    trial.events(lambda: "stopped")
    step = DeviceStep(trial.state, trial.run.config.train)
    epoch = step.begin_epoch()
    monkeypatch.setattr(device_step, "time", NoTime())
    ahead, looks = 0, []

    def settle() -> bool:
        nonlocal ahead
        looks.append(ahead)
        trial.state.train_seconds += ahead * seconds  # what the device had still to do
        ahead = 0
        return True

    monkeypatch.setattr(trial.state, "settle", settle)
    for _ in range(800):
        step.taken.zero_()
        ahead += 1
        step.take(epoch, trial.run.config.train)
    assert max(looks) == looks[-1] == most
    assert looks[:2] == [1, min(2, most)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", ["seq", "random"])
def test_a_step_reads_nothing_back(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, kind: str, cell: str
) -> None:
    model = ModelConfig(cell, num_hiddens=8, num_layers=2, dropout=0.3, scratch=True)
    trial = Trial(monkeypatch, parted(batches, kind), TrainConfig(epochs=2), model)
    trial.events(lambda: "stopped")

    class NothingIsRead(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
            assert "local_scalar_dense" not in str(func)  # item, bool, int, float
            assert "nonzero" not in str(func)
            return func(*args, **(kwargs or {}))

    with NothingIsRead():
        trial.step.run_once()
        with pytest.raises(AssertionError):
            trial.step.taken.item()


def test_an_optimizer_that_cannot_be_held_back_is_stepped_by_the_host() -> None:
    parameters = [nn.Parameter(torch.ones(2))]
    assert heeds_found_inf(torch.optim.AdamW(parameters, fused=True))
    assert not heeds_found_inf(torch.optim.AdamW(parameters))
    assert not heeds_found_inf(torch.optim.Adagrad(parameters))


@pytest.mark.parametrize(
    ("device", "optimizer", "words"),
    [
        ("cpu", {"fused": True}, "eager"),
        ("mps", {"fused": True}, "eager"),
        ("cuda", {}, "eager"),
        ("cuda", {"fused": True}, "?"),
    ],
)
def test_the_rule_that_chooses_the_step(
    monkeypatch: pytest.MonkeyPatch, device: str, optimizer: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(cuda, "DeviceStep", lambda *_: SimpleNamespace(words="?"))
    adamw = torch.optim.AdamW([nn.Parameter(torch.ones(2))], **optimizer)
    ids = SimpleNamespace(device=torch.device(device))
    state: Any = SimpleNamespace(
        model=RNNModel(ModelConfig(num_hiddens=2), 3),
        optimizer=adamw,
        batches=SimpleNamespace(ids=ids),
    )
    assert cuda.choose_step(state, TrainConfig()).words == words


class FakeCuda:
    """What `capture_graph` asks of `torch.cuda`, played on the CPU; its graph calls the step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.step: Callable[[], None] = lambda: None
        self.generators: list[torch.Generator] = []
        fakes = {
            "device": lambda _: nullcontext(),
            "current_stream": lambda _: SimpleNamespace(wait_stream=lambda _: None),
            "Stream": lambda _: SimpleNamespace(wait_stream=lambda _: None),
            "stream": lambda _: nullcontext(),
            "CUDAGraph": lambda: self,
            "graph": self.graph,
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(torch.cuda, name, fake)

    def graph(self, graph: FakeCuda, **options: Any) -> AbstractContextManager[None]:
        assert graph is self
        assert options["capture_error_mode"] == "thread_local"
        self.calls.append("capture")
        return nullcontext()

    def register_generator_state(self, generator: torch.Generator) -> None:
        self.calls.append("register")
        self.generators.append(generator)

    def replay(self) -> None:
        self.step()


@pytest.mark.parametrize("model", ["gru", "deep"])
def test_capturing_warms_up_aside_and_then_captures_once(
    monkeypatch: pytest.MonkeyPatch, batches: Batches, model: str
) -> None:
    fake = FakeCuda(monkeypatch)
    config = TrainConfig(epochs=2)
    eager = Trial(monkeypatch, batches, config, MODELS[model], eager=True)
    eager.events()

    def capture(step: Callable[[], None], state: TrainState) -> Callable[[], None]:
        fake.step = step

        def watched() -> None:
            group = state.optimizer.param_groups[0]
            fake.calls.append("captured" if group["capturable"] else "warm-up")
            step()

        return cuda.capture_graph(watched, state)

    trial = Trial(monkeypatch, batches, config, MODELS[model], capture=capture)
    trial.events()
    drawn = ["register"] if model == "deep" else []
    assert fake.calls == ["warm-up"] * 3 + drawn + ["capture", "captured"]
    assert fake.generators == [trial.state.dropout_generator] * len(drawn)
    assert trial.state.optimizer.param_groups[0]["capturable"] is False
    assert trial.run.step == "cuda graph"
    assert bits(trial.state.model) == bits(eager.state.model)


def test_a_cell_that_reads_its_state_falls_back_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, batches: Batches
) -> None:
    class Nosy(GRUCell):
        def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            if capturing:
                msg = "CUDA error: operation not permitted when stream is capturing"
                raise RuntimeError(msg)
            return super().forward(x, state)

    capturing = False
    monkeypatch.setitem(CELLS, "nosy", Nosy)

    def capture(step: Callable[[], None], _: TrainState) -> Callable[[], None]:
        nonlocal capturing
        step()
        capturing = True
        try:
            step()
        finally:
            capturing = False
        return step

    model = ModelConfig("nosy", num_hiddens=8)
    assert_equal_to_eager(monkeypatch, batches, TrainConfig(epochs=2), model, capture)


@pytest.mark.parametrize("changes", [{"lr": 0.5}, {"clip": 0.01}, {"clip": None, "lr": 0.001}])
@pytest.mark.parametrize("capture", [None, FakeCapture()])
def test_a_steered_training_has_the_bits_of_the_plain_step(
    monkeypatch: pytest.MonkeyPatch,
    batches: Batches,
    changes: dict[str, float | None],
    capture: FakeCapture | None,
) -> None:
    config = TrainConfig(epochs=2)
    captured = capture.captured if capture else 0
    eager = Trial(monkeypatch, batches, config, MODELS["deep"], eager=True)
    device = Trial(monkeypatch, batches, config, MODELS["deep"], capture=capture)
    told = []
    for trial in (eager, device):

        def steer(event: Event, trial: Trial = trial) -> None:
            if isinstance(event, StepEnd) and (event.epoch, event.step) == (1, 3):
                trial.run.steer(replace(config, **changes), trial.state.total_steps)  # type: ignore[arg-type]

        told.append([values_of(event) for event in trial.events(seen=steer)])
    assert told[0] == told[1]
    assert bits(device.state.model) == bits(eager.state.model)
    if capture is not None:  # the rate needs no new capture, the clip does
        assert capture.captured - captured == (2 if "clip" in changes else 1)
    curves = [trial.run.curve.to_dict() for trial in (eager, device)]
    assert [curve.pop("epochs") for curve in curves]
    assert curves[0] == curves[1]
