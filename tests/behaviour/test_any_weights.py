"""Whatever numbers a model is made of: it is read, or one line says which of them is wrong."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.batching import Batches
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.score import score_text
from rnn_magics.errors import DecodingError, InspectionError, ModelError
from rnn_magics.inspection import doctor
from rnn_magics.inspection.doctor import CHECKS, diagnose
from rnn_magics.inspection.inspectors import INSPECTORS, inspect_rnn
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.reports.mixture import evaluate_mixture
from rnn_magics.reports.texts import evaluate_text, evaluate_texts
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run, copy_run

DTYPES = [torch.bfloat16, torch.float16, torch.float64]
NOT_FINITE = [math.nan, math.inf, -math.inf]
OF_A_MODEL = [view for view, its in INSPECTORS.items() if {"run", "runs"} & {*its.needs}]


@pytest.fixture
def trained(batches: Batches) -> Run:
    return train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1, device="cpu"))


def with_model(run: Run, model: RNNModel) -> Run:
    changed = copy_run(run)
    changed.model = model
    return changed


def spoilt(model: RNNModel, name: str, value: float) -> RNNModel:
    model = copy_model(model)
    with torch.no_grad():
        parameter = dict(model.named_parameters())[name]
        parameter[(1, *(0 for _ in parameter.shape[1:]))] = value
    return model


def view_of(view: str, run: Any, corpus: Corpus, batches: Batches) -> Any:
    texts = {"text": "the time", "into": "he said"}
    of_model = {"run": run, "runs": [run, run]}
    things = {**of_model, **texts, "passage": corpus, "corpus": corpus, "batches": batches}
    found = inspect_rnn(view, *(things[need] for need in INSPECTORS[view].needs))
    assert found.title
    assert repr(found)
    return found.to_data()


def outcome(view: str, run: Any, corpus: Corpus, batches: Batches) -> str:
    """Return the keys of what a view hands on, or why it is refused."""
    try:
        return ", ".join(view_of(view, run, corpus, batches))
    except (InspectionError, DecodingError) as error:  # `play` writes, which nan cannot
        return str(error)


def model_of(vocab: Vocab, cell: str, **options: Any) -> RNNModel:
    """Return one with states far from zero."""
    config = ModelConfig(cell=cell, num_hiddens=6, **options)
    model = RNNModel(config, len(vocab), torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("view", OF_A_MODEL)
def test_every_view_reads_a_model_of_every_precision(
    view: str, dtype: torch.dtype, cell: str, corpus: Corpus, batches: Batches
) -> None:
    vocab = Vocab.from_corpus(corpus)
    for options in ({}, {"embedding_size": 3, "num_layers": 2}):
        model = model_of(vocab, cell, **options)
        expected = outcome(view, SimpleNamespace(model=model, vocab=vocab), corpus, batches)
        model = copy_model(model).to(dtype)
        found = outcome(view, SimpleNamespace(model=model, vocab=vocab), corpus, batches)
        assert found == expected
        assert {p.dtype for p in model.parameters()} == {dtype}  # it was only looked at


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("view", OF_A_MODEL)
def test_every_view_names_the_weight_that_is_not_finite(
    view: str, value: float, corpus: Corpus, vocab: Vocab, batches: Batches
) -> None:
    names = [name for name, _ in model_of(vocab, "gru").named_parameters()]
    for name in names:
        model = spoilt(model_of(vocab, "gru"), name, value)
        run = SimpleNamespace(model=model, vocab=vocab)
        with pytest.raises(ModelError) as caught:
            view_of(view, run, corpus, batches)
        assert name in str(caught.value)
        assert str(value) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.0, 1e30, -1e30], ids=str)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("view", OF_A_MODEL)
def test_every_view_bears_weights_of_zero_and_such_as_overflow(
    view: str, cell: str, value: float, corpus: Corpus, vocab: Vocab, batches: Batches
) -> None:
    model = model_of(vocab, cell, num_layers=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)
    told = outcome(view, SimpleNamespace(model=model, vocab=vocab), corpus, batches)
    assert told.startswith("view, version") or "\n" not in told
    if value == 0.0 and view != "match":  # in which no unit is active
        said = ("names no gates", "there is nothing to find")  # this text has no quotation marks
        assert told.startswith("view, version") or any(words in told for words in said)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_doctor_finds_in_half_precision_what_it_finds_in_float32(
    dtype: torch.dtype, cell: str, check: str, batches: Batches, vocab: Vocab, monkeypatch: Any
) -> None:
    # As a whole: an entry that is taken out and put back stands last afterwards.
    monkeypatch.setattr(doctor, "CHECKS", {check: CHECKS[check]})
    model = model_of(vocab, cell)
    expected = diagnose(model, batches)
    found = diagnose(model.to(dtype), batches)
    assert [*found.problems] == [*expected.problems]
    assert {p.dtype for p in model.parameters()} == {dtype}


class Module(torch.nn.Module):
    """One that is no RNNModel."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, 8)
        self.rnn = torch.nn.RNN(8, 8, batch_first=True)
        self.output = torch.nn.Linear(8, vocab_size)

    def begin_state(self, batch_size: int, device: Any = None) -> torch.Tensor:
        return torch.zeros(1, batch_size, 8, device=device, dtype=self.output.weight.dtype)

    def forward(self, inputs: torch.Tensor, state: Any) -> Any:
        outputs, state = self.rnn(self.embedding(inputs), state)
        return self.output(outputs), state


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_doctor_examines_a_module_of_every_precision(
    dtype: torch.dtype, batches: Batches, vocab: Vocab
) -> None:
    torch.manual_seed(0)
    module = Module(len(vocab))
    expected = diagnose(module, batches).problems
    assert [*diagnose(module.to(dtype), batches).problems] == [*expected]


