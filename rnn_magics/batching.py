"""Minibatches: one long token sequence becomes many short ones.

A batching is a function that returns where the windows of every minibatch start. Everything else
(the random offset, gathering X, shifting Y by one) is the same for all. To add a batching, write
that function and a line in `BATCHERS`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnn_magics.errors import BatchError
from rnn_magics.language import marked, say, say_number
from rnn_magics.options import AT_LEAST_ONE, Options, Spelling, option
from rnn_magics.results import Result
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import Marks
from rnn_magics.text.indexing.ids import Ids, whole_numbers
from rnn_magics.text.indexing.mapped import MappedIds
from rnn_magics.text.vocab import Vocab, encode_corpus

_PARTS = ("ids", "valid", "test")
_WIDENED = 1 << 26  # held-out tokens, half a GB as int64; more keep their own type
Starts = Callable[[int, int, int, torch.Generator], Tensor]


@dataclass(frozen=True)
class Batcher:
    """A way to partition a sequence.

    Parameters
    ----------
    starts
        ``starts(num_tokens, batch_size, num_steps, generator)`` returns where each window begins,
        shape (num_batches, batch_size), counted from the offset; `num_tokens` is the number of
        tokens after the offset.
    carries_state
        Whether row i of a minibatch continues row i of the one before, so that the hidden state
        is carried over instead of starting from zero.
    help
        One line for the help of ``%sample``.
    """

    starts: Starts
    carries_state: bool
    help: str


def random_starts(
    num_tokens: int, batch_size: int, num_steps: int, generator: torch.Generator
) -> Tensor:
    """Cut the sequence into windows and deal them out in random order."""
    num_windows = (num_tokens - 1) // num_steps
    num_batches = num_windows // batch_size
    order = torch.randperm(num_windows, generator=generator)[: num_batches * batch_size]
    return order.view(num_batches, batch_size) * num_steps


def sequential_starts(
    num_tokens: int, batch_size: int, num_steps: int, _generator: torch.Generator
) -> Tensor:
    """Cut the sequence into `batch_size` long rows and walk along all of them at once."""
    row_length = (num_tokens - 1) // batch_size
    rows = torch.arange(batch_size) * row_length  # (batch_size,)
    steps = torch.arange(row_length // num_steps) * num_steps  # (num_batches,)
    return steps[:, None] + rows


BATCHERS: dict[str, Batcher] = {
    "seq": Batcher(
        sequential_starts, carries_state=True, help=marked("rows continue; the state is carried")
    ),
    "random": Batcher(random_starts, carries_state=False, help=marked("windows in random order")),
}


@dataclass(frozen=True, repr=False)
class BatchConfig(Options):
    """How a token sequence is partitioned into minibatches."""

    batching: str = option(
        "seq",
        lambda: say("; ").join(
            f"{name}: {say(batcher.help)}" for name, batcher in BATCHERS.items()
        ),
        choices=lambda: list(BATCHERS),
        spelling=Spelling(flag=""),
        label="Batching",
    )
    batch_size: int = option(32, "rows in a minibatch", within=AT_LEAST_ONE, label="Batch size")
    num_steps: int = option(35, "tokens in a row", within=AT_LEAST_ONE, label="Time steps")

    @property
    def tokens_per_batch(self) -> int:
        """The number of tokens in a minibatch."""
        return self.batch_size * self.num_steps


@dataclass(frozen=True)
class EpochPlan:
    """Where every window of one epoch starts.

    Parameters
    ----------
    offset
        How many tokens the epoch drops at the beginning.
    starts
        Positions in the text, shape (num_batches, batch_size).
    left_over
        How many tokens after the offset are in no window.
    """

    offset: int
    starts: Tensor
    left_over: int

    def __len__(self) -> int:
        """Return the number of minibatches."""
        return len(self.starts)


class Batches(Result):
    """Minibatches of a token sequence; iterating once is one epoch.

    Parameters
    ----------
    ids
        Token indices, shape (num_tokens,). They are kept in the smallest integer type that fits
        (a tensor keeps its type); minibatches are always int64.
    config
        The partition.
    vocab, corpus
        What the indices mean and where they come from, if known.
    valid
        Held-out token indices, shape (num_valid_tokens,), int64 unless there are very many.
    test
        Token indices of the test part, shape (num_test_tokens,), likewise.
    seed
        The seed of the offsets and shuffles when iterated; training uses its own generator.

    Raises
    ------
    BatchError
        When the text is shorter than ``batch_size * (num_steps + 1)`` tokens.
    """

    def __init__(
        self,
        ids: Sequence[int] | Ids | Tensor,
        config: BatchConfig | None = None,
        *,
        vocab: Vocab | None = None,
        corpus: Corpus | None = None,
        valid: Sequence[int] | Ids | Tensor = (),
        test: Sequence[int] | Ids | Tensor = (),
        seed: int = 0,
    ) -> None:
        self.config = config or BatchConfig()
        self.ids = _as_indices(ids)  # (num_tokens,)
        self.valid = _widened(_as_indices(valid))  # (num_valid_tokens,)
        self.test = _widened(_as_indices(test))  # (num_test_tokens,)
        self.vocab = vocab
        self.corpus = corpus
        self._mapped: dict[str, MappedIds] = {}  # which of the three are mapped from files
        self._generator = torch.Generator().manual_seed(seed)
        _require_enough(len(self.ids), self.config, "" if corpus is None else corpus.losses)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: of mapped indices their place, of a text nothing computed."""
        corpus = self.corpus
        if corpus is not None:
            corpus = replace(corpus, test=None if corpus.test is None else replace(corpus.test))
        kept = {name: value for name, value in self.__dict__.items() if name not in self._mapped}
        return {**kept, "corpus": corpus}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Map the indices again; a process reads only the pages of what it trains on."""
        self.__dict__.update(state)
        found = {name: _shared(place.opened()) for name, place in self._mapped.items()}
        for name, ids in found.items():
            self.__dict__[name] = ids if name == "ids" else _widened(ids)

    @property
    def carries_state(self) -> bool:
        """Whether the hidden state is carried from one minibatch to the next."""
        return BATCHERS[self.config.batching].carries_state

    @property
    def vocab_size(self) -> int:
        """The number of token indices that a model needs."""
        if self.vocab is not None:
            return len(self.vocab)
        parts = (self.ids, self.valid, self.test)
        return max(int(part.max()) for part in parts if len(part)) + 1

    @property
    def marks(self) -> Marks | None:
        """The indices that mark documents; None if the text is not documents."""
        return None if self.vocab is None else self.vocab.marks

    def plan(self, generator: torch.Generator) -> EpochPlan:
        """Draw the offset and the windows of one epoch.

        The offset is uniform over 0 .. num_steps - 1, or over fewer values if the text is so short
        that a larger offset would leave less than one minibatch.
        """
        size, steps = self.config.batch_size, self.config.num_steps
        largest = min(steps - 1, len(self.ids) - size * steps - 1)
        offset = int(torch.randint(largest + 1, (), generator=generator))
        remaining = len(self.ids) - offset
        starts = BATCHERS[self.config.batching].starts(remaining, size, steps, generator)
        return EpochPlan(offset, starts + offset, remaining - starts.numel() * steps)

    def batch(self, plan: EpochPlan, index: int) -> tuple[Tensor, Tensor]:
        """Return minibatch `index` of an epoch.

        Returns
        -------
        X, Y : Tensor
            Token indices, and the same shifted by one, each (batch_size, num_steps), int64, on the
            device of `ids`. What follows a document is a label of its end; see `labels_of`.
        """
        windows = self.ids.unfold(0, self.config.num_steps + 1, 1)  # each that there is; no copy
        starts = plan.starts[index].to(self.ids.device)
        tokens = windows.index_select(0, starts).long()  # (batch_size, num_steps + 1)
        return tokens[:, :-1], labels_of(tokens[:, 1:], self.marks)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the minibatches of a fresh epoch as (X, Y)."""
        plan = self.plan(self._generator)
        for index in range(len(plan)):
            yield self.batch(plan, index)

    def to(self, device: torch.device) -> Batches:
        """Return the same minibatches with their tensors on `device`; their types do not change.

        Raises
        ------
        BatchError
            When they do not fit into its memory.
        """
        moved = object.__new__(type(self))
        try:
            ids, valid, test = (part.to(device) for part in (self.ids, self.valid, self.test))
        except torch.OutOfMemoryError:
            needed = (self.ids.nbytes + self.valid.nbytes + self.test.nbytes) / 1e6
            raise BatchError(
                say(
                    "the token indices need {needed:,.1f} MB, more than {device} has free; keep"
                    " fewer tokens with %corpus --max-tokens, or train with --device cpu",
                    needed=needed,
                    device=device,
                )
            ) from None
        mapped = self._mapped if device.type == "cpu" else {}
        parts = {"ids": ids, "valid": valid, "test": test}
        moved.__dict__ = {**self.__dict__, **parts, "_mapped": mapped}
        return moved

    def __repr__(self) -> str:
        """One line: the partition and the size of the text."""
        c = self.config
        return say(
            "Batches({batching!r}, batch_size={batch_size}, num_steps={num_steps},"
            " {num_tokens:,} tokens)",
            batching=c.batching,
            batch_size=c.batch_size,
            num_steps=c.num_steps,
            num_tokens=len(self.ids),
        )


