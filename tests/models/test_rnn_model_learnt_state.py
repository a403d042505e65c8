"""A learnt initial state: begin_state returns it, and every engine has its gradient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import TrainingError
from rnn_magics.handout.script import write_script
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.inspection.interventions.walk import walk
from rnn_magics.inspection.views.corpus_states import read_corpus
from rnn_magics.inspection.views.unrolled import input_vectors, unroll
from rnn_magics.models import recurrent
from rnn_magics.models.cells import CELLS
from rnn_magics.models.engines import ENGINES
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, as_tuple, copy_model, read
from rnn_magics.scores.evaluation import evaluate, token_log_probs
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, train
from rnn_magics.training.machine.memory import num_parameters
from rnn_magics.training.run import Run
from rnn_magics.training.steps.device_step import DeviceStep
from rnn_magics.training.steps.step import EagerStep
from rnn_magics.training.steps.update import TorchUpdate

VOCAB, SIZE = 7, 5
IDS = torch.tensor([[3, 1, 4, 1, 5, 2], [2, 6, 5, 3, 0, 1]])
CONFIGS = {
    **{cell: ModelConfig(cell, SIZE, learn_state=True) for cell in CELLS},
    "deep": ModelConfig("lstm", SIZE, num_layers=2, embedding_size=3, learn_state=True),
    "both": ModelConfig("gru", SIZE, num_layers=2, bidirectional=True, learn_state=True),
}


def model_of(config: ModelConfig, vocab_size: int = VOCAB) -> RNNModel:
    generator = torch.Generator().manual_seed(1)
    model = RNNModel(config, vocab_size, generator).double()
    with torch.no_grad():
        for part in model.rnn.initial or ():
            part.uniform_(-1, 1, generator=generator)
    return model


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_new_model_is_that_without_one(config: ModelConfig) -> None:
    plain = RNNModel(replace(config, learn_state=False), VOCAB, torch.Generator().manual_seed(1))
    learns = RNNModel(config, VOCAB, torch.Generator().manual_seed(1))
    assert torch.equal(learns(IDS)[0], plain(IDS)[0])
    more = {name for name, _ in learns.named_parameters()} - {
        n for n, _ in plain.named_parameters()
    }
    states = 2 if config.cell == "lstm" else 1
    assert more == {f"rnn.initial.{part}" for part in range(states)}
    assert learns.num_parameters == num_parameters(config, VOCAB)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_begin_state_returns_it(config: ModelConfig) -> None:
    model = model_of(config)
    assert model.rnn.initial is not None
    state = as_tuple(model.begin_state(3))
    for part, learnt in zip(state, model.rnn.initial, strict=True):
        assert part.shape == (len(model.rnn.cells), 3, SIZE)
        assert torch.equal(part, learnt[:, None].expand(-1, 3, -1))
    with torch.no_grad():
        state[0].fill_(9.0)  # a copy
    assert float(model.rnn.initial[0].detach().max()) <= 1
    same, _ = model(IDS, model.begin_state(2))
    assert torch.equal(model(IDS)[0], same)
    assert torch.equal(copy_model(model)(IDS)[0], same)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_its_gradient_is_right(
    config: ModelConfig, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    model = model_of(config)
    initial = list(model.rnn.initial or ())

    def logits(*parts: Tensor) -> Tensor:
        named = {f"rnn.initial.{at}": part for at, part in enumerate(parts)}
        called = torch.func.functional_call(model, named, (IDS,))
        return called[0]  # type: ignore[no-any-return]

    given = tuple(part.detach().clone().requires_grad_() for part in initial)
    assert torch.autograd.gradcheck(logits, given)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cell", CELLS)
def test_its_gradient_is_right_where_documents_begin(
    cell: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    model = model_of(CONFIGS[cell])
    stack = model.rnn
    resets = torch.zeros(6, 2, dtype=torch.bool)
    resets[[0, 3, 4], [1, 0, 1]] = True
    state = tuple(part.detach() for part in as_tuple(model.begin_state(2)))

    def run(*parts: Tensor) -> Tensor:
        named = {f"initial.{at}": part for at, part in enumerate(parts)}
        called = torch.func.functional_call(stack, named, (IDS.t(), state, resets))
        return torch.cat([called[0].flatten(), *(part.flatten() for part in called[1])])

    given = tuple(part.detach().clone().requires_grad_() for part in stack.initial or ())
    assert torch.autograd.gradcheck(run, given)


NAMES = ["anna", "otto", "hannah", "bob", "eve", "ada"] * 12
DOCUMENTS = CorpusConfig(documents="line", valid=0.2)
PLAIN = CorpusConfig(valid=0.2)
ONCE = TrainConfig(epochs=2, threads=1, lr=0.05)


def text_of(cleaning: CorpusConfig) -> Corpus:
    return Corpus.from_text("\n".join(NAMES), cleaning, name="names")


def batches_of(cleaning: CorpusConfig, batching: str) -> Batches:
    corpus = text_of(cleaning)
    return make_batches(
        corpus, Vocab.from_corpus(corpus), BatchConfig(batching, batch_size=3, num_steps=12)
    )


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("cleaning", [PLAIN, DOCUMENTS], ids=["text", "documents"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_it_is_learnt(cell: str, cleaning: CorpusConfig, batching: str) -> None:
    run = train(batches_of(cleaning, batching), CONFIGS[cell], ONCE)
    assert run.model.rnn.initial is not None
    assert all(part.detach().abs().max() > 1e-3 for part in run.model.rnn.initial)
    assert "learnt initial state" in run.architecture
    assert diagnose(run.model, batches_of(cleaning, batching)).problems.keys() <= {"overlap"}


def test_a_document_is_scored_alone_and_among_others() -> None:
    run = train(batches_of(DOCUMENTS, "seq"), CONFIGS["gru"], ONCE)
    vocab, model = run.vocab, run.model
    assert vocab is not None
    marks = vocab.marks
    assert marks is not None
    names = [[marks.begin, *vocab[list(name)], marks.begin] for name in ("anna", "bob", "eve")]
    alone = torch.cat([token_log_probs(model, torch.tensor(name)) for name in names])
    joined = [names[0][0], *(index for name in names for index in name[1:])]
    together = token_log_probs(model, torch.tensor(joined))
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_step_on_a_device_gives_the_same_bits(config: ModelConfig, batching: str) -> None:
    given = batches_of(DOCUMENTS, batching), config, ONCE
    (_, state), (_, on_device) = begin(*given), begin(*given)
    eager = EagerStep(state, TorchUpdate(state.optimizer))
    device = DeviceStep(on_device, ONCE)
    for _ in range(2):
        one, two = eager.begin_epoch(), device.begin_epoch()
        for _ in range(len(one.plan)):
            assert eager.take(one, ONCE) is not None
            assert device.take(two, ONCE) is not None
        state.finish_epoch()
        on_device.finish_epoch()
    for a, b in zip(state.model.parameters(), on_device.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("batching", ["seq", "random"])
def test_a_resumed_one_equals_the_unbroken_one(batching: str, step: int, tmp_path: Path) -> None:
    batches = batches_of(PLAIN, batching)
    whole = train(batches, CONFIGS["lstm"], ONCE)

    def stop(event: object) -> None:
        if isinstance(event, StepEnd) and event.step == step:
            raise KeyboardInterrupt

    watch = Checkpointing(str(tmp_path / "kept"), every="1steps")
    with pytest.raises(KeyboardInterrupt):
        train(batches, CONFIGS["lstm"], ONCE, watch=watch, listeners=[stop])
    resumed = resume_run(tmp_path / "kept", batches)
    for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert resumed.valid_perplexity == whole.valid_perplexity


@pytest.fixture(scope="module")
def trained() -> Run:
    return train(batches_of(PLAIN, "random"), CONFIGS["deep"], ONCE)


def test_it_is_written_and_read(trained: Run, tmp_path: Path) -> None:
    loaded = load_run(save_run(trained, tmp_path / "a.safetensors"))
    assert loaded.config == trained.config
    assert loaded.model.rnn.initial is not None
    for a, b in zip(loaded.model.parameters(), trained.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_whoever_reads_from_the_beginning_begins_with_it(trained: Run) -> None:
    model, vocab = trained.model, trained.vocab
    assert vocab is not None
    ids = torch.tensor(vocab[list("anna otto")])
    logits, _ = read(model, ids[None])
    with torch.no_grad():
        layers = unroll(model, input_vectors(model, ids))
        stepped = model.output(layers[-1].states[0][1:])
    torch.testing.assert_close(stepped, logits[0])
    torch.testing.assert_close(walk(model, ids).logits, logits[0])
    states = read_corpus(trained, text_of(PLAIN))
    first = unroll(model, input_vectors(model, torch.from_numpy(states.ids[:9].astype("int64"))))
    torch.testing.assert_close(
        torch.from_numpy(states.states[:9].astype("float32")),
        first[-1].states[0][1:].detach(),
        atol=2e-3,
        rtol=0,
    )
    long = ids.repeat(300)  # read in two rows
    whole, _ = read(model, long[None, :-1])
    nats = torch.nn.functional.cross_entropy(whole[0].double(), long[1:])
    assert evaluate(model, long).nats == pytest.approx(float(nats), abs=1e-4)


def test_it_writes_the_same_text_by_every_path(trained: Run) -> None:
    scratch = replace(
        trained, model=RNNModel(replace(CONFIGS["deep"], scratch=True), len(trained.vocab or ()))
    )
    scratch.model.load_state_dict(trained.model.state_dict())
    scratch.model.vocab = trained.vocab
    config = DecodingConfig(length=40, seed=3)
    assert generate(trained, "a", config).text == generate(scratch, "a", config).text


def test_no_script_has_it(trained: Run) -> None:
    with pytest.raises(TrainingError, match="it has learnt its initial state"):
        write_script(trained, text_of(PLAIN))
