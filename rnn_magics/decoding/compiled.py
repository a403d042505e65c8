"""A model, packed for the compiled loop of decoding (needs numba)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.decoding.decoders import DECODERS, DecodingConfig, greedy
from rnn_magics.decoding.prefix import Prefix, Read
from rnn_magics.language import say
from rnn_magics.models.cells import Cell, GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, RNNCell
from rnn_magics.models.fast.functions import ROWS_IN_TIME
from rnn_magics.models.fast.layout import pack
from rnn_magics.models.fast.linear import GRAIN
from rnn_magics.models.fast.running.regions import run
from rnn_magics.models.fast.writing import loop
from rnn_magics.models.fast.writing.choosing import Rule
from rnn_magics.models.fast.writing.loop import Array, Weights, write_rows
from rnn_magics.models.forked import check_fork
from rnn_magics.models.rnn_model import RNNModel

_STEPS: dict[type[Cell], int] = {
    RNNCell: loop.RNN,
    GRUCell: loop.GRU,
    LSTMCell: loop.LSTM,
    MinGRUCell: loop.MINGRU,
    MinLSTMCell: loop.MINLSTM,
}


class Writer:
    """Rows that continue a prefix; the weights of the model are copied once.

    Parameters
    ----------
    model
        A model that `is_compiled` accepts.
    prefix
        The prefix that the model has read.
    config
        How the tokens are chosen.
    num
        The number of rows.
    """

    def __init__(self, model: RNNModel, prefix: Prefix, config: DecodingConfig, num: int) -> None:
        vocab_size = len(model.output.weight)
        # Not times num: a row is computed alike, to the last bit, alone and among others.
        self._weights = prefix.packed or pack_model(model, config.length)
        self._rule = Rule(
            DECODERS[config.decoder] is greedy or config.temperature == 0,
            config.temperature,
            vocab_size if config.top_k is None else min(config.top_k, vocab_size),
            math.inf if config.top_p is None else config.top_p,
            config.no_unk,
            -1 if model.marks is None else model.marks.begin,
        )
        rows = torch.stack(prefix.state).expand(-1, -1, num, -1)
        self._state = rows.contiguous().numpy()  # (num_states, num_layers, num, num_hiddens)
        logits = prefix.logits.to(model.output.weight.dtype).repeat(num, 1)
        self._logits = logits.numpy()  # (num, vocab_size)

    def write(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token in each row for each step of the random numbers.

        Parameters
        ----------
        uniforms
            The numbers that decide the draws, in [0, 1), (num_steps, num_rows), float64.

        Returns
        -------
        indices, log_probs : Tensor
            Shape (num_steps, num_rows).
        """
        numbers = uniforms.numpy()
        indices, log_probs = np.zeros(numbers.shape, np.int64), np.empty(numbers.shape)
        given = (self._weights, self._rule, numbers, self._state, self._logits, indices, log_probs)
        run(write_rows, numbers.shape[1], GRAIN, ROWS_IN_TIME, *given)
        return torch.from_numpy(indices), torch.from_numpy(log_probs)

    @property
    def num_products(self) -> int:
        """The multiplications of a step of all rows, about."""
        weights = self._weights
        multiplied = (weights.first, weights.inputs, weights.recurrent, weights.output)
        return len(self._logits) * sum(part.size for part in multiplied)


@torch.no_grad()
def read_prefix_tokens(model: RNNModel, indices: Tensor, num_tokens: int) -> Read:
    """Read a short prefix; as `rnn_magics.decoding.prefix.read_by_model`.

    Parameters
    ----------
    model
        A model that `is_compiled` accepts.
    indices
        Tokens of its vocabulary, (1, num_steps). None but the first begins a document.
    num_tokens
        How many tokens will be written after them, see `pack_model`.
    """
    check_fork()
    begin = model.rnn.begin_state(1, model.output.weight.device)
    state = torch.stack(begin)  # (num_states, num_layers, 1, num_hiddens)
    tokens = indices.t().contiguous()  # (num_steps, 1)
    log_probs = np.empty(tokens.shape)
    logits = state.new_zeros(1, len(model.output.weight))
    rule = Rule(greedy=True, temperature=1.0, top_k=1, top_p=1.0, no_unk=False, given=True)
    result = (state.numpy(), logits.numpy(), tokens.numpy(), log_probs)
    weights = pack_model(model, num_tokens)
    run(write_rows, 1, GRAIN, ROWS_IN_TIME, weights, rule, np.zeros(tokens.shape), *result)
    return logits.float(), tuple(state), (-log_probs[1:, 0]).tolist(), weights


@torch.no_grad()
def pack_model(model: RNNModel, num_tokens: int) -> Weights:
    """Pack the weights of a model for the compiled loop.

    Parameters
    ----------
    model
        A model of built-in cells, in one direction.
    num_tokens
        The number of tokens that each row will read. If the vocabulary is not larger, the products
        of the embedding with the weights of the first layer are computed in advance.

    Raises
    ------
    ValueError
        When the output of the model is not as wide as its input.
    """
    cells = model.rnn.cells
    output, embedding = model.output, model.embedding
    lowest, *upper = (cell.weight_ih for cell in cells)
    first: list[Tensor] = []
    if embedding is None:
        table = lowest.t()
    elif len(embedding.weight) <= num_tokens:
        table = F.linear(embedding.weight, lowest)
    else:
        table, first = embedding.weight, [lowest]
    if len(table) != len(output.weight):  # the compiled loop does not check its indices
        raise ValueError(
            say(
                "the model reads {read} tokens and writes {written}",
                read=len(table),
                written=len(output.weight),
            )
        )
    step, size = _STEPS[type(cells[0])], model.config.num_hiddens
    recurrent = _panels([_inner(cell)[0] for cell in cells])
    nothing = np.empty((0, *recurrent.shape[1:]), recurrent.dtype)
    inner = torch.stack([_inner(cell)[1] for cell in cells])  # (num_layers, columns)
    bias_n = inner[:, -size:].clone()
    if step == loop.GRU:
        inner[:, -size:] = 0
    bias = torch.stack([cell.bias_ih for cell in cells]) + inner
    return Weights(
        table.contiguous().numpy(),
        _panels(first)[0] if first else nothing[:, 0],
        _panels(upper) if upper else nothing,
        recurrent,
        bias.numpy(),
        bias_n.numpy(),
        _panels([output.weight])[0],
        output.bias.numpy(),
        step,
    )


def _inner(cell: Cell) -> tuple[Tensor, Tensor]:
    # What multiplies the state, and its bias; the product with nothing is zero.
    if cell.multiplies_state:
        return cell.weight_hh, cell.bias_hh
    return cell.weight_ih[:, :0], torch.zeros_like(cell.bias_ih)


def _panels(weights: Sequence[Tensor]) -> Array:
    # Stacked by torch, whose memory begins at a cache line; that of NumPy may not.
    packed = [torch.from_numpy(pack(weight.t())) for weight in weights]
    return torch.stack(packed).numpy() if len(packed) > 1 else packed[0][None].numpy()
