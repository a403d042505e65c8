"""The state of a training between two steps, as a document and tensors, and back.

It does not include the learning rate, which follows from the position, nor the buffers of the
device step, which are built from the position at the start.
"""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor

from rnn_magics.batching import Batches, EpochPlan
from rnn_magics.errors import StorageError
from rnn_magics.foreign import a_kind
from rnn_magics.language import say, say_number
from rnn_magics.models.cells import State
from rnn_magics.models.rnn_model import as_tuple
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.scores import capture_best, restore_best
from rnn_magics.storage.strict import Fields, from_float
from rnn_magics.text.agreement import disagreement
from rnn_magics.training.run import Run
from rnn_magics.training.state import EpochState, TrainState

_COUNTS = ("epoch", "step", "total_steps", "total_tokens")
_SECONDS = ("train_seconds", "evaluation_seconds")
_PER_STEP = ("losses", "norms")  # kept for each step of an epoch
_TALLIED = ("nats", *_PER_STEP)
_OPTIMIZER = "training.optimizer."
_BLOCK = 1 << 20


def capture(state: TrainState, fingerprint: str) -> Contents:
    """Return a state as a document and tensors, without the model and the text.

    Parameters
    ----------
    state
        A settled state between two steps.
    fingerprint
        The fingerprint of its minibatches, see `fingerprint_of`.

    Raises
    ------
    StorageError
        When the optimizer keeps a value that a file cannot hold.
    """
    document: dict[str, Any] = {name: getattr(state, name) for name in (*_COUNTS, *_SECONDS)}
    tensors = {
        "training.generator": state.generator.get_state(),
        "training.dropout_generator": state.dropout_generator.get_state(),
    }
    document["tokens"] = fingerprint
    if (epoch := state.current) is not None:
        document["plan"] = {"offset": epoch.plan.offset, "left_over": epoch.plan.left_over}
        document["tally"] = {"seconds": epoch.seconds, "tokens": state.epoch_tokens}
        tensors["training.starts"] = epoch.plan.starts
        tensors |= {f"training.hidden.{i}": part for i, part in enumerate(epoch.hidden)}
        tensors |= {f"training.{name}": getattr(epoch, name) for name in _TALLIED}
    told, weights = capture_best(state)
    document |= told
    tensors |= weights
    document["optimizer"] = numbers = {}
    for name, parameter in state.model.named_parameters():
        for key, value in state.optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{_OPTIMIZER}{name}.{key}"] = value
            elif value is None or isinstance(value, bool | int | float):
                said = from_float(value) if isinstance(value, float) else value
                numbers[f"{name}.{key}"] = said
            else:
                raise StorageError(
                    say(
                        "the optimizer keeps {key!r}, {kind}, which a file cannot hold; it may"
                        " keep tensors and numbers",
                        key=key,
                        kind=a_kind(value),
                    )
                )
    return Contents(document, tensors)


def restore(state: TrainState, contents: Contents) -> None:
    """Restore a fresh state to what `capture` saved.

    Parameters
    ----------
    state
        The state of a training that has not begun, with the same model and the same minibatches.
    contents
        The result of `capture`.

    Raises
    ------
    StorageError
        When the contents are not valid.
    """
    read, tensors = Fields(contents.document, "training"), dict(contents.tensors)
    for name in _COUNTS:
        setattr(state, name, read.count(name))
    for name in _SECONDS:
        setattr(state, name, read.seconds(name))
    read.text("tokens")
    _set_generator(state.generator, tensors.pop("training.generator", None))
    _set_generator(state.dropout_generator, tensors.pop("training.dropout_generator", None))
    state.current = _read_epoch(state, read, tensors) if "plan" in read else None
    if state.step > (0 if state.current is None else len(state.current.plan)):
        raise StorageError(
            say("it is at step {step}, beyond the end of its epoch", step=state.step)
        )
    restore_best(state, read, tensors)
    _read_optimizer(state, read.mapping("optimizer"), tensors)
    read.end()
    if tensors:
        raise StorageError(
            say(
                "it has a tensor {tensor!r}, which this version does not know; update rnn_magics",
                tensor=min(tensors),
            )
        )


