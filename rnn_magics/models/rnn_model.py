"""RNNModel: token indices in, logits and state out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_magics.errors import ConfigError, ModelError
from rnn_magics.models.cells import CELLS, State
from rnn_magics.models.engines import ENGINES, compile_cell, is_compiled
from rnn_magics.models.forked import check_fork
from rnn_magics.models.recurrent import Dropout, RecurrentStack
from rnn_magics.options import AT_LEAST_ONE, FRACTION, Options, option


@dataclass(frozen=True, repr=False)
class ModelConfig(Options):
    """The architecture of an `RNNModel`."""

    cell: str = option("gru", "the recurrent cell", choices=lambda: list(CELLS))
    num_hiddens: int = option(256, "size of the hidden state", within=AT_LEAST_ONE)
    num_layers: int = option(1, "recurrent layers on top of each other", within=AT_LEAST_ONE)
    dropout: float = option(
        0.0, "share of activations dropped between layers and before the output", within=FRACTION
    )
    embedding_size: int | None = option(
        None, "size of a learnt token embedding; one-hot if not said", within=AT_LEAST_ONE
    )
    tie: bool = option(False, "use the embedding as output weights, too")
    bidirectional: bool = option(
        False, "read backwards as well; sees the future, so no language model"
    )
    scratch: bool = option(False, "run the cell step by step as written from its equations")

    def __post_init__(self) -> None:
        """Check each value, and that they fit together."""
        super().__post_init__()
        if not self.tie:
            return
        if self.bidirectional:
            msg = "tie needs an output as wide as the embedding; leave bidirectional out"
            raise ConfigError(msg)
        if self.embedding_size not in (None, self.num_hiddens):
            msg = (
                f"tie needs embedding_size = num_hiddens, not {self.embedding_size} and"
                f" {self.num_hiddens}"
            )
            raise ConfigError(msg)
        object.__setattr__(self, "embedding_size", self.num_hiddens)


# The model draws their weights from its own generator; torch would move the global one.
class _Embedding(nn.Embedding):
    def reset_parameters(self) -> None:
        pass


class _Linear(nn.Linear):
    def reset_parameters(self) -> None:
        pass


class RNNModel(nn.Module):
    r"""A recurrent language model.

    .. math:: o_t = W_{ho} h_t + b_o, \quad p(x_{t+1} = i \mid x_{\le t}) = \mathrm{softmax}(o_t)_i

    Parameters
    ----------
    config
        The architecture.
    vocab_size
        The number of token indices.
    generator
        Draws the initial weights; the global one if not given.

    Notes
    -----
    Without an embedding the input is one-hot: the columns of the input weights are looked up
    by token index, which equals multiplying them by one-hot vectors. All weights begin as
    `torch.nn` draws them, U(-1/sqrt(n), 1/sqrt(n)), an embedding as U(-0.1, 0.1). Dropout
    acts on the connections between layers and into the output, not on those in time
    (Zaremba et al. 2014).
    """

    def __init__(
        self, config: ModelConfig, vocab_size: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if vocab_size < 1:
            msg = f"a model needs at least one token, not {vocab_size}"
            raise ModelError(msg)
        self.config = config
        check_fork()
        self.vocab_size = vocab_size
        self.embedding: nn.Embedding | None = None
        if config.embedding_size is not None:
            self.embedding = _Embedding(vocab_size, config.embedding_size)
        self.rnn = RecurrentStack(
            config.cell,
            config.embedding_size or vocab_size,
            config.num_hiddens,
            config.num_layers,
            dropout=config.dropout,
            bidirectional=config.bidirectional,
            scratch=config.scratch,
        )
        self.dropout = Dropout(config.dropout)
        self.output = _Linear(self.rnn.output_size, vocab_size)
        self.reset_parameters(generator)
        if config.tie and self.embedding is not None:
            self.output.weight = self.embedding.weight

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            for cell in self.rnn.cells:
                cell.reset_parameters(generator)
            bound = self.output.in_features**-0.5
            for parameter in self.output.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
            if self.embedding is not None:
                self.embedding.weight.uniform_(-0.1, 0.1, generator=generator)

    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> ModelState:
        """Return the state before the first token, zeros.

        Returns
        -------
        Tensor or tuple of Tensor
            Shape (num_layers * num_directions, batch_size, num_hiddens); for an LSTM the
            pair (h, c) of two such tensors.
        """
        device = self.output.weight.device if device is None else torch.device(device)
        return as_public(self.rnn.begin_state(batch_size, device))

    def forward(self, inputs: Tensor, state: ModelState | None = None) -> tuple[Tensor, ModelState]:
        """Predict the token after each token.

        Parameters
        ----------
        inputs
            Token indices, (batch_size, num_steps).
        state
            What `begin_state` or an earlier call returned; zeros if not given.

        Returns
        -------
        logits : Tensor
            Shape (batch_size, num_steps, vocab_size).
        state : Tensor or tuple of Tensor
            After the last token, shaped like `begin_state`.
        """
        check_fork()
        if state is None:
            state = self.begin_state(inputs.shape[0], inputs.device)
        steps = inputs.t()  # (num_steps, batch_size)
        if self.embedding is not None:
            steps = self.dropout(self.embedding(steps))  # (num_steps, batch_size, embedding_size)
        outputs, last = self.rnn(steps, as_tuple(state))
        linear = ENGINES[self.engine].linear
        outputs = self.dropout(outputs)  # (num_steps, batch_size, output_size)
        logits = linear(outputs, self.output.weight, self.output.bias)
        return logits.transpose(0, 1), as_public(last)

    def seed_dropout(self, generator: torch.Generator | None) -> None:
        """Let every dropout draw from `generator`."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.generator = generator

    @property
    def num_parameters(self) -> int:
        """The number of weights that are learnt."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def engine(self) -> str:
        """How the model is computed where it is, a name of `ENGINES`."""
        return self.rnn.engine

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to be compiled before the model runs."""
        return self.engine != "compiled" or is_compiled(self.config.cell)

    def make_ready(self) -> None:
        """Compile what the model runs through, or load what an earlier session compiled."""
        if not self.is_ready:
            compile_cell(self.config.cell, self.output.weight.dtype)


