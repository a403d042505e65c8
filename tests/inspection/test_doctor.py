from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ModelError
from rnn_magics.inspection.doctor import CHECKS, diagnose
from rnn_magics.models.cells import CELLS, Cell, State
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.reports.run_report import report_run
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train

VOCAB_SIZE, HIDDENS = 11, 24


class Sound(nn.Module):
    """A plain module with the signature that the doctor asks for, and nothing wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB_SIZE, HIDDENS)
        self.rnn = nn.GRU(HIDDENS, HIDDENS, batch_first=True)
        self.output = nn.Linear(HIDDENS, VOCAB_SIZE)

    def reset_parameters(self) -> None:
        for part in (self.embedding, self.rnn, self.output):
            part.reset_parameters()

    def begin_state(self, batch_size: int, device: torch.device) -> Tensor:
        return torch.zeros(1, batch_size, HIDDENS, device=device)

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        outputs, state = self.rnn(self.embedding(inputs), state)
        return self.output(outputs), state


class NeverCarries(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(inputs, torch.zeros_like(state))


class ReturnsTheOldState(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, _ = super().forward(inputs, state)
        return logits, state


class KeepsItsOwnState(Sound):
    kept: Tensor | None = None

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        if self.kept is not None and self.kept.shape == state.shape:
            state = self.kept
        logits, state = super().forward(inputs, state)
        self.kept = state.detach()
        return logits, state


class LooksOneAhead(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = super().forward(inputs, state)
        return logits + logits.roll(-1, dims=1), state


class LooksAtTheWholeText(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = super().forward(inputs, state)
        return logits + logits.mean(dim=1, keepdim=True), state


class KeepsAGraph(Sound):
    before: Tensor | None = None

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embedding(inputs)
        if self.before is not None:
            embedded = embedded + self.before
        self.before = self.embedding.weight.mean() * 0.1 + embedded.mean() * 0.1
        outputs, state = self.rnn(embedded, state)
        return self.output(outputs), state


class CutsTheEmbeddingOff(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        outputs, state = self.rnn(self.embedding(inputs).detach(), state)
        return self.output(outputs), state


class ForgetsALayer(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(HIDDENS, HIDDENS)


class BeginsWild(Sound):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.output.weight.mul_(40)


class ReturnsProbabilities(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = super().forward(inputs, state)
        return logits.softmax(dim=-1), state


class ReadsNothing(Sound):
    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(torch.zeros_like(inputs), state)


def saturated() -> nn.Module:
    model = RNNModel(ModelConfig("rnn", num_hiddens=HIDDENS), VOCAB_SIZE)
    with torch.no_grad():
        model.rnn.cells[0].bias_hh[:3] = 50.0
    return model


def dead() -> nn.Module:
    model = RNNModel(ModelConfig("rnn", num_hiddens=HIDDENS), VOCAB_SIZE)
    with torch.no_grad():
        for weight in model.rnn.cells[0].parameters():
            weight[:2] = 0.0
    return model


def bidirectional() -> nn.Module:
    return RNNModel(ModelConfig(num_hiddens=HIDDENS, bidirectional=True), VOCAB_SIZE)


def batches(batching: str = "seq") -> Batches:
    ids = torch.randint(1, VOCAB_SIZE, (600,), generator=torch.Generator().manual_seed(3))
    return Batches(ids, BatchConfig(batching, batch_size=4, num_steps=12))


class Unshifted(Batches):
    def batch(self, plan: object, index: int) -> tuple[Tensor, Tensor]:
        X, _ = super().batch(plan, index)  # type: ignore[arg-type]
        return X, X


class CarriesTooMuch(Batches):
    carries_state = True  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_sound_model_has_no_problem(cell: str, batching: str) -> None:
    model = RNNModel(ModelConfig(cell, num_hiddens=HIDDENS, num_layers=2, dropout=0.3), 12)
    assert diagnose(model, batches(batching)).problems == {}


@pytest.mark.parametrize("options", [{"scratch": True}, {"embedding_size": 8}, {"tie": True}])
def test_neither_has_one_of_another_architecture(options: dict[str, int | bool]) -> None:
    model = RNNModel(ModelConfig.from_dict({"num_hiddens": HIDDENS, **options}), VOCAB_SIZE)
    assert diagnose(model, batches()).problems == {}


def test_nor_has_a_module_of_somebody_else() -> None:
    diagnosis = diagnose(Sound(), batches())
    assert diagnosis.problems == {}
    assert [finding.check for finding in diagnosis] == list(CHECKS)
    assert repr(diagnosis).startswith("no problem found by 12 checks\nok ")


def test_nor_has_one_whose_state_is_a_tuple_of_one() -> None:
    class OfABook(Sound):
        def begin_state(self, *given: Any) -> Any:
            return (super().begin_state(*given),)

        def forward(self, inputs: Tensor, state: Any) -> Any:
            (hidden,) = state
            assert hidden.dim() == 3
            logits, hidden = super().forward(inputs, hidden)
            return logits, (hidden,)

    assert diagnose(OfABook(), batches()).problems == {}


@pytest.mark.parametrize(
    ("make", "check", "words"),
    [
        (NeverCarries, "streaming", "begin with the state it is given"),
        (ReturnsTheOldState, "streaming", "state after the last token"),
        (KeepsItsOwnState, "memory", "the module stores a state"),
        (LooksOneAhead, "future", "sees the future"),
        (LooksAtTheWholeText, "future", "sees the future"),
        (bidirectional, "future", "bidirectional"),
        (KeepsAGraph, "detached", "detach what it stores"),
        (CutsTheEmbeddingOff, "gradients", "embedding.weight"),
        (ForgetsALayer, "gradients", "unused.weight, unused.bias"),
        (BeginsWild, "first_loss", "smaller initial weights"),
        (ReturnsProbabilities, "one_minibatch", "not close to 1"),
        (ReadsNothing, "one_minibatch", "tell tokens apart"),
        (saturated, "units", "3 of 24 hidden units are stuck"),
        (dead, "units", "2 of 24 hidden units never change"),
    ],
)
def test_a_broken_model_is_found_out(make: Callable[[], nn.Module], check: str, words: str) -> None:
    problems = diagnose(make(), batches()).problems
    assert words in problems[check]


def test_a_broken_subclass_of_ours_is_found_out_after_training() -> None:
    class Ahead(RNNModel):
        def forward(
            self, inputs: Tensor, state: Tensor | tuple[Tensor, ...] | None = None
        ) -> tuple[Tensor, Tensor | tuple[Tensor, ...]]:
            logits, state = super().forward(inputs, state)
            return logits + logits.roll(-1, dims=1), state

    model = Ahead(ModelConfig(num_hiddens=HIDDENS, dropout=0.2), VOCAB_SIZE)
    train(batches(), model, TrainConfig(epochs=1, device="cpu"))
    assert "sees the future" in diagnose(model, batches()).problems["future"]


class Mine(Cell):
    """A cell of a user: it forgets at a fixed rate."""

    num_gates = 1

    def forward(self, x: Tensor, state: State) -> State:
        (h,) = state
        new = torch.tanh(x + functional.linear(h, self.weight_hh, self.bias_hh))
        return (0.5 * h + 0.5 * new,)


class Remembers(Mine):
    """Keeps a state of its own beside the one that it is handed."""

    own: Tensor | None = None

    def forward(self, x: Tensor, state: State) -> State:
        (h,) = super().forward(x, state)
        if self.own is not None and self.own.shape == h.shape:
            h = h + 0.5 * self.own
        self.own = h.detach()
        return (h,)


class Forgets(Mine):
    """Hands no state on."""

    def forward(self, x: Tensor, state: State) -> State:
        return (torch.tanh(x) + 0.0 * super().forward(x, state)[0],)


class DetachesItself(Mine):
    """Lets no gradient through to the weights that read the state."""

    def forward(self, x: Tensor, state: State) -> State:
        (h,) = state
        product = functional.linear(h, self.weight_hh, self.bias_hh).detach()
        return (torch.tanh(x + product),)


def of_registered(monkeypatch: pytest.MonkeyPatch, cell: type[Cell]) -> RNNModel:
    monkeypatch.setitem(CELLS, "mine", cell)
    return RNNModel(ModelConfig("mine", num_hiddens=HIDDENS), VOCAB_SIZE)


@pytest.mark.parametrize("batching", ["seq", "random"])
def test_a_sound_cell_of_ones_own_has_no_problem(
    monkeypatch: pytest.MonkeyPatch, batching: str
) -> None:
    assert diagnose(of_registered(monkeypatch, Mine), batches(batching)).problems == {}


@pytest.mark.parametrize(
    ("cell", "check"),
    [(Remembers, "streaming"), (Forgets, "gradients"), (DetachesItself, "gradients")],
)
def test_a_broken_cell_of_ones_own_is_found_out(
    monkeypatch: pytest.MonkeyPatch, cell: type[Cell], check: str
) -> None:
    problems = diagnose(of_registered(monkeypatch, cell), batches()).problems
    assert check in problems, problems


def test_labels_that_are_not_shifted_are_found_out() -> None:
    whole = batches()
    problems = diagnose(Sound(), Unshifted(whole.ids, whole.config)).problems
    assert list(problems) == ["labels"]
    assert "shifted by one" in problems["labels"]


def test_a_state_carried_between_strangers_is_found_out() -> None:
    whole = batches("random")
    problems = diagnose(Sound(), CarriesTooMuch(whole.ids, whole.config)).problems
    assert list(problems) == ["labels"]
    assert "does not continue row i" in problems["labels"]


def test_neither_model_nor_global_generator_is_changed() -> None:
    model = RNNModel(ModelConfig("lstm", num_hiddens=HIDDENS), VOCAB_SIZE).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    diagnose(model, batches())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert model.training


def test_a_module_that_cannot_be_copied_is_refused() -> None:
    model = KeepsAGraph()
    model(torch.zeros(1, 3, dtype=torch.long), model.begin_state(1, torch.device("cpu")))
    with pytest.raises(ModelError, match="stores tensors with a graph"):
        diagnose(model, batches())


def test_a_module_without_begin_state_is_refused() -> None:
    with pytest.raises(ModelError, match="Linear has no begin_state"):
        diagnose(nn.Linear(2, 2), batches())


SIZES = {
    "one step": ("the time machine " * 20, 4, 1),
    "one row": ("the time machine " * 20, 1, 16),
    "one row of one step": ("the time machine " * 20, 1, 1),
    "one token type": ("a" * 60, 2, 3),
    "two tokens": ("ab", 1, 1),
    "three tokens": ("abc", 1, 1),
    "four tokens, two of them the same": ("abca", 1, 1),
    "a window as long as the text": ("abcab", 1, 4),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("size", SIZES)
def test_a_sound_model_of_any_size_has_no_problem_and_no_warning(
    size: str, batching: str, cell: str
) -> None:
    text, batch_size, num_steps = SIZES[size]
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.0), name="small")
    config = BatchConfig(batching, batch_size, num_steps)
    batches = make_batches(corpus, Vocab.from_corpus(corpus), config)
    run = train(batches, ModelConfig(cell, num_hiddens=8), TrainConfig(epochs=1, device="cpu"))
    assert diagnose(run.model, batches, run.history).problems == {}
    assert "nan" not in f"{run!r} {report_run(run)!r}"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("num_tokens", [2, 3, 50])
def test_a_vocabulary_of_one_token_is_no_problem(num_tokens: int) -> None:
    ids = torch.zeros(num_tokens, dtype=torch.long)
    batches = Batches(ids, BatchConfig("seq", batch_size=1, num_steps=1))
    run = train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=1, device="cpu"))
    assert batches.vocab_size == 1
    assert diagnose(run.model, batches, run.history).problems == {}


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (NeverCarries, "streaming"),
        (LooksOneAhead, "future"),
        (CutsTheEmbeddingOff, "gradients"),
        (ReadsNothing, "one_minibatch"),
    ],
)
def test_a_broken_model_is_found_out_whatever_the_size_of_a_minibatch(
    make: Callable[[], nn.Module], check: str
) -> None:
    whole = batches()
    for batch_size, num_steps in ((1, 1), (4, 1), (1, 12)):
        config = BatchConfig("random", batch_size=batch_size, num_steps=num_steps)
        assert check in diagnose(make(), Batches(whole.ids, config)).problems


@pytest.mark.parametrize("batching", ["seq", "random"])
def test_labels_that_are_not_shifted_are_found_out_at_one_step(batching: str) -> None:
    whole = batches()
    one = BatchConfig(batching, batch_size=4, num_steps=1)
    problems = diagnose(Sound(), Unshifted(whole.ids, one)).problems
    assert list(problems) == ["labels"]