def complete_curve(run: Run, contents: Contents) -> None:
    """Add the epoch in which a run ended to its curve, which a checkpoint keeps up to that epoch.

    Raises
    ------
    StorageError
        When the contents are not valid.
    """
    if len(run.history) != len(run.curve.epochs) + 1:
        return
    read = Fields(contents.document, "training")
    step, seconds = read.count("step"), read.seconds("train_seconds")
    losses, norms = (contents.tensors.get(f"training.{name}") for name in _PER_STEP)
    if losses is None or norms is None or losses.shape != norms.shape or losses.dim() != 1:
        raise StorageError(say("the losses and norms of its epoch do not match"))
    run.curve.extend(losses[:step], norms[:step])
    run.curve.end_epoch(seconds)


def tokens_of(contents: Contents) -> str:
    """Return the fingerprint of the minibatches of a captured training."""
    return Fields(contents.document, "training").text("tokens")


def fingerprint_of(batches: Batches) -> str:
    """Return the sha256 of the training, held-out and test indices of minibatches."""
    digest = hashlib.sha256()
    tests = [batches.test] if len(batches.test) else []  # without one, as in older files
    for ids in (batches.ids, batches.valid, *tests):
        digest.update(len(ids).to_bytes(8, "little"))
        for start in range(0, len(ids), _BLOCK):
            block = ids[start : start + _BLOCK].cpu().long()  # the same for every integer type
            digest.update(block.numpy().tobytes())
    return digest.hexdigest()


def _set_generator(generator: torch.Generator, saved: Tensor | None) -> None:
    present = generator.get_state()
    if saved is None or saved.shape != present.shape or saved.dtype != present.dtype:
        raise StorageError(
            say("it lacks the state of a random generator, or has one of another device")
        )
    try:
        generator.set_state(saved.clone())
    except RuntimeError as error:
        raise StorageError(
            say("the state of a random generator is damaged: {error}", error=error)
        ) from None


def _read_epoch(state: TrainState, read: Fields, tensors: dict[str, Tensor]) -> EpochState:
    plan = _read_plan(read, tensors, state.batches)
    words = read.mapping("tally")
    seconds, tokens = words.seconds("seconds"), words.count("tokens")
    words.end()
    found: dict[str, Any] = {}
    for name in _TALLIED:
        value = tensors.pop(f"training.{name}", None)
        shape = (len(plan),) if name in _PER_STEP else ()
        if value is None or value.shape != shape or value.dtype != torch.float32:
            raise StorageError(
                say_number(
                    len(plan),
                    "the {name} of its epoch do not match its plan of {number} minibatch",
                    "the {name} of its epoch do not match its plan of {number} minibatches",
                    name=name,
                )
            )
        found[name] = value.clone().to(state.batches.ids.device)
    if tokens != state.epoch_tokens:
        raise StorageError(
            say_number(
                state.step,
                "it counts {tokens:,} tokens in its current epoch, but {step} step has {counted:,}",
                "it counts {tokens:,} tokens in its current epoch, but {step} steps have"
                " {counted:,}",
                tokens=tokens,
                step=state.step,
                counted=state.epoch_tokens,
            )
        )
    return EpochState(plan, _read_hidden(state, tensors), **found, seconds=seconds)


def _read_plan(read: Fields, tensors: dict[str, Tensor], batches: Batches) -> EpochPlan:
    words = read.mapping("plan")
    offset, left_over = words.count("offset"), words.count("left_over")
    words.end()
    starts = tensors.pop("training.starts", None)
    config = batches.config
    if starts is None or starts.dtype != torch.int64 or starts.shape[1:] != (config.batch_size,):
        raise StorageError(
            say_number(
                config.batch_size,
                "its plan of the epoch is not one of minibatches with {rows} row",
                "its plan of the epoch is not one of minibatches with {rows} rows",
                rows=config.batch_size,
            )
        )
    last = len(batches.ids) - config.num_steps - 1
    if not len(starts) or int(starts.min()) < 0 or int(starts.max()) > last:
        raise StorageError(say("its plan of the epoch has windows outside the text"))
    return EpochPlan(offset, starts.clone(), left_over)