ModelState = Tensor | tuple[Tensor, ...]


def as_tuple(state: ModelState) -> State:
    """Return a state in the form that everything behind the model's call works with."""
    return (state,) if isinstance(state, Tensor) else state


def as_public(state: State) -> ModelState:
    """Return a state in the form of `RNNModel.begin_state`: a tensor, or the pair of an LSTM."""
    return state[0] if len(state) == 1 else state


def detach(state: ModelState) -> ModelState:
    """Return the state cut off from the graph, so that no gradient crosses into the past."""
    # Not by way of `as_tuple`: the module of someone else may ask for a tuple of one.
    return state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)


@torch.no_grad()
def read(model: RNNModel, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Call a model, hooks and all, without gradient and dropout; its training mode stays."""
    was_training = model.training
    model.eval()
    try:
        logits, last = model(inputs, None if state is None else as_public(state))
    finally:
        model.train(was_training)
    return logits, as_tuple(last)


def copy_model(model: RNNModel) -> RNNModel:
    """Return an independent copy of a model, in evaluation mode, of its device and precision."""
    unused = torch.Generator()  # so that a look at a run does not move the global generator
    copy = RNNModel(model.config, model.vocab_size, unused).to(model.output.weight)
    copy.load_state_dict(model.state_dict())
    return copy.eval()


def require_finite(model: nn.Module) -> None:
    """Refuse a model of which a weight is no number; what it computes would mean nothing.

    Raises
    ------
    ModelError
        Which names the first such parameter.
    """
    for name, parameter in model.named_parameters():
        if (finite := parameter.detach().isfinite()).all():
            continue
        first = parameter.detach()[~finite][0].item()
        count = int((~finite).sum())
        msg = (
            f"{name} holds {first} ({count:,} of its {parameter.numel():,} numbers are not finite):"
            " the training that made the model has diverged; load an earlier epoch, or train anew"
            " with a lower learning rate or clip"
        )
        raise ModelError(msg)