@pytest.mark.parametrize("value", NOT_FINITE)
def test_the_doctor_names_the_weight_that_is_not_finite(
    value: float, batches: Batches, vocab: Vocab
) -> None:
    model = spoilt(model_of(vocab, "lstm"), "output.bias", value)
    with pytest.raises(ModelError, match=r"output\.bias holds"):
        diagnose(model, batches)


def test_the_doctor_examines_a_model_of_zeros(batches: Batches, vocab: Vocab) -> None:
    model = model_of(vocab, "gru")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert "units" in diagnose(model, batches).problems


@pytest.mark.parametrize("beam", [None, 3])
@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_decoder_writes_with_a_model_of_every_precision(
    dtype: torch.dtype, decoder: str, beam: int | None, vocab: Vocab
) -> None:
    config = DecodingConfig(length=20, decoder=decoder)
    if beam and decoder == "draw":
        config = DecodingConfig(length=20, beam=beam)
    for cell in CELLS:
        run = SimpleNamespace(model=model_of(vocab, cell).to(dtype), vocab=vocab)
        found = generate(run, "the ", config)
        assert len(found.tokens) == 20
        assert np.isfinite(found.log_probs).all()
        assert score_text(run, "the time").perplexity > 1


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("decoder", DECODERS)
def test_what_is_written_and_scored_names_the_weight_that_is_not_finite(
    decoder: str, value: float, vocab: Vocab
) -> None:
    model = spoilt(model_of(vocab, "gru"), "rnn.cells.0.weight_hh", value)
    run = SimpleNamespace(model=model, vocab=vocab)
    for call in (
        lambda: generate(run, "the ", DecodingConfig(decoder=decoder)),
        lambda: generate(run, "the ", DecodingConfig(beam=2)),
        lambda: score_text(run, "the time"),
    ):
        with pytest.raises(ModelError, match=r"rnn\.cells\.0\.weight_hh holds"):
            call()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_model_of_every_precision_is_evaluated(
    dtype: torch.dtype, trained: Run, corpus: Corpus
) -> None:
    expected = evaluate_text(trained, corpus).score.perplexity
    run = with_model(trained, copy_model(trained.model).to(dtype))
    assert evaluate_text(run, corpus).score.perplexity == pytest.approx(expected, rel=0.05)
    assert evaluate_mixture(run, corpus, order=2)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_no_perplexity_is_told_of_weights_that_are_not_finite(
    value: float, trained: Run, corpus: Corpus
) -> None:
    run = with_model(trained, spoilt(trained.model, "output.weight", value))
    for call in (
        lambda: evaluate_text(run, corpus),
        lambda: evaluate_texts([trained, run], [corpus]),
        lambda: evaluate_mixture(run, corpus, order=2),
    ):
        with pytest.raises(ModelError, match=r"output\.weight holds"):
            call()