def _read_hidden(state: TrainState, tensors: dict[str, Tensor]) -> State:
    begin = as_tuple(state.model.begin_state(state.batches.config.batch_size))
    found = [tensors.pop(f"training.hidden.{i}", None) for i in range(len(begin))]
    if all(part is None for part in found):  # before the first step
        return begin
    parts = []
    for like, part in zip(begin, found, strict=True):
        if part is None or part.shape != like.shape or part.dtype != like.dtype:
            raise StorageError(say("its hidden state does not match the model and the minibatches"))
        parts.append(torch.empty_like(like).copy_(part))
    return tuple(parts)


def _read_optimizer(state: TrainState, numbers: Fields, tensors: dict[str, Tensor]) -> None:
    named = dict(state.model.named_parameters())
    for place in [place for place in tensors if place.startswith(_OPTIMIZER)]:
        name, _, key = place.removeprefix(_OPTIMIZER).rpartition(".")
        if name not in named:
            raise StorageError(
                say(
                    "its optimizer has moments of {name!r}, which the model does not have",
                    name=name,
                )
            )
        value = _moment(state.optimizer, named[name], tensors.pop(place))
        if value is None:
            raise StorageError(
                say("tensor {place!r} does not have the shape of its parameter", place=place)
            )
        state.optimizer.state[named[name]][key] = value
    for place in numbers.keys:
        name, _, key = place.rpartition(".")
        number = numbers.take(place)
        if name not in named or not (number is None or isinstance(number, bool | int | float)):
            raise StorageError(
                say("its optimizer has {place!r}, which does not belong to this model", place=place)
            )
        state.optimizer.state[named[name]][key] = number


def _moment(optimizer: torch.optim.Optimizer, parameter: Tensor, value: Tensor) -> Tensor | None:
    # In the memory order of the parameter, since an update may run over both in memory order.
    if value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
    if value.dim():
        return None
    # A count of steps stays on the CPU unless the device itself counts.
    counts = any(group.get("fused") or group.get("capturable") for group in optimizer.param_groups)
    return value.clone().to(parameter.device if counts else "cpu")


def check_same(run: Run, contents: Contents, batches: Batches, fingerprint: str) -> None:
    """Check that minibatches are those that a run was trained on.

    Raises
    ------
    StorageError
        When they differ.
    """
    config = run.config.batching
    if batches.config != config:
        raise StorageError(
            say(
                "run {name!r} was trained on {config!r}, but the minibatches are {now!r};"
                " type %sample {batching} --batch-size {rows} --num-steps {num_steps}",
                name=run.name,
                config=config,
                now=batches.config,
                batching=config.batching,
                rows=config.batch_size,
                num_steps=config.num_steps,
            )
        )
    if batches.vocab != run.vocab:
        differ = disagreement(run.vocab, batches.vocab)
        differ = differ or say(
            "it has {before!r}, and they {now!r}", before=run.vocab, now=batches.vocab
        )
        raise StorageError(
            say(
                "run {name!r} has another vocabulary than the minibatches: {differ}; type the"
                " %corpus, %vocab and %sample of the run again",
                name=run.name,
                differ=differ,
            )
        )
    if tokens_of(contents) != fingerprint:
        bare = say("bare indices")
        name, sha256 = run.corpus or (bare, "")
        now = batches.corpus
        raise StorageError(
            say(
                "run {name!r} was trained on other tokens, from {before!r} ({sha256}), than the"
                " minibatches, from {now}; type the %corpus of the run again",
                name=run.name,
                before=name,
                sha256=sha256[:12],
                now=f"{now.name!r} ({now.fingerprint[:12]})" if now else bare,
            )
        )
