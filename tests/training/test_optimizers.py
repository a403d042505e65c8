"""Our optimizers are those of torch, bit for bit, and import no compiler."""

from __future__ import annotations

import pickle
import subprocess
import sys
from copy import deepcopy

import pytest
import torch
from torch import nn

from rnn_magics.training import optimizers
from rnn_magics.training.config import OPTIMIZERS, Make

PAIRS = [
    (optimizers.SGD, torch.optim.SGD),
    (optimizers.Adam, torch.optim.Adam),
    (optimizers.AdamW, torch.optim.AdamW),
]
OPTIONS = {"lr": 0.1, "weight_decay": 0.01}
KERNELS = pytest.mark.parametrize("fused", [True, None], ids=["fused", "as torch chooses"])
TRAINING = """
import sys
from rnn_magics import Corpus, ModelConfig, TrainConfig, Vocab, make_batches, train
from rnn_magics.batching import BatchConfig

corpus = Corpus.from_text("the time traveller " * 40)
batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 4, 8))
for optimizer in ("sgd", "adam", "adamw"):
    for scratch in (False, True):
        config = TrainConfig(epochs=1, optimizer=optimizer, threads=1)
        run = train(batches, ModelConfig("gru", 4, scratch=scratch), config)
        assert run.reason == "epochs"
print({"torch._dynamo", "sympy"} & {*sys.modules})
"""


def steps(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], number: int) -> None:
    for step in range(number):
        optimizer.zero_grad()
        loss = sum(((p - step) ** 2).sum() for p in parameters)
        assert isinstance(loss, torch.Tensor)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def given() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(size, generator=generator)) for size in (3, 5)]


@KERNELS
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_they_are_those_of_torch_bit_for_bit(
    ours: Make, theirs: Make, *, fused: bool | None
) -> None:
    mine, other = given(), given()
    one, peer = ours(mine, fused=fused, **OPTIONS), theirs(other, fused=fused, **OPTIONS)
    steps(one, mine, 4)
    steps(peer, other, 4)
    assert all(map(torch.equal, mine, other))
    assert all(p.requires_grad and p.grad_fn is None for p in mine)
    assert one.defaults == peer.defaults
    assert f"{one}" == f"{peer}"


@KERNELS
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_state_goes_from_one_to_the_other(
    ours: Make, theirs: Make, *, fused: bool | None
) -> None:
    mine, other = given(), given()
    one, peer = ours(mine, fused=fused, **OPTIONS), theirs(other, fused=fused, **OPTIONS)
    steps(one, mine, 2)
    steps(peer, other, 2)
    again = pickle.loads(pickle.dumps((mine, one)))
    peer.load_state_dict(deepcopy(one.state_dict()))  # else they would have the same moments
    one.load_state_dict(deepcopy(peer.state_dict()))
    for optimizer, parameters in ((one, mine), (peer, other), (again[1], again[0])):
        steps(optimizer, parameters, 2)
    assert all(map(torch.equal, mine, other))
    assert all(map(torch.equal, mine, again[0]))


@pytest.mark.parametrize(("ours", "_theirs"), PAIRS)
def test_hooks_are_called_and_a_closure_has_gradients(ours: Make, _theirs: object) -> None:
    parameters, told = given(), []
    optimizer = ours(parameters, **OPTIONS)
    optimizer.register_step_pre_hook(lambda *_: told.append("before"))
    optimizer.register_step_post_hook(lambda *_: told.append("after"))

    def closure() -> float:
        loss = parameters[0].square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        told.append("within")
        return loss.item()

    before = parameters[0].detach().clone()
    found = optimizer.step(closure)
    assert told == ["before", "within", "after"]
    assert found == before.square().sum().item()
    assert not torch.equal(parameters[0], before)


def test_what_may_be_chosen_is_ours() -> None:
    chosen = [type(kind.make(given(), lr=0.1)) for kind in OPTIMIZERS.values()]
    assert chosen == [ours for ours, _ in PAIRS]


def test_a_process_that_trains_imports_no_compiler_of_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "set()\n"
