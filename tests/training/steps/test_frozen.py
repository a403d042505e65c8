"""Layers that are frozen keep their bits, whatever trains the others."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.handout.script import write_script
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import OPTIMIZERS, TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run
from rnn_magics.training.steps import step
from rnn_magics.training.steps.clipping import gradient_norm
from rnn_magics.training.steps.device_step import DeviceStep
from rnn_magics.training.steps.frozen import frozen_in, layers_of, learning_in, still
from rnn_magics.training.steps.update import TorchUpdate

WINDOWS = BatchConfig("seq", batch_size=2, num_steps=6)
MODELS = {
    "rnn": ModelConfig("rnn", num_hiddens=8, num_layers=2),
    "gru": ModelConfig("gru", num_hiddens=8, num_layers=2, embedding_size=4),
    "lstm": ModelConfig("lstm", num_hiddens=8, num_layers=2, dropout=0.2),
    "scratch": ModelConfig("gru", num_hiddens=8, num_layers=2, scratch=True),
    "both": ModelConfig("gru", num_hiddens=8, num_layers=2, bidirectional=True),
}
DECAY = {"weight_decay": 0.5, "threads": 1, "lr": 0.05}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    text = "to be or not to be, that is the question. " * 4
    return Corpus.from_text(text, CorpusConfig(valid=0.1), name="hamlet")


@pytest.fixture(scope="module")
def batches(corpus: Corpus) -> Batches:
    return make_batches(corpus, Vocab.from_corpus(corpus), WINDOWS)


def drawn(model: ModelConfig, batches: Batches) -> RNNModel:
    """Return the initial model of a training with seed 0."""
    return begin(batches, model, TrainConfig(threads=1))[1].model


def changed(run: Run, batches: Batches) -> set[str]:
    """Return which weights have moved since the beginning."""
    before = dict(drawn(run.config.model, batches).named_parameters())
    named = run.model.named_parameters()
    return {name for name, value in named if not torch.equal(value, before[name])}


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("model", list(MODELS))
def test_frozen_weights_keep_their_bits_under_weight_decay(
    model: str, optimizer: str, batches: Batches
) -> None:
    config = TrainConfig(epochs=1, optimizer=optimizer, freeze=("1",), **DECAY)  # type: ignore[arg-type]
    run = train(batches, MODELS[model], config)
    sides = 2 if run.config.model.bidirectional else 1
    lowest = tuple(f"rnn.cells.{side}." for side in range(sides))
    everything = {name for name, _ in run.model.named_parameters()}
    assert changed(run, batches) == {n for n in everything if not n.startswith(lowest)}
    assert all(parameter.requires_grad for parameter in run.model.parameters())


@pytest.mark.parametrize(
    ("names", "still_there"),
    [
        (("embedding",), {"embedding.weight"}),
        (("output",), {"output.weight", "output.bias"}),
        (("2", "embedding", "2"), {"embedding.weight", "rnn.cells.1"}),
    ],
)
def test_which_weights_are_of_a_layer(
    names: tuple[str, ...], still_there: set[str], batches: Batches
) -> None:
    run = train(batches, MODELS["gru"], TrainConfig(epochs=1, freeze=names, **DECAY))  # type: ignore[arg-type]
    everything = {name for name, _ in run.model.named_parameters()}
    frozen = {n for n in everything if n in still_there or n.rpartition(".")[0] in still_there}
    assert frozen
    assert changed(run, batches) == everything - frozen


def test_what_is_tied_is_frozen_by_either_name(batches: Batches) -> None:
    tied = ModelConfig("gru", num_hiddens=8, tie=True)
    for name, left in (("embedding", {"output.bias"}), ("output", set())):
        run = train(batches, tied, TrainConfig(epochs=1, freeze=(name,), **DECAY))  # type: ignore[arg-type]
        moved = changed(run, batches)
        assert "embedding.weight" not in moved
        assert moved & {"output.weight", "output.bias"} == left


def test_the_norm_counts_only_what_learns(batches: Batches) -> None:
    model = MODELS["gru"]
    config = TrainConfig(epochs=1, freeze=("1", "embedding"), clip=1e-3, **DECAY)  # type: ignore[arg-type]
    run, state = begin(batches, model, config)
    whole, all_of_it = begin(batches, model, TrainConfig(epochs=1, clip=None, **DECAY))  # type: ignore[arg-type]
    first = next(event for event in iter_train(run, state) if isinstance(event, StepEnd))
    with_all = next(event for event in iter_train(whole, all_of_it) if isinstance(event, StepEnd))
    learning = learning_in(all_of_it.model, config.freeze)
    assert float(first.grad_norm) == pytest.approx(float(gradient_norm(learning)), rel=1e-5)
    assert float(first.grad_norm) < float(with_all.grad_norm)
    clipped = gradient_norm(state.learning)
    assert float(clipped) == pytest.approx(1e-3, rel=1e-3)


def test_the_step_on_a_device_gives_the_same_bits(batches: Batches) -> None:
    config = TrainConfig(epochs=1, freeze=("1",), **DECAY)  # type: ignore[arg-type]
    run, state = begin(batches, MODELS["gru"], config)
    other, on_device = begin(batches, MODELS["gru"], config)
    eager = step.EagerStep(state, TorchUpdate(state.optimizer))
    device = DeviceStep(on_device, config)
    with still(state.model, config.freeze), still(on_device.model, config.freeze):
        one, two = eager.begin_epoch(), device.begin_epoch()
        for _ in range(3):
            assert eager.take(one, config) is not None
            assert device.take(two, config) is not None
    assert run.name == other.name
    for a, b in zip(state.model.parameters(), on_device.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_resumed_one_equals_the_unbroken_one(
    corpus: Corpus, batches: Batches, tmp_path: Path
) -> None:
    config = TrainConfig(epochs=2, freeze=("1",), **DECAY)  # type: ignore[arg-type]
    whole = train(batches, MODELS["lstm"], config)

    def stop(event: object) -> None:
        if isinstance(event, StepEnd) and event.step == 3:
            raise KeyboardInterrupt

    watch = Checkpointing(str(tmp_path / "kept"), every="1steps")
    with pytest.raises(KeyboardInterrupt):
        train(batches, MODELS["lstm"], config, watch=watch, listeners=[stop])
    resumed = resume_run(tmp_path / "kept", corpus)
    assert resumed.config.train.freeze == ("1",)
    for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_run_and_file_say_so(corpus: Corpus, batches: Batches, tmp_path: Path) -> None:
    config = TrainConfig(epochs=1, freeze=("embedding", "1"), threads=1)
    run = train(batches, MODELS["gru"], config)
    assert run.architecture.endswith("frozen: embedding + 1")
    assert load_run(save_run(run, tmp_path / "a.safetensors")).config == run.config
    with pytest.raises(TrainingError, match="some of its layers were frozen"):
        write_script(run, corpus)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("3",), "--freeze 3: this model has no such layer; it has 1, 2, output"),
        (("embedding",), "--freeze embedding: this model has no such layer; it has 1, 2, output"),
        (("1", "2", "output"), "--freeze leaves nothing that learns; leave a layer out of it"),
    ],
)
def test_what_cannot_be_frozen_is_refused(
    names: tuple[str, ...], reason: str, batches: Batches
) -> None:
    with pytest.raises(ConfigError) as refused:
        train(batches, MODELS["rnn"], TrainConfig(freeze=names))
    assert str(refused.value) == reason


def test_the_doctor_calls_a_frozen_layer_no_fault(batches: Batches) -> None:
    run = train(batches, MODELS["gru"], TrainConfig(epochs=1, freeze=("1",), threads=1))
    assert "gradients" not in diagnose(run.model, batches).problems

    class Frozen(RNNModel):  # of a class that the doctor cannot draw anew
        reset_parameters = None  # type: ignore[assignment]

    other = drawn(MODELS["gru"], batches)
    other.__class__ = Frozen
    with still(other, ("1",)):
        assert "gradients" not in diagnose(other, batches).problems


def test_each_layer_has_a_name(batches: Batches) -> None:
    model = drawn(MODELS["both"], batches)
    assert list(layers_of(model)) == ["1", "2", "output"]
    assert sum(map(len, layers_of(model).values())) == len(list(model.parameters()))
    assert frozen_in(model, ()) == []
