"""A model that adapts to what it reads, against a plain one that reads token by token."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from rnn_magics.errors import BatchError, ConfigError, ModelError
from rnn_magics.models.cells import CELLS
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.scores.adaptive import AdaptConfig, adapt, iter_adapt
from rnn_magics.scores.cache import ContinuousCache
from rnn_magics.scores.evaluation import evaluate, token_scores
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, encode_corpus

VOCAB = 7
LEARNS = AdaptConfig(dynamic=True, dynamic_lr=0.01, dynamic_decay=0.05, dynamic_steps=6)


def make(config: ModelConfig | None = None, vocab: Vocab | None = None) -> RNNModel:
    config = config or ModelConfig("gru", num_hiddens=8)
    size = VOCAB if vocab is None else len(vocab)
    model = RNNModel(config, size, torch.Generator().manual_seed(0)).double()
    model.vocab = vocab
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def text(length: int) -> Tensor:
    return torch.randint(VOCAB, (length,), generator=torch.Generator().manual_seed(1))


def documents() -> tuple[RNNModel, Tensor]:
    names = "emma\nolivia\nava\nisabella\nmia\n" * 4
    corpus = Corpus.from_text(names, CorpusConfig(documents="line", valid=0.4))
    vocab = Vocab.from_corpus(corpus)
    model = make(ModelConfig("lstm", num_hiddens=6, num_layers=2), vocab)
    return model, torch.from_numpy(encode_corpus(corpus, vocab).valid.astype("int64"))


def plainly(model: RNNModel, ids: Tensor, config: AdaptConfig) -> tuple[list[float], list[Tensor]]:
    """Return the log-probabilities and the states of the top layer, token by token.

    The rule is written out for each parameter by itself, and the model is changed.
    """
    weights = [*model.parameters()]
    begun = [weight.detach().clone() for weight in weights]
    squares = [0.0 * weight.detach() for weight in weights]
    number = sum(weight.numel() for weight in weights)
    state, found, tops, losses = model.begin_state(1), [], [], []
    marks = model.marks
    for t in range(len(ids) - 1):
        if marks is not None and ids[t] == marks.begin:
            state = model.begin_state(1)
        logits, state = model(ids[None, t : t + 1], state)
        h = state if isinstance(state, Tensor) else state[0]
        tops.append(h[-1, 0].detach())
        label = ids[t + 1]
        if marks is not None and label == marks.begin:
            label = torch.tensor(marks.end)
        losses.append(-logits[0, 0].log_softmax(-1)[label])
        found.append(-losses[-1].item())
        if config.dynamic and (len(losses) == config.dynamic_steps or t == len(ids) - 2):
            model.zero_grad()
            (sum(losses) / len(losses)).backward()
            i = 1 + t // config.dynamic_steps
            squares = [((i - 1) * s + w.grad**2) / i for s, w in zip(squares, weights, strict=True)]
            mean = sum(s.sqrt().sum() for s in squares) / number
            for w, w0, s in zip(weights, begun, squares, strict=True):
                step = config.dynamic_lr * min(1, i / 50) * w.grad / (s.sqrt() + 0.1 * mean)
                pull = (config.dynamic_decay * s.sqrt() / mean).clamp(max=1) * (w0 - w.detach())
                w.data = w.data - step + pull
            losses = []
            state = (
                state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)
            )
    return found, tops


MODELS = {
    **{cell: ModelConfig(cell, num_hiddens=8) for cell in CELLS},
    "deep": ModelConfig("lstm", num_hiddens=5, num_layers=2),
    "tied": ModelConfig("gru", num_hiddens=6, tie=True),
    "embedded": ModelConfig("rnn", num_hiddens=6, embedding_size=3),
    "dropout": ModelConfig("gru", num_hiddens=8, num_layers=2, dropout=0.5),
    "scratch": ModelConfig("gru", num_hiddens=8, scratch=True),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("length", [2, 7, 61])
def test_dynamic_evaluation_is_the_rule(name: str, length: int) -> None:
    model, ids = make(MODELS[name]), text(length)
    found = adapt(model, ids, LEARNS)
    expected, _ = plainly(model.eval(), ids, LEARNS)
    torch.testing.assert_close(
        found.model.log_probs, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0
    )
    assert found.cache is None


@pytest.mark.parametrize("dynamic", [False, True])
def test_documents_begin_from_zeros_and_weights_and_cache_go_on(dynamic: bool) -> None:  # noqa: FBT001
    model, ids = documents()
    config = AdaptConfig(
        dynamic=dynamic, dynamic_lr=0.01, dynamic_steps=5, cache=9, cache_theta=2.0
    )
    found = adapt(model, ids, config)
    expected, tops = plainly(model, ids, config)
    torch.testing.assert_close(
        found.model.log_probs, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0
    )
    assert model.marks is not None
    labels = ids[1:].masked_fill(ids[1:] == model.marks.begin, model.marks.end)
    cached = ContinuousCache(9, 2.0, model.vocab_size).read(torch.stack(tops), labels)
    assert found.cache is not None
    torch.testing.assert_close(found.cache.log_probs, cached.log_probs, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.cache.greatest, cached.greatest, atol=1e-6, rtol=0)


def test_without_learning_it_is_an_evaluation() -> None:
    model, ids = make(), text(700)
    found = adapt(model, ids, AdaptConfig(cache=20))
    assert -found.model.log_probs.mean().item() == pytest.approx(
        evaluate(model, ids).nats, abs=1e-6
    )
    torch.testing.assert_close(
        found.model.greatest, token_scores(model, ids).greatest, atol=1e-6, rtol=0
    )


def test_the_model_is_as_it_was() -> None:
    model, ids = make(ModelConfig("gru", 8, dropout=0.5)), text(80)
    before = [weight.clone() for weight in model.parameters()]
    model.train()
    for weight in model.parameters():
        weight.requires_grad_(False)
    drawn = torch.get_rng_state()
    adapt(model, ids, LEARNS)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(weight.grad is None for weight in model.parameters())
    assert model.training
    assert not model.rnn._forward_hooks
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_of_16_bits_learns_in_32(dtype: torch.dtype) -> None:
    model, ids = make().to(dtype), text(200)
    found, same = (adapt(each, ids, LEARNS) for each in (model, copy_model(model).float()))
    assert torch.equal(found.model.log_probs, same.model.log_probs)
    assert model.output.weight.dtype == dtype


def test_nothing_is_learnt_from_what_comes_later() -> None:
    model, ids = make(), text(60)
    other = ids.clone()
    other[30:] = (other[30:] + 1) % VOCAB
    config = AdaptConfig(dynamic=True, dynamic_lr=0.1, dynamic_steps=7, cache=30)
    one, two = adapt(model, ids, config), adapt(model, other, config)
    assert torch.equal(one.model.log_probs[:29], two.model.log_probs[:29])
    assert one.cache is not None
    assert two.cache is not None
    assert torch.equal(one.cache.greatest[:29], two.cache.greatest[:29])
    assert not torch.equal(one.model.log_probs[35:], two.model.log_probs[35:])


def test_what_repeats_itself_is_learnt() -> None:
    ids, model = torch.arange(2000) % VOCAB, make()
    learning = adapt(model, ids, AdaptConfig(dynamic=True, dynamic_lr=0.05)).model.log_probs
    assert -learning[-100:].mean() < 0.2
    assert evaluate(model, ids).nats > 1.5


def test_it_tells_how_far_it_has_read() -> None:
    *told, last = iter_adapt(make(), text(20), LEARNS)
    assert told == [6, 12, 18, 19]
    assert not isinstance(last, int)


def test_a_cell_of_ones_own_may_have_weights_without_a_gradient() -> None:
    class Idle(CELLS["rnn"]):  # type: ignore[misc]
        def __init__(self, input_size: int, num_hiddens: int) -> None:
            super().__init__(input_size, num_hiddens)
            self.idle = nn.Parameter(torch.ones(2))

    CELLS["idle"] = Idle
    model = make(ModelConfig("idle", 4))
    assert adapt(model, text(30), LEARNS).model.log_probs.isfinite().all()


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(BatchError, match="a bidirectional model sees each token before"):
        adapt(make(ModelConfig(num_hiddens=4, bidirectional=True)), text(9), LEARNS)
    with pytest.raises(BatchError, match="a text of 1 tokens has nothing to predict"):
        adapt(make(), text(1), LEARNS)
    with pytest.raises(ModelError, match="try a smaller --dynamic-lr"):
        adapt(make().float(), text(400), AdaptConfig(dynamic=True, dynamic_lr=1e38))
    for wrong in ({"cache": 0}, {"dynamic_lr": 0.0}, {"dynamic_decay": 1.0}, {"dynamic_steps": 0}):
        with pytest.raises(ConfigError):
            AdaptConfig(**wrong)


def test_the_loss_of_a_step_is_that_of_its_segment() -> None:
    # With one step and no pull, what is behind it is read with weights that are one step further.
    model, ids = make(ModelConfig("gru", 8, scratch=True)), text(13)
    config = AdaptConfig(dynamic=True, dynamic_lr=0.05, dynamic_decay=0.0, dynamic_steps=6)
    found = adapt(model, ids, config).model.log_probs
    logits, state = model(ids[None, :6])
    gradients = torch.autograd.grad(F.cross_entropy(logits[0], ids[1:7]), [*model.parameters()])
    mean = torch.cat([g.abs().flatten() for g in gradients]).mean()
    with torch.no_grad():
        for weight, g in zip(model.parameters(), gradients, strict=True):
            weight.sub_(0.05 / 50 * g / (g.abs() + 0.1 * mean))
        logits, _ = model(ids[None, 6:12], state)
    expected = logits[0].log_softmax(-1).gather(1, ids[7:, None])[:, 0]
    torch.testing.assert_close(found[6:], expected, atol=1e-9, rtol=0)
