"""The doctor: checks for mistakes that raise no error.

A language model that never carries its state, that sees the token it has to predict, or whose
gradient misses half of its parameters trains without complaint and reports a number. Each check
here looks for one such mistake, in any module with the signature of `RNNModel`:
``begin_state(batch_size, device)`` and ``forward(inputs, state) -> (logits, state)``.

To add a check, write a function that returns a sentence about what is wrong, or None, and add a
line to `CHECKS`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.batching import Batches
from rnn_magics.errors import ModelError
from rnn_magics.inspection.overlap import check_overlap
from rnn_magics.models.recurrent import Dropout
from rnn_magics.models.rnn_model import ModelState, RNNModel, as_tuple, detach, require_finite
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import perplexity

_ROWS, _STEPS = 4, 12
_TOLERANCE = 1e-3  # of the largest logit; float32 rounding is a hundred times smaller
_OVERFIT_STEPS = 300
_OVERFITTED = 1.5  # perplexity
_OFF_UNIFORM = 0.7  # nats between the first loss and ln |V|
_SATURATED = 0.99
_DEAD = 1e-6


@dataclass(frozen=True)
class Patient:
    """The model and the data that a check may look at.

    Parameters
    ----------
    model
        A copy of the model, in evaluation mode, in float32 or float64.
    fresh
        An untrained model of the same kind; None if the module cannot be initialised again.
    batches
        Its minibatches, on the device of the model.
    inputs, labels
        The beginning of one minibatch, (rows, steps).
    """

    model: nn.Module
    fresh: nn.Module | None
    batches: Batches
    inputs: Tensor
    labels: Tensor

    def read(self, inputs: Tensor, state: ModelState | None = None) -> tuple[Tensor, ModelState]:
        """Return the logits and the state after `inputs`, from `begin_state` if none is given."""
        return _read(self.model, inputs, state)


Check = Callable[[Patient], str | None]


@dataclass(frozen=True)
class Finding(Result):
    """What a check found.

    Parameters
    ----------
    check
        A name of `CHECKS`.
    problem
        A sentence that says what is wrong and what to do; None if nothing is wrong.
    """

    check: str
    problem: str | None

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"ok       {self.check}"
            if self.problem is None
            else (f"PROBLEM  {self.check}: {self.problem}")
        )


@dataclass(frozen=True)
class Diagnosis(Result):
    """The findings of all checks, in the order of `CHECKS`."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> dict[str, str]:
        """The problems by the name of the check."""
        return {f.check: f.problem for f in self.findings if f.problem is not None}

    def __iter__(self) -> Iterator[Finding]:
        """Yield the findings."""
        return iter(self.findings)

    def __repr__(self) -> str:
        """Return a line for each finding."""
        return "\n".join(map(repr, self.findings))


def streaming(patient: Patient) -> str | None:
    """Read one token at a time: the result must equal the full forward pass."""
    whole, _ = patient.read(patient.inputs)
    state: ModelState | None = None
    for step in range(patient.inputs.shape[1]):
        logits, state = patient.read(patient.inputs[:, step : step + 1], state)
        if not _equal(logits[:, 0], whole[:, step]):
            return (
                f"the prediction at step {step} differs between reading token by token and reading"
                " all tokens at once; forward must begin with the state it is given and return"
                " the state after the last token"
            )
    return None


def memory(patient: Patient) -> str | None:
    """Read twice from begin_state: the model must remember nothing in between."""
    first, _ = patient.read(patient.inputs)
    patient.read(patient.inputs.flip(1))
    second, _ = patient.read(patient.inputs)
    if _equal(first, second):
        return None
    return (
        "the same text read twice from begin_state gives different predictions, so the module"
        " stores a state; pass the state in and out instead"
    )


def future(patient: Patient) -> str | None:
    """Change a token: no prediction before it may change."""
    if isinstance(patient.model, RNNModel) and patient.model.config.bidirectional:
        return (
            "a bidirectional model reads the tokens it has to predict, so it is not a language"
            " model; train without bidirectional"
        )
    whole, _ = patient.read(patient.inputs)
    size = whole.shape[-1]
    for step in range(1, patient.inputs.shape[1]):
        changed = patient.inputs.clone()
        changed[:, step] = (changed[:, step] + 1) % size
        logits, _ = patient.read(changed)
        for before in range(step):
            if not _equal(logits[:, before], whole[:, before]):
                return (
                    f"changing the token at step {step} changes the prediction at step {before};"
                    " the model sees the future, so its perplexity means nothing: mask or remove"
                    " the part that looks ahead"
                )
    return None


