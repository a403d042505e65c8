"""The doctor: checks for mistakes that raise no error.

A language model that never carries its state, that sees the token it has to predict, or whose
gradient misses half of its parameters trains without complaint and reports a number. Each check
here looks for one such mistake, in any module with the signature of `RNNModel`:
``begin_state(batch_size, device)`` and ``forward(inputs, state) -> (logits, state)``.

To add a check, write a function that returns a sentence about what is wrong, or None, and add a
line to `CHECKS`. The last paragraph of its docstring is shown: one sentence on why this matters.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnn_magics.batching import Batches, labels_of
from rnn_magics.digits import rounded
from rnn_magics.inspection.diagnosis import Diagnosis, Finding
from rnn_magics.inspection.overlap import check_overlap
from rnn_magics.inspection.patient import (
    Patient,
    gradient_of,
    learning_copy,
    loss_of,
    read,
)
from rnn_magics.language import say, say_number
from rnn_magics.models.rnn_model import ModelState, RNNModel, as_tuple, detach
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.text.documents import BOS
from rnn_magics.training.history import History

_TOLERANCE = 1e-3  # of the largest logit; float32 rounding is a hundred times smaller
_HEART_STEPS = 300
_BY_HEART = 1.5  # perplexity
_OFF_UNIFORM = 0.7  # nats between the first loss and ln |V|
_SATURATED = 0.99
_DEAD = 1e-6


Check = Callable[[Patient], str | None]


def streaming(patient: Patient) -> str | None:
    """Read one token at a time: the result must equal the full forward pass.

    A model writes text one token at a time, so it must then read as it did in training.
    """
    whole, _ = patient.read(patient.inputs)
    state: ModelState | None = None
    for step in range(patient.inputs.shape[1]):
        logits, state = patient.read(patient.inputs[:, step : step + 1], state)
        if not _equal(logits[:, 0], whole[:, step]):
            return say(
                "the prediction at step {step} differs between reading token by"
                " token and reading all tokens at once; forward must begin with the"
                " state it is given and return the state after the last token",
                step=step,
            )
    return None


def memory(patient: Patient) -> str | None:
    """Read twice from begin_state: the model must remember nothing in between.

    A hidden memory makes a perplexity depend on what was read before, which cannot be repeated.
    """
    first, _ = patient.read(patient.inputs)
    patient.read(patient.inputs.flip(1))
    second, _ = patient.read(patient.inputs)
    if _equal(first, second):
        return None
    return say(
        "the same text read twice from begin_state gives different"
        " predictions, so the module stores a state; pass the state in and"
        " out instead"
    )


def future(patient: Patient) -> str | None:
    """Change a token: no prediction before it may change.

    A model that sees the token it has to predict only copies it, so its perplexity is near 1.
    """
    if isinstance(patient.model, RNNModel) and patient.model.config.bidirectional:
        return say(
            "a bidirectional model reads the tokens it has to predict, so it"
            " is not a language model; train without bidirectional"
        )
    whole, _ = patient.read(patient.inputs)
    size = whole.shape[-1]
    for step in range(1, patient.inputs.shape[1]):
        changed = patient.inputs.clone()
        changed[:, step] = (changed[:, step] + 1) % size
        logits, _ = patient.read(changed)
        for before in range(step):
            if not _equal(logits[:, before], whole[:, before]):
                return say(
                    "changing the token at step {step} changes the prediction at step"
                    " {before}; the model sees the future, so its perplexity means"
                    " nothing: mask or remove the part that looks ahead",
                    step=step,
                    before=before,
                )
    return None


def boundary(patient: Patient) -> str | None:
    """Change the text before a document: no prediction in the document may change.

    A document that depends on the one before it is neither learnt nor scored by itself.
    """
    marks, middle = patient.batches.marks, patient.inputs.shape[1] // 2
    if marks is None or not middle:
        return None
    inputs = patient.inputs.clone()
    inputs[:, middle] = marks.begin
    logits, _ = patient.read(inputs)
    inputs[:, :middle] = (inputs[:, :middle] + 1) % logits.shape[-1]
    again, _ = patient.read(inputs)
    if _equal(logits[:, middle:], again[:, middle:]):
        return None
    return say(
        "the predictions in a document depend on the text before it; begin with a state of zeros"
        " wherever token {begin} ({mark}) is read",
        begin=marks.begin,
        mark=BOS,
    )


def labels(patient: Patient) -> str | None:
    """Compare the labels with the inputs shifted by one, and each row with its continuation.

    Labels that are not the next tokens teach another task, and the loss falls all the same.
    """
    batches = patient.batches
    plan = batches.plan(torch.Generator().manual_seed(0))
    X, Y = batches.batch(plan, 0)
    if not torch.equal(labels_of(X[:, 1:], batches.marks), Y[:, :-1]):
        return say("the labels are not the inputs shifted by one; Y[:, t] must be X[:, t + 1]")
    if batches.carries_state and len(plan) > 1:
        following, _ = batches.batch(plan, 1)
        if not torch.equal(labels_of(following[:, 0], batches.marks), Y[:, -1]):
            return say(
                "the state is carried over, but row i of a minibatch does not"
                " continue row i of the previous one; use seq, or begin each"
                " minibatch with begin_state"
            )
    following = plan.starts[0] + batches.config.num_steps  # what comes after each window
    inside = following < len(batches.ids)
    after = labels_of(batches.ids[following[inside]].long(), batches.marks)
    if not torch.equal(Y[inside, -1], after):
        return say(
            "the labels are not the inputs shifted by one; Y[:, -1] must be the token after X"
        )
    return None


def overlap(patient: Patient) -> str | None:
    """Look for held-out text in the training text.

    Text that was seen in training is easy to predict, so it measures memory, not learning.
    """
    return check_overlap(patient.batches)


def detached(patient: Patient) -> str | None:
    """Backpropagate through one minibatch: no gradient may reach the previous one.

    A gradient that reaches further back makes each step slower, and takes more memory.
    """
    model = learning_copy(patient.model)
    try:
        _, state = read(model, patient.inputs, None, grad=True)
        logits, _ = read(model, patient.inputs, detach(state), grad=True)
        parameters = [p for p in model.parameters() if p.requires_grad]
        loss_of(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
        alone = [gradient_of(p) for p in parameters]
        model.zero_grad()
        fresh_state = detach(read(learning_copy(patient.model), patient.inputs)[1])
        logits, _ = read(model, patient.inputs, fresh_state, grad=True)
        loss_of(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
        again = [gradient_of(p) for p in parameters]
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        return say(
            "the backward pass reaches the previous minibatch, so the module"
            " stores tensors with a graph; detach what it stores"
        )
    if all(_equal(a, b) for a, b in zip(alone, again, strict=True)):
        return None
    return say(
        "the gradient of a minibatch depends on the graph of the previous"
        " one, although the state was detached, so the module stores"
        " tensors with a graph; detach what it stores"
    )


def gradients(patient: Patient) -> str | None:
    """Look for parameters without a gradient.

    A weight that no gradient reaches never learns, and the others hide that.
    """
    model = learning_copy(patient.fresh or patient.model)
    # From zero, one step alone would not reach all weights; a learnt state is reached by it alone.
    logits, state = read(model, patient.inputs, grad=True)
    if logits.shape[-1] == 1:
        return None  # a single token: there is nothing to learn
    loss_of(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
    logits, _ = read(model, patient.inputs, detach(state), grad=True)
    loss_of(logits, patient.labels).backward()  # type: ignore[no-untyped-call]
    named = ((name, p) for name, p in model.named_parameters() if p.requires_grad)  # not frozen
    missed = [name for name, p in named if not gradient_of(p).any()]
    if not missed:
        return None
    return say(
        "no gradient reaches {missed}; use it in forward, without detach or no_grad, or remove it",
        missed=", ".join(missed),
    )


def first_loss(patient: Patient) -> str | None:
    """Compare the first loss of an untrained model with guessing, over every token as the label.

    An untrained model knows nothing, so its loss is that of guessing, ln |V|.
    """
    if patient.fresh is None:
        return None
    logits, _ = read(patient.fresh, patient.inputs)
    # Over the labels of a short text alone, a sound model may by chance be far off.
    loss, guess = -logits.log_softmax(dim=-1).mean().item(), math.log(logits.shape[-1])
    if abs(loss - guess) <= _OFF_UNIFORM:
        return None
    return say(
        "the loss of the untrained model is {loss:.2f} nats, but guessing"
        " gives ln |V| = {guess:.2f}; draw smaller initial weights, or"
        " check that forward returns logits, not probabilities",
        loss=loss,
        guess=guess,
    )


def overfitting(patient: Patient) -> str | None:
    """Look for a held-out perplexity that has risen while the training perplexity fell.

    A model that memorises its training text becomes worse on every other text.
    """
    turn = None if patient.history is None else patient.history.turn
    if patient.history is None or turn is None or not turn.is_memorising:
        return None
    now = patient.history.scores[-1]
    return say(
        "the held-out perplexity was {best} and is {perplexity} after"
        " epoch {epoch}, while the training perplexity fell: the model"
        " memorises the training text; load the epoch that was best"
        " (--checkpoint keeps each), or train on more text, with --dropout,"
        " a smaller model or fewer epochs",
        best=turn.best,
        perplexity=rounded(now.perplexity),
        epoch=now.epoch,
    )


def one_minibatch(patient: Patient) -> str | None:
    """Learn one small minibatch by heart.

    A model that cannot learn a few tokens by heart will not learn a text.
    """
    model = learning_copy(patient.fresh or patient.model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    reached = math.inf
    for _ in range(_HEART_STEPS):
        logits, _state = read(model, patient.inputs, grad=True)
        loss = loss_of(logits, patient.labels)
        reached = perplexity(loss.item())
        if reached < _BY_HEART:
            return None
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return say(
        "after {steps} steps on one minibatch of {number} tokens, the"
        " perplexity is {reached}, not close to 1; check that the loss"
        " reaches the weights, that the labels match the logits, that the"
        " model can tell tokens apart, and that it has enough hidden units",
        steps=_HEART_STEPS,
        number=patient.inputs.numel(),
        reached=rounded(reached, 1),
    )


def units(patient: Patient) -> str | None:
    """Look for hidden units that are stuck at their bounds or never change.

    A unit that never changes carries no information from one token to the next.
    """
    state: ModelState | None = None
    seen = []
    for step in range(patient.inputs.shape[1]):
        _, state = patient.read(patient.inputs[:, step : step + 1], state)
        seen.append(as_tuple(state)[0])
    if len(seen) * len(patient.inputs) == 1:
        return None  # one state shows nothing of how it changes
    hidden = torch.stack(seen).flatten(0, 1).flatten(0, -2)  # (steps * layers * rows, num_hiddens)
    bound = (hidden.abs() > _SATURATED).all(dim=0)
    dead = (hidden.std(dim=0) < _DEAD) & ~bound
    if bound.any():
        return say_number(
            int(bound.sum()),
            "{number} of {total} hidden units is stuck at -1 or 1 for any text; use a lower"
            " learning rate, a smaller clip, or smaller initial weights",
            "{number} of {total} hidden units are stuck at -1 or 1 for any text;"
            " use a lower learning rate, a smaller clip, or smaller initial"
            " weights",
            total=len(bound),
        )
    if dead.any():
        return say_number(
            int(dead.sum()),
            "{number} of {total} hidden units never changes, for any text; check its gates and the"
            " learning rate",
            "{number} of {total} hidden units never change, for any text; check"
            " their gates and the learning rate",
            total=len(dead),
        )
    return None


CHECKS: dict[str, Check] = {
    "streaming": streaming,
    "memory": memory,
    "future": future,
    "boundary": boundary,
    "labels": labels,
    "overlap": overlap,
    "detached": detached,
    "gradients": gradients,
    "first_loss": first_loss,
    "one_minibatch": one_minibatch,
    "overfitting": overfitting,
    "units": units,
}


def diagnose(model: nn.Module, batches: Batches, history: History | None = None) -> Diagnosis:
    """Run all checks on a model and its minibatches.

    The checks work on copies, so neither is changed.

    Parameters
    ----------
    model
        An `RNNModel`, or any module with its signature.
    batches
        The minibatches.
    history
        What the model reached after each epoch, ``run.history``; without it overfitting is not
        looked for.

    Raises
    ------
    ModelError
        If the module has no `begin_state`, cannot be copied, or has a weight that is not finite.
    """
    patient = Patient.admitted(model, batches, history)
    return Diagnosis(tuple(_examine(name, patient) for name in CHECKS))


def _examine(name: str, patient: Patient) -> Finding:
    check = CHECKS[name]
    try:
        problem = check(patient)
    except RuntimeError as error:  # raised by torch if the module cannot even run
        first_line = str(error).partition("\n")[0]
        problem = say("running the model fails: {error}", error=first_line)
    return Finding(name, problem, say(why(check)))


def why(check: Check) -> str:
    """Return why a check matters: the last paragraph of its docstring, if it has several."""
    _, *more = (inspect.getdoc(check) or "").split("\n\n")
    return " ".join(more[-1].split()) if more else ""


def _equal(a: Tensor, b: Tensor) -> bool:
    scale = max(float(a.abs().max()), float(b.abs().max()), 1.0)
    return bool((a - b).abs().max() <= _TOLERANCE * scale)