def labels_of(following: Tensor, marks: Marks | None) -> Tensor:
    """Return what a model has to predict where these tokens follow.

    Where the next document begins, it is the end of the document before: ``<eos>`` for ``<bos>``.

    Parameters
    ----------
    following
        Token indices of any shape.
    marks
        The indices that mark documents; None if the text is not documents.
    """
    if marks is None:
        return following
    return following.masked_fill(following == marks.begin, marks.end)


def make_batches(corpus: Corpus, vocab: Vocab, config: BatchConfig | None = None) -> Batches:
    r"""Cut a corpus into minibatches.

    .. math:: X_{ij} = x_{s_i + j}, \quad Y_{ij} = x_{s_i + j + 1}

    Parameters
    ----------
    corpus
        The text; its training part becomes minibatches, and its held-out part and its test part
        are kept with them.
    vocab
        Maps its tokens to indices.
    config
        The partition.

    Raises
    ------
    BatchError
        When the training part is shorter than ``batch_size * (num_steps + 1)`` tokens.

    Examples
    --------
    >>> batches = make_batches(corpus, vocab, BatchConfig("seq", batch_size=2, num_steps=5))
    >>> X, Y = next(iter(batches))
    >>> X.shape, bool((X[:, 1:] == Y[:, :-1]).all())
    (torch.Size([2, 5]), True)
    """
    encoded = encode_corpus(corpus, vocab)
    parts = {"ids": encoded.train, "valid": encoded.valid}
    if corpus.test is not None:
        parts["test"] = encode_corpus(corpus.test, vocab).train
    ids, valid, test = (_shared(parts[name]) if name in parts else () for name in _PARTS)
    made = Batches(ids, config, vocab=vocab, corpus=corpus, valid=valid, test=test)
    places = {name: MappedIds.of(ids) for name, ids in parts.items()}
    made._mapped = {name: place for name, place in places.items() if place}  # noqa: SLF001  (ours)
    return made


