"""RNNModel: token indices in, logits and state out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnn_magics.errors import ConfigError, ModelError
from rnn_magics.language import say, say_number
from rnn_magics.models.cells import CELLS, State
from rnn_magics.models.engines import ENGINES, compile_cell, is_compiled
from rnn_magics.models.fast.ahead import ahead
from rnn_magics.models.forked import check_fork
from rnn_magics.models.recurrent import Dropout, RecurrentStack, Share
from rnn_magics.options import AT_LEAST_ONE, FRACTION, Options, option
from rnn_magics.text.documents import Marks
from rnn_magics.text.vocab import Vocab


@dataclass(frozen=True, repr=False)
class ModelConfig(Options):
    """The architecture of an `RNNModel`."""

    cell: str = option("gru", "the recurrent cell", choices=lambda: list(CELLS), label="Cell")
    num_hiddens: int = option(
        256, "size of the hidden state", within=AT_LEAST_ONE, label="Hidden units"
    )
    num_layers: int = option(
        1, "recurrent layers on top of each other", within=AT_LEAST_ONE, label="Layers"
    )
    dropout: float = option(
        0.0,
        "share of activations dropped between layers and before the output",
        within=FRACTION,
        label="Dropout",
    )
    embedding_size: int | None = option(
        None,
        "size of a learnt token embedding; by default one-hot",
        within=AT_LEAST_ONE,
        label="Embedding size",
    )
    tie: bool = option(
        False, "share the embedding weights with the output", label="Tie embedding and output"
    )
    bidirectional: bool = option(
        False,
        "read backwards as well; such a model sees the future, so it is no language model",
        label="Bidirectional",
    )
    scratch: bool = option(
        False, "run the cell step by step, as written from its equations", label="Step by step"
    )

    learn_state: bool = option(
        False, "learn the state before the first token instead of zeros", label="Learnt first state"
    )

    def __post_init__(self) -> None:
        """Check each value, and that the values fit together."""
        super().__post_init__()
        if not self.tie:
            return
        if self.bidirectional:
            raise ConfigError(
                say("tie needs an output as wide as the embedding; leave out bidirectional")
            )
        if self.embedding_size not in (None, self.num_hiddens):
            raise ConfigError(
                say(
                    "tie needs embedding_size = num_hiddens, not {size} and {hidden}; leave out"
                    " embedding_size",
                    size=self.embedding_size,
                    hidden=self.num_hiddens,
                )
            )
        object.__setattr__(self, "embedding_size", self.num_hiddens)

    @property
    def in_brief(self) -> str:
        """The cell and the size of its state, e.g. ``gru, 256 hidden units``."""
        return say_number(
            self.num_hiddens,
            "{cell}, {number} hidden unit",
            "{cell}, {number} hidden units",
            cell=self.cell,
        )


# The model draws the weights from its own generator; torch would draw from the global one.
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
        Draws the initial weights; by default the global generator.

    Attributes
    ----------
    vocab : Vocab or None
        What its token indices meant in its training; None before, and for bare indices.

    Notes
    -----
    Without an embedding the input is one-hot: columns of the input weights are looked up by token
    index, which equals multiplying them by one-hot vectors. Weights are initialized as in
    `torch.nn`, from U(-1/sqrt(n), 1/sqrt(n)), and an embedding from U(-0.1, 0.1). Dropout acts
    between layers and before the output, not on the recurrent connections (Zaremba et al. 2014).
    A model whose vocabulary is that of documents starts from `begin_state` wherever it reads
    ``<bos>``. With ``learn_state`` that state is a parameter, zeros at first: with ``random``
    minibatches it has a gradient from each, with ``seq`` from the first of an epoch, and from every
    document.
    """

    def __init__(
        self, config: ModelConfig, vocab_size: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if vocab_size < 1:
            raise ModelError(
                say(
                    "a model needs a vocabulary of at least one token, not {vocab_size}",
                    vocab_size=vocab_size,
                )
            )
        self.config = config
        check_fork()
        self.vocab_size = vocab_size
        self.vocab: Vocab | None = None
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
        if config.learn_state:
            self.rnn.learn_initial()
        self.dropout = Dropout(config.dropout)
        self.output = _Linear(self.rnn.output_size, vocab_size)
        self.reset_parameters(generator)
        if config.tie and self.embedding is not None:
            self.output.weight = self.embedding.weight

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights again."""
        with torch.no_grad():
            for cell in self.rnn.cells:
                cell.reset_parameters(generator)
            bound = self.output.in_features**-0.5
            for parameter in self.output.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
            if self.embedding is not None:
                self.embedding.weight.uniform_(-0.1, 0.1, generator=generator)
            for part in self.rnn.initial or ():
                part.zero_()

    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> ModelState:
        """Return the state before the first token: zeros, or with ``learn_state`` what was learnt.

        Returns
        -------
        Tensor or tuple of Tensor
            Shape (num_layers * num_directions, batch_size, num_hiddens); for an LSTM, a pair
            (h, c) of such tensors.
        """
        device = self.output.weight.device if device is None else torch.device(device)
        return as_public(self.rnn.begin_state(batch_size, device))

    def forward(self, inputs: Tensor, state: ModelState | None = None) -> tuple[Tensor, ModelState]:
        """Compute the logits of the token that follows each token.

        Parameters
        ----------
        inputs
            Token indices, (batch_size, num_steps).
        state
            The state from `begin_state` or an earlier call; by default the former.

        Returns
        -------
        logits : Tensor
            Shape (batch_size, num_steps, vocab_size).
        state : Tensor or tuple of Tensor
            The state after the last token, shaped like `begin_state`.
        """
        check_fork()
        if state is None:
            state = self.begin_state(inputs.shape[0], inputs.device)
        steps = inputs.t()  # (num_steps, batch_size)
        resets = self.resets(steps)
        if self.embedding is not None:
            steps = self.dropout(self.embedding(steps))  # (num_steps, batch_size, embedding_size)
        outputs, last = self.rnn(steps, as_tuple(state), resets)
        linear = ENGINES[self.engine].linear
        outputs = self.dropout(outputs)  # (num_steps, batch_size, output_size)
        logits = linear(outputs, self.output.weight, self.output.bias)
        return logits.transpose(0, 1), as_public(last)

    @property
    def marks(self) -> Marks | None:
        """The indices that mark documents; None if the model knows no documents."""
        return None if self.vocab is None else self.vocab.marks

    def resets(self, inputs: Tensor) -> Tensor | None:
        """Return where a document begins, before which the state is that of `begin_state` again.

        Parameters
        ----------
        inputs
            Token indices, of any shape.

        Returns
        -------
        Tensor or None
            Booleans shaped like `inputs`; None if the model knows no documents.
        """
        return None if self.marks is None else inputs == self.marks.begin

    def seed_dropout(self, generator: torch.Generator | None) -> None:
        """Make every dropout draw from `generator`."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.generator = generator

    def share_dropout(self, share: Share | None) -> None:
        """Make every dropout draw the masks of whole minibatches, of which it is given a share."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.share = share

    @property
    def num_parameters(self) -> int:
        """The number of learnt weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def engine(self) -> str:
        """The engine that runs the model on its present device, a name of `ENGINES`."""
        return self.rnn.engine

    @property
    def is_ready(self) -> bool:
        """Whether the model can run without compiling anything first."""
        cell = self.config.cell
        return self.engine != "compiled" or (ahead().making != cell and is_compiled(cell))

    def make_ready(self) -> None:
        """Compile the functions that run the model, or wait for a process that does."""
        ahead().wait(self.config.cell)
        if not self.is_ready:
            compile_cell(self.config.cell, self.output.weight.dtype)


ModelState = Tensor | tuple[Tensor, ...]


def as_tuple(state: ModelState) -> State:
    """Return a state as a tuple, the form that all code below the model uses."""
    return (state,) if isinstance(state, Tensor) else state


def as_public(state: State) -> ModelState:
    """Return a state in the form of `RNNModel.begin_state`: a tensor, or the pair of an LSTM."""
    return state[0] if len(state) == 1 else state


def detach(state: ModelState) -> ModelState:
    """Return the state detached from the graph, so that no gradient flows into the past."""
    # Not through `as_tuple`: another author's module may need its tuple of one tensor back.
    return state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)


