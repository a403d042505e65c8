"""The scores of a run in a file, and the best weights beside those of the last step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from rnn_magics.errors import StorageError
from rnn_magics.language import say
from rnn_magics.models.ngram import MAX_ORDER
from rnn_magics.models.rnn_model import RNNModel, weights
from rnn_magics.scores.ladder import Ladder
from rnn_magics.storage.container import Contents
from rnn_magics.storage.strict import Fields, from_float, require_same
from rnn_magics.text.counts import TextCounts
from rnn_magics.text.indexing.sizes import TextSize
from rnn_magics.training.curve import Curve
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.best import Best
from rnn_magics.training.scoring.record import Record, ScoreBetween
from rnn_magics.training.scoring.test_part import TestPart
from rnn_magics.training.state import TrainState

_MOST_SCORES = 1 << 24
_BEST, _LAST = "training.best.", "training.last."


def write_between(run: Run) -> list[dict[str, Any]] | None:
    """Return the scores between epoch ends; None without any."""
    return [{**asdict(score), "nats": from_float(score.nats)} for score in run.between] or None


def read_between(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_between` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    return {"between": Fields.each(plain, "between", _read_score, _MOST_SCORES)}


def _read_score(read: Fields) -> ScoreBetween:
    epoch, steps, tokens = (read.count(name) for name in ("epoch", "steps", "tokens"))
    return ScoreBetween(epoch, steps, tokens, read.seconds("seconds"), read.number("nats"))


def write_ladder(run: Run) -> dict[str, Any] | None:
    """Return the baselines of a run; None if they were not fitted."""
    return None if run.ladder is None else run.ladder.to_dict()


def read_ladder(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_ladder` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "ladder")
    rungs = read.take("rungs")
    read.count("uniform")
    read.count("num_valid_tokens")
    read.end()
    if not isinstance(rungs, list) or not 1 <= len(rungs) <= MAX_ORDER:
        raise StorageError(
            say("ladder.rungs is not a list of 1 to {most} n-gram models", most=MAX_ORDER)
        )
    try:
        ladder = Ladder.from_dict(plain)
    except (ValueError, TypeError, OverflowError) as error:
        raise StorageError(say("ladder cannot be read: {error}", error=error)) from None
    orders = [rung.order for rung in ladder]
    if any(type(order) is not int or not 1 <= order <= MAX_ORDER for order in orders):
        raise StorageError(say("ladder.rungs has orders other than 1 to {most}", most=MAX_ORDER))
    require_same("ladder", ladder.to_dict(), plain)
    return {"ladder": ladder}


def record_of(found: Mapping[str, Any]) -> Record:
    """Return the held-out scores of a run whose fields were read without its model."""
    return Record(
        found["history"],
        found.get("curve", Curve()),
        found.get("between", []),
        found["steps"],
        found["reason"],
        found.get("weights_from"),
    )


def write_counts(run: Run) -> dict[str, Any] | None:
    """Return the counts of both parts of the text of a run; None without any."""
    counts = {"train": run.train_counts, "valid": run.valid_counts}
    return {part: _plain_counts(c) for part, c in counts.items() if c is not None} or None


def _plain_counts(counts: TextCounts) -> dict[str, Any]:
    """Return counts as plain values for JSON."""
    plain = asdict(counts)
    for name in ("num_documents", "size"):
        if plain[name] is None:
            del plain[name]
    return plain


def read_counts(plain: Any) -> dict[str, Any]:
    """Return the fields of a run that `write_counts` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "counts")
    found = {f"{part}_counts": _read_text_counts(read.take(part)) for part in read.keys}
    if not found or not found.keys() <= {"train_counts", "valid_counts"}:
        raise StorageError(say("counts has other keys than train and valid, or none"))
    return found


def _read_text_counts(plain: Any) -> TextCounts:
    """Return the counts that `plain_counts` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "counts")
    share = read.share("unk_share")
    words = None if plain.get("num_words", 0) is None else read.count("num_words")
    if words is None:
        read.take("num_words")
    documents = read.count("num_documents") if "num_documents" in read else None
    size = _read_size(read.mapping("size")) if "size" in read else None
    read.end()
    return TextCounts(share, words, documents, size)


def _read_size(read: Fields) -> TextSize:
    characters, num_bytes = read.count("num_characters"), read.count("num_bytes")
    lost = read.seconds("lost_bits")
    read.end()
    return TextSize(characters, num_bytes, lost)


def write_test(run: Run) -> dict[str, Any] | None:
    """Return the test part of a run; None without one."""
    if (test := run.test) is None:
        return None
    nats = None if test.nats is None else from_float(test.nats)
    counts = {} if test.counts is None else {"counts": _plain_counts(test.counts)}
    return {"num_tokens": test.num_tokens, "nats": nats, **counts}


def read_test(plain: Any) -> dict[str, Any]:
    """Return the field of a run that `write_test` wrote.

    Raises
    ------
    StorageError
        When it is not valid.
    """
    read = Fields(plain, "test")
    number, nats = read.count("num_tokens"), read.number("nats", optional=True)
    counts = _read_text_counts(read.take("counts")) if "counts" in read else None
    read.end()
    return {"test": TestPart(number, nats, counts)}


def capture_best(state: TrainState) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the best score of a training as a document, and the weights that the model lacks.

    These are the best weights; of a training that is over, those of the last step.
    """
    if (best := state.best) is None:
        return {}, {}
    told = {"nats": from_float(best.nats), "steps": best.steps, "epoch": best.epoch}
    told |= {"waited": best.waited, "is_in_model": best.is_in_model}
    prefix = _LAST if best.is_in_model else _BEST
    return {"best": told}, {f"{prefix}{name}": value for name, value in best.weights.items()}


def take_best(run: Run, training: Contents) -> bool:
    """Give a run that was read from a checkpoint its best weights; return whether it has them.

    Raises
    ------
    StorageError
        When they are not valid.
    """
    if "best" not in training.document:
        return False
    read = Fields(training.document["best"], "training.best")
    steps, kept = read.count("steps"), _read_weights(run.model, training.tensors, _BEST)
    if not kept:
        return False
    Best(0.0, steps, 0, weights=kept).exchange(run.model)
    run.weights_from = steps
    return True


def _read_weights(model: RNNModel, tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    if not any(name.startswith(prefix) for name in tensors):
        return {}
    kept = {}
    for name, like in weights(model).items():
        found = tensors.get(f"{prefix}{name}")
        if found is None or found.shape != like.shape or found.dtype != like.dtype:
            raise StorageError(say("its best weights do not match the model"))
        kept[name] = torch.empty_like(like, requires_grad=False).copy_(found)
    return kept


def restore_best(state: TrainState, read: Fields, tensors: dict[str, Tensor]) -> None:
    """Restore what `capture_best` saved; the model then has the weights of the last step.

    Parameters
    ----------
    state
        The state to restore; its model has the weights of the file.
    read, tensors
        The document and the tensors of the training, from which these are taken.

    Raises
    ------
    StorageError
        When they are not valid.
    """
    if "best" not in read:
        return
    words = read.mapping("best")
    nats, (steps, epoch, waited) = words.number("nats"), map(words.count, _COUNTS)
    is_in_model = words.flag("is_in_model")
    words.end()
    prefix = _LAST if is_in_model else _BEST
    kept = _read_weights(state.model, tensors, prefix)
    for name in kept:
        del tensors[f"{prefix}{name}"]
    state.best = Best(nats, steps, epoch, waited, kept, is_in_model and bool(kept))
    if state.best.is_in_model:
        state.best.exchange(state.model)


_COUNTS = ("steps", "epoch", "waited")