def _widened(ids: Tensor) -> Tensor:
    return ids.long() if len(ids) <= _WIDENED else ids


def _shared(ids: Ids) -> Tensor:
    # Shares the memory of the corpus. torch warns of writes to it, and nothing here writes.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(ids)


# The integer types that torch can gather, compare and take the maximum of; not uint16 and uint32.
_KEPT_TYPES = (torch.uint8, torch.int16, torch.int32, torch.int64)


def _as_indices(ids: Sequence[int] | Ids | Tensor) -> Tensor:
    if not isinstance(ids, Tensor):
        ids = torch.from_numpy(whole_numbers(ids))
    if ids.dim() != 1 or ids.is_floating_point():
        raise BatchError(
            say(
                "token indices must be whole numbers of shape (num_tokens,), not {kind} of shape"
                " {shape}",
                kind=str(ids.dtype).removeprefix("torch."),
                shape=tuple(ids.shape),
            )
        )
    return ids if ids.dtype in _KEPT_TYPES else ids.long()


def _require_enough(num_tokens: int, config: BatchConfig, losses: str) -> None:
    size, steps = config.batch_size, config.num_steps
    needed = size * (steps + 1)
    if num_tokens >= needed:
        return
    if losses:
        advice = losses
    elif num_tokens >= 2 * (steps + 1):
        advice = say("try --batch-size {size}", size=num_tokens // (steps + 1))
    elif num_tokens >= 4:  # noqa: PLR2004  (two rows of one step and their labels)
        advice = say("try --batch-size 2 --num-steps {steps}", steps=num_tokens // 2 - 1)
    else:
        advice = say("try a longer text")
    raise BatchError(
        say_number(
            num_tokens,
            "the training text has {num_tokens:,} token, but batch_size {size} x (num_steps"
            " {steps} + 1) needs {needed:,}; {advice}",
            "the training text has {num_tokens:,} tokens, but batch_size {size} x (num_steps"
            " {steps} + 1) needs {needed:,}; {advice}",
            num_tokens=num_tokens,
            size=size,
            steps=steps,
            needed=needed,
            advice=advice,
        )
    )