@torch.no_grad()
def read(model: RNNModel, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Call a model, with its hooks, without gradient or dropout; its training mode is kept."""
    was_training = model.training
    model.eval()
    try:
        logits, last = model(inputs, None if state is None else as_public(state))
    finally:
        model.train(was_training)
    return logits, as_tuple(last)


def weights(model: RNNModel) -> dict[str, Tensor]:
    """Return the parameters and buffers of a model by name, each once, even when tied."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def copy_model(model: RNNModel) -> RNNModel:
    """Return an independent copy of a model in evaluation mode, with its device and precision."""
    unused = torch.Generator()  # so that inspecting a run does not advance the global generator
    copy = RNNModel(model.config, model.vocab_size, unused).to(model.output.weight)
    copy.load_state_dict(model.state_dict())
    copy.vocab = model.vocab
    return copy.eval()


def require_finite(model: nn.Module) -> None:
    """Refuse a model with a weight that is infinite or nan; its results would mean nothing.

    Raises
    ------
    ModelError
        With the name of the first such parameter.
    """
    for name, parameter in model.named_parameters():
        if parameter.detach().sum().isfinite():  # then each is: quicker than asking all of them
            continue
        if (finite := parameter.detach().isfinite()).all():  # only their sum is too large
            continue
        first = parameter.detach()[~finite][0].item()
        count = int((~finite).sum())
        raise ModelError(
            say(
                "{name} holds {first} ({count:,} of its {size:,} numbers are not finite): its"
                " training has diverged; load an earlier epoch, or train again with a smaller"
                " --lr or --clip",
                name=name,
                first=first,
                count=count,
                size=parameter.numel(),
            )
        )