def labels(patient: Patient) -> str | None:
    """Compare the labels with the inputs shifted by one, and each row with its continuation."""
    batches = patient.batches
    plan = batches.plan(torch.Generator().manual_seed(0))
    X, Y = batches.batch(plan, 0)
    if not torch.equal(X[:, 1:], Y[:, :-1]):
        return "the labels are not the inputs shifted by one; Y[:, t] must be X[:, t + 1]"
    if batches.carries_state and len(plan) > 1:
        following, _ = batches.batch(plan, 1)
        if not torch.equal(following[:, 0], Y[:, -1]):
            return (
                "the state is carried over, but row i of a minibatch does not continue row i of"
                " the previous one; use seq, or begin each minibatch with begin_state"
            )
    return None


def overlap(patient: Patient) -> str | None:
    """Look for held-out text in the training text."""
    return check_overlap(patient.batches)


def detached(patient: Patient) -> str | None:
    """Backpropagate through one minibatch: no gradient may reach the previous one."""
    model = _learning_copy(patient.model)
    try:
        _, state = _read(model, patient.inputs, None, grad=True)
        logits, _ = _read(model, patient.inputs, detach(state), grad=True)
        parameters = [p for p in model.parameters() if p.requires_grad]
        _loss(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
        alone = [_gradient(p) for p in parameters]
        model.zero_grad()
        fresh_state = detach(_read(_learning_copy(patient.model), patient.inputs)[1])
        logits, _ = _read(model, patient.inputs, fresh_state, grad=True)
        _loss(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
        again = [_gradient(p) for p in parameters]
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        return (
            "the backward pass reaches the previous minibatch, so the module stores tensors with a"
            " graph; detach what it stores"
        )
    if all(_equal(a, b) for a, b in zip(alone, again, strict=True)):
        return None
    return (
        "the gradient of a minibatch depends on the graph of the previous one, although the state"
        " was detached, so the module stores tensors with a graph; detach what it stores"
    )


def gradients(patient: Patient) -> str | None:
    """Look for parameters without a gradient."""
    model = _learning_copy(patient.fresh or patient.model)
    logits, _ = _read(model, patient.inputs, grad=True)
    _loss(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
    missed = [name for name, p in model.named_parameters() if not _gradient(p).any()]
    if not missed:
        return None
    return (
        f"no gradient reaches {', '.join(missed)}; use it in forward, without detach or no_grad,"
        " or remove it"
    )


def first_loss(patient: Patient) -> str | None:
    """Compare the first loss of an untrained model with guessing."""
    if patient.fresh is None:
        return None
    logits, _ = _read(patient.fresh, patient.inputs)
    loss, guess = _loss(logits, patient.labels).item(), math.log(logits.shape[-1])
    if abs(loss - guess) <= _OFF_UNIFORM:
        return None
    return (
        f"the loss of the untrained model is {loss:.2f} nats, but guessing gives ln |V| ="
        f" {guess:.2f}; draw smaller initial weights, or check that forward returns logits, not"
        " probabilities"
    )


def overfit(patient: Patient) -> str | None:
    """Learn one small minibatch by heart."""
    model = _learning_copy(patient.fresh or patient.model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    reached = math.inf
    for _ in range(_OVERFIT_STEPS):
        logits, _state = _read(model, patient.inputs, grad=True)
        loss = _loss(logits, patient.labels)
        reached = perplexity(loss.item())
        if reached < _OVERFITTED:
            return None
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return (
        f"after {_OVERFIT_STEPS} steps on one minibatch of {patient.inputs.numel()} tokens, the"
        f" perplexity is {reached:.1f}, not close to 1; check that the loss reaches the weights,"
        " that the labels match the logits, and that the model can tell tokens apart"
    )


def units(patient: Patient) -> str | None:
    """Look for hidden units that are stuck at their bounds or never change."""
    state: ModelState | None = None
    seen = []
    for step in range(patient.inputs.shape[1]):
        _, state = patient.read(patient.inputs[:, step : step + 1], state)
        seen.append(as_tuple(state)[0])
    hidden = torch.stack(seen).flatten(0, 1).flatten(0, -2)  # (steps * layers * rows, num_hiddens)
    bound = (hidden.abs() > _SATURATED).all(dim=0)
    dead = (hidden.std(dim=0) < _DEAD) & ~bound
    if bound.any():
        return (
            f"{int(bound.sum())} of {len(bound)} hidden units are stuck at -1 or 1 for any text;"
            " use a lower learning rate, a smaller clip, or smaller initial weights"
        )
    if dead.any():
        return (
            f"{int(dead.sum())} of {len(dead)} hidden units never change, for any text; check"
            " their gates and the learning rate"
        )
    return None


CHECKS: dict[str, Check] = {
    "streaming": streaming,
    "memory": memory,
    "future": future,
    "labels": labels,
    "overlap": overlap,
    "detached": detached,
    "gradients": gradients,
    "first_loss": first_loss,
    "overfit": overfit,
    "units": units,
}


def diagnose(model: nn.Module, batches: Batches) -> Diagnosis:
    """Run all checks on a model and its minibatches.

    The checks work on copies, so neither is changed.

    Parameters
    ----------
    model
        An `RNNModel`, or any module with its signature.
    batches
        The minibatches.

    Raises
    ------
    ModelError
        If the module has no `begin_state`, cannot be copied, or has a weight that is not finite.
    """
    if not callable(getattr(model, "begin_state", None)):
        msg = f"{type(model).__name__} has no begin_state(batch_size, device); the doctor needs it"
        raise ModelError(msg)
    require_finite(model)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    moved = batches.to(device)
    X, Y = moved.batch(moved.plan(torch.Generator().manual_seed(0)), 0)
    patient = Patient(
        copy_module(model), _fresh(model), moved, X[:_ROWS, :_STEPS], Y[:_ROWS, :_STEPS]
    )
    return Diagnosis(tuple(_examine(name, patient) for name in CHECKS))


def _examine(name: str, patient: Patient) -> Finding:
    try:
        return Finding(name, CHECKS[name](patient))
    except RuntimeError as error:  # raised by torch if the module cannot even run
        first_line = str(error).partition("\n")[0]
        return Finding(name, f"running the model fails: {first_line}")


def copy_module(model: nn.Module) -> nn.Module:
    """Return an independent copy of a module, in evaluation mode, in float32 or float64."""
    try:
        return _widened(copy.deepcopy(model)).eval()
    except RuntimeError as error:
        msg = f"the module cannot be copied; perhaps it stores tensors with a graph: {error}"
        raise ModelError(msg) from None


def _widened(model: nn.Module) -> nn.Module:
    # Rounding in half precision would hide the differences that the checks look for.
    half = any(p.dtype in (torch.bfloat16, torch.float16) for p in model.parameters())
    return model.float() if half else model


def _learning_copy(model: nn.Module) -> nn.Module:
    # In training mode, which cuDNN requires for a backward pass, but without dropout.
    learning = copy_module(model).train()
    for module in learning.modules():
        if isinstance(module, Dropout | nn.Dropout):
            module.p = 0.0
    return learning


def _fresh(model: nn.Module) -> nn.Module | None:
    if type(model) is RNNModel:
        fresh = RNNModel(model.config, model.vocab_size, torch.Generator().manual_seed(0))
        return fresh.to(model.output.weight.device).eval()
    if not callable(getattr(model, "reset_parameters", None)):
        return None
    other = copy_module(model)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other.reset_parameters()  # type: ignore[operator]  # callable, as asked
    return other


def _read(
    model: nn.Module, inputs: Tensor, state: ModelState | None = None, *, grad: bool = False
) -> tuple[Tensor, ModelState]:
    if state is None:
        state = model.begin_state(len(inputs), inputs.device)  # type: ignore[operator]  # asked
    with torch.set_grad_enabled(grad):
        logits, state = model(inputs, state)
    return logits, state


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()


def _equal(a: Tensor, b: Tensor) -> bool:
    scale = max(float(a.abs().max()), float(b.abs().max()), 1.0)
    return bool((a - b).abs().max() <= _TOLERANCE * scale)
