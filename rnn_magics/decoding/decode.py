"""The loop of decoding: choose a token in every row, read it, repeat.

There are two paths, which write the same tokens: `iter_plain` calls model and decoder, a step at a
time; `iter_compiled` runs many steps in one compiled call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, draw, greedy, offered
from rnn_magics.decoding.mask import Rows
from rnn_magics.decoding.prefix import (
    Prefix,
    Read,
    Reader,
    read_by_model,
    read_tokens,
    select_rows,
)
from rnn_magics.errors import DecodingError
from rnn_magics.language import say
from rnn_magics.models import fast
from rnn_magics.models.rnn_model import RNNModel

_BLOCK = 32
"""Steps whose random numbers are drawn at once."""
_MOST_STEPS, _AT_ONCE = 512, 1 << 26
"""How much a compiled call writes: so many steps at most, but one block at least, of so many
multiplications, which take a few milliseconds. An interrupt is handled, and what is written is
shown, between two calls."""
_SHORT = 16
"""Tokens of a prefix that the compiled loop reads. A longer one is read quicker by the model, which
multiplies the inputs of all steps at once."""


@dataclass(frozen=True)
class Written:
    """Some steps of a decoding: the next tokens of every row.

    Parameters
    ----------
    indices
        Token indices, (num_steps, num_rows).
    log_probs
        Natural log-probabilities under the model, (num_steps, num_rows).
    """

    indices: Tensor
    log_probs: Tensor


def iter_decode(
    model: RNNModel,
    prefix: Prefix,
    config: DecodingConfig,
    seeds: Sequence[int] | None = None,
    form: Rows | None = None,
) -> Iterator[Written]:
    """Write `config.length` tokens in each row, some steps at a time.

    Parameters
    ----------
    model, prefix, config
        The model, the prefix that it has read, and how the tokens are chosen.
    seeds
        The seed of each row; by default one row with the seed of the configuration.
    form
        The rows in their form, which takes the plain path; it follows each step.

    Raises
    ------
    DecodingError
        When the model predicts nan.
    """
    seeds = [int(config.seed)] if seeds is None else seeds
    if form is None and is_compiled(model, config):
        steps = iter_compiled(model, prefix, config, seeds)
    else:
        steps = iter_plain(model, prefix, config, seeds, form)
    for written in steps:
        if written.log_probs.isnan().any():
            raise DecodingError(
                say(
                    "the model predicts nan: its training has diverged; load an earlier epoch, or"
                    " train again with a smaller --lr or --clip"
                )
            )
        if form is not None:
            form.take(written.indices[0].tolist())
        yield written


def is_compiled(model: RNNModel, config: DecodingConfig) -> bool:
    """Whether decoding takes the compiled path.

    It does if the compiled loop computes exactly what the model would: the model is an `RNNModel`
    in one direction and without hooks, its engine is ``compiled`` (which needs numba, the CPU,
    float32 or float64, and a built-in cell without ``scratch``), and the decoder is ``draw`` or
    ``greedy``.
    """
    hooked = any(
        module._forward_hooks or module._forward_pre_hooks  # noqa: SLF001  (torch has no other way)
        for module in model.modules()
    )
    return (
        type(model) is RNNModel
        and model.engine == "compiled"
        and not model.config.bidirectional
        and not hooked
        and DECODERS[config.decoder] in (draw, greedy)
    )


def reader_of(model: RNNModel, config: DecodingConfig) -> Reader:
    """Return what reads a prefix: what will also write, so far as that is possible."""
    if config.beam or not is_compiled(model, config):
        return read_by_model
    from rnn_magics.decoding.compiled import read_prefix_tokens  # noqa: PLC0415  (needs numba)

    def read(model: RNNModel, indices: Tensor) -> Read:
        begins_anew = model.resets(indices[:, 1:])
        is_short = indices.shape[1] <= _SHORT and int(indices.max()) < model.vocab_size
        if is_short and (begins_anew is None or not begins_anew.any()):
            return read_prefix_tokens(model, indices, config.length)
        return read_by_model(model, indices)

    return read


def is_ready(model: RNNModel, config: DecodingConfig) -> bool:
    """Whether a model can write without compiling anything first."""
    if config.beam or not is_compiled(model, config):
        return True
    from rnn_magics.models.fast.writing.loop import write_rows  # noqa: PLC0415  (needs numba)

    return fast.is_kept(write_rows)


def iter_plain(
    model: RNNModel,
    prefix: Prefix,
    config: DecodingConfig,
    seeds: Sequence[int],
    form: Rows | None = None,
) -> Iterator[Written]:
    """Decode with the model's own forward pass, one step at a time."""
    choose, num = DECODERS[config.decoder], len(seeds)
    logits = prefix.logits.expand(num, -1)  # (num, vocab_size)
    state, last = select_rows(prefix.state, torch.zeros(num, dtype=torch.long)), None
    for block in uniforms(seeds, config.length):
        for u in block:
            if last is not None:
                after, state = read_tokens(model, last, state)
                logits = after[:, -1]
            left = form.offered(logits) if form else offered(logits, config, model.marks)
            indices = choose(left, config, u)  # (num,)
            last = indices[:, None]
            log_probs = logits.log_softmax(dim=-1).gather(-1, last)
            yield Written(indices[None], log_probs.t())


def iter_compiled(
    model: RNNModel, prefix: Prefix, config: DecodingConfig, seeds: Sequence[int]
) -> Iterator[Written]:
    """Decode with the compiled loop, a block of steps at a time."""
    from rnn_magics.decoding.compiled import Writer  # noqa: PLC0415  (needs numba)

    writer = Writer(model, prefix, config, len(seeds))
    at_once = min(max(_AT_ONCE // writer.num_products, _BLOCK), _MOST_STEPS)
    for block in uniforms(seeds, config.length, _MOST_STEPS):
        for numbers in torch.split(block, at_once):
            yield Written(*writer.write(numbers))


def uniforms(seeds: Sequence[int], length: int, at_once: int = _BLOCK) -> Iterator[Tensor]:
    """Yield the numbers in [0, 1) that decide the draws, in blocks (num_steps, num_rows), float64.

    Each row has a generator of its own, so that its text does not depend on the other rows. A
    generator yields the same numbers however many are drawn at once, so a shorter text is the
    beginning of a longer one, and `at_once`, the steps of a block, changes none.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for begin in range(0, length, at_once):
        size = min(at_once, length - begin)
        rows = [torch.rand(size, dtype=torch.float64, generator=g) for g in generators]
        yield torch.stack(rows, dim=1)
