"""Time training on the CPU against the loop of Dive into Deep Learning and against torch.nn.

    python benchmarks/training.py [--quick] [--threads 2] [--avx2]

Our code and the peer's take turns in one process. In the book's setting, whole epochs are timed:
ours with the loop of `rnn_magics.train`, the book's with its `train_epoch_ch8` and its own
iterator, and those of JAX's jitted scan over the same minibatches, if JAX is installed. In the
other settings, single steps are timed. The peer is then written as well as torch
allows, with one-hot vectors, the layers of `torch.nn`, and torch's cross-entropy, clipping and SGD.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import avx2
import jax_scan
import torch
from numba import njit
from peers import d2l
from report import Row, table
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics import BatchConfig, Batches, ModelConfig, TrainConfig
from rnn_magics.training.events import EpochEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.step import EagerStep

LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
TARGETS = {"rnn": 2.0, "gru": 2.0, "lstm": 1.25}


@dataclass(frozen=True)
class Setting:
    """A setting to train in.

    Parameters
    ----------
    cell, num_hiddens, batch_size, num_steps, num_layers, vocab_size
        The defaults are the book's.
    """

    cell: str
    num_hiddens: int = 256
    batch_size: int = 32
    num_steps: int = 35
    num_layers: int = 1
    vocab_size: int = 65

    @property
    def tokens(self) -> int:
        """How many tokens a step learns from."""
        return self.batch_size * self.num_steps

    @property
    def flop(self) -> float:
        """The FLOP of the matrix products of a token, forward and backward, without the look-up."""
        gates = GATES[self.cell] * self.num_hiddens
        recurrent = gates * self.num_hiddens * (2 * self.num_layers - 1)
        return 3 * 2.0 * (recurrent + self.num_hiddens * self.vocab_size)

    def ids(self, num_steps: int) -> Tensor:
        """Return random tokens for so many steps of training."""
        number = (num_steps * self.num_steps + 1) * self.batch_size + self.num_steps
        return torch.randint(self.vocab_size, (number,), generator=torch.Generator().manual_seed(0))

    def state(self, num_steps: int, threads: int, **config: Any) -> tuple[Any, TrainState]:
        """Return our run and its state."""
        batches = Batches(self.ids(num_steps), BatchConfig("seq", self.batch_size, self.num_steps))
        model = ModelConfig(self.cell, self.num_hiddens, self.num_layers)
        options = {"optimizer": "sgd", "schedule": "constant", "warmup": 0.0, "clip": 1.0}
        given = {**options, "device": "cpu", "threads": threads, "lr": 0.1, **config}
        return begin(batches, model, TrainConfig.from_dict(given))


def small_products(seconds: float) -> list[Row]:
    """Return the rows of the operations inside the recurrence, on one thread."""
    from rnn_magics.models.fast import compiling, maths, products  # noqa: PLC0415  (needs numba)
    from rnn_magics.models.fast.layout import pack  # noqa: PLC0415

    torch.set_num_threads(1)
    rows = []
    for num_columns in (256, 768, 1024):
        a, b, c = torch.rand(16, 256), torch.rand(256, num_columns), torch.rand(16, num_columns)
        panels, left, sums = pack(b), a.numpy(), c.numpy()
        flop = 2 * 16 * 256 * num_columns

        def ours(given: tuple[Any, ...] = (left, panels, sums)) -> None:
            products.add_matrix_product(*given)

        def theirs(a: Tensor = a, b: Tensor = b, c: Tensor = c) -> None:
            torch.addmm(c, a, b, out=c)

        mine, peer = (flop / 1e9 / value for value in taking_turns(ours, theirs, seconds))
        what = f"product of 16 x 256 and 256 x {num_columns}, one thread: torch.addmm"
        words = (f"{mine:.0f} GFLOP/s", f"{peer:.0f} GFLOP/s")
        rows.append(Row(what, *words, mine / peer, "", "the weights packed beforehand"))
    x, y = torch.randn(16_384), torch.empty(16_384)

    @njit(**compiling.OPTIONS)
    def each(x: Any, y: Any) -> None:
        for i in range(len(x)):
            y[i] = maths.tanh(x[i])

    def ours_tanh() -> None:
        each(x.numpy(), y.numpy())

    def theirs_tanh() -> None:
        torch.tanh(x, out=y)

    mine, peer = (value / len(x) * 1e9 for value in taking_turns(ours_tanh, theirs_tanh, seconds))
    return [
        *rows,
        Row("tanh, one thread: torch.tanh", f"{mine:.2f} ns", f"{peer:.2f} ns", peer / mine, ""),
    ]


def taking_turns(
    ours: Callable[[], None], theirs: Callable[[], None], seconds: float
) -> tuple[float, float]:
    """Return the median seconds of two short tasks that take turns, a hundred calls each."""
    found: list[list[float]] = [[], []]
    begun = time.perf_counter()
    while len(found[0]) < 5 or time.perf_counter() - begun < seconds:
        for work, taken in zip((ours, theirs), found, strict=True):
            work()
            at = time.perf_counter()
            for _ in range(100):
                work()
            taken.append((time.perf_counter() - at) / 100)
    return statistics.median(found[0]), statistics.median(found[1])


def median_and_spread(values: list[float]) -> tuple[float, float]:
    """Return the median, and half of the interquartile range as a share of the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, (high - low) / 2 / middle


def ceiling() -> float:
    """Return the GFLOP/s of one float32 matrix product of 2048 x 2048."""
    a = torch.rand(2048, 2048)
    begun = time.perf_counter()
    a @ a
    return 2 * 2048**3 / (time.perf_counter() - begun) / 1e9


def our_epochs(setting: Setting, num_steps: int, threads: int) -> Iterator[float]:
    """Yield the tokens per second of each epoch, measured over the whole loop."""
    run, state = setting.state(num_steps, threads, epochs=10**6)
    last = time.perf_counter()
    for event in iter_train(run, state):
        if isinstance(event, EpochEnd):
            now = time.perf_counter()
            yield num_steps * setting.tokens / (now - last)
            last = time.perf_counter()


def book_epochs(setting: Setting, num_steps: int) -> Iterator[float]:
    """Yield the same for the book's loop."""
    book = d2l()
    layer = LAYERS[setting.cell](setting.vocab_size, setting.num_hiddens)
    net = book.RNNModel(layer, setting.vocab_size)
    updater, loss = torch.optim.SGD(net.parameters(), 0.1), nn.CrossEntropyLoss()
    ids = setting.ids(num_steps).tolist()
    while True:
        batches = book.seq_data_iter_sequential(ids, setting.batch_size, setting.num_steps)
        begun, seen = time.perf_counter(), 0

        def counted(batches: Any = batches) -> Iterator[tuple[Tensor, Tensor]]:
            nonlocal seen
            for X, Y in batches:
                seen += Y.numel()
                yield X, Y

        book.train_epoch_ch8(net, counted(), loss, updater, torch.device("cpu"), False)
        yield seen / (time.perf_counter() - begun)


def jax_epochs(setting: Setting, num_steps: int) -> Iterator[float]:
    """Yield the same for JAX's jitted scan."""
    ids = setting.ids(num_steps)[: num_steps * setting.tokens + 1]
    inputs, targets = (part.view(setting.batch_size, -1).t() for part in (ids[:-1], ids[1:]))
    pairs = (part.contiguous().split(setting.num_steps) for part in (inputs, targets))
    minibatches = [*zip(*pairs, strict=True)]
    taken = jax_scan.epochs(setting.cell, setting.num_hiddens, setting.vocab_size, minibatches)
    last = time.perf_counter()
    for tokens in taken:
        yield tokens / (time.perf_counter() - last)
        last = time.perf_counter()


def our_steps(setting: Setting, threads: int) -> Callable[[], None]:
    """Return a function that takes one of our steps."""
    _, state = setting.state(4, threads)
    config = TrainConfig(optimizer="sgd", lr=0.1, schedule="constant", warmup=0.0, device="cpu")
    step = EagerStep(state)
    epoch = step.begin_epoch()

    def take() -> None:
        step.take(epoch, config)
        state.step = 0  # the same few minibatches, repeated forever

    return take


def torch_steps(setting: Setting) -> Callable[[], None]:
    """Return a function that takes one step in plain torch."""
    layer = LAYERS[setting.cell](setting.vocab_size, setting.num_hiddens, setting.num_layers)
    linear = nn.Linear(setting.num_hiddens, setting.vocab_size)
    parameters = [*layer.parameters(), *linear.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.1)
    shape = (setting.num_steps, setting.batch_size)
    X, Y = setting.ids(4)[: 2 * setting.tokens].view(2, *shape)
    state: Any = None

    def take() -> None:
        nonlocal state
        outputs, state = layer(F.one_hot(X, setting.vocab_size).float(), state)
        state = state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)
        loss = F.cross_entropy(linear(outputs).flatten(0, 1), Y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return take


def against_the_book(cell: str, rounds: int, threads: int) -> list[Row]:
    """Return the rows for the book's setting."""
    setting, num_steps = Setting(cell), 40
    ours, theirs = our_epochs(setting, num_steps, threads), book_epochs(setting, num_steps)
    next(ours), next(theirs)
    found = [(next(ours), next(theirs), ceiling()) for _ in range(rounds)]
    mine, my_spread = median_and_spread([a for a, _, _ in found])
    peer, peer_spread = median_and_spread([b for _, b, _ in found])
    ratio, ratio_spread = median_and_spread([a / b for a, b, _ in found])
    top = statistics.median(c for _, _, c in found)
    share = mine * setting.flop / 1e9 / top
    words = f"{cell} 256, batch 32, 35 steps, 65 tokens, {threads} threads"
    return [
        Row(
            f"{words}: d2l's loop",
            f"{mine:,.0f} tokens/s ± {my_spread:.0%}",
            f"{peer:,.0f} tokens/s ± {peer_spread:.0%}",
            ratio,
            f">= {TARGETS[cell]}",
            f"spread of the ratio {ratio_spread:.0%}; d2l 0.17.6",
        ),
        Row(
            f"{words}: the rate of one large matrix product",
            f"{mine * setting.flop / 1e9:.0f} GFLOP/s",
            f"{top:.0f} GFLOP/s",
            share,
            ">= 0.6",
            f"{setting.flop / 1e6:.2f} MFLOP a token",
        ),
    ]


def against_jax(cell: str, rounds: int, threads: int) -> Row:
    """Return the row for the book's setting in JAX."""
    what = f"{cell} 256, batch 32, 35 steps, 65 tokens, {threads} threads: JAX's jitted scan"
    jax = jax_scan.jax(threads)
    missing = "JAX is not installed" if jax is None else ""
    # With --xla_cpu_max_isa=AVX2, products still reach the rate of AVX-512.
    if avx2.is_limited() and avx2.has_more():
        missing = "nothing limits the products of XLA"
    if missing:
        return Row(what, "not measured", "not measured", None, "", missing)
    jax_scan.check(cell)
    setting, num_steps = Setting(cell), 40
    ours, theirs = our_epochs(setting, num_steps, threads), jax_epochs(setting, num_steps)
    next(ours), next(theirs)
    found = [(next(ours), next(theirs)) for _ in range(rounds)]
    mine, my_spread = median_and_spread([a for a, _ in found])
    peer, peer_spread = median_and_spread([b for _, b in found])
    ratio, ratio_spread = median_and_spread([a / b for a, b in found])
    return Row(
        what,
        f"{mine:,.0f} tokens/s ± {my_spread:.0%}",
        f"{peer:,.0f} tokens/s ± {peer_spread:.0%}",
        ratio,
        "",
        f"spread of the ratio {ratio_spread:.0%}; jax {jax.__version__}",
    )


def against_torch(setting: Setting, seconds: float, threads: int) -> Row:
    """Return the row for one setting."""
    torch.set_num_threads(threads)
    ours, theirs = our_steps(setting, threads), torch_steps(setting)
    for take in (ours, theirs):
        take()
    found: list[tuple[float, float]] = []
    begun = time.perf_counter()
    while len(found) < 5 or time.perf_counter() - begun < seconds:
        pair = []
        for take in (ours, theirs):
            at = time.perf_counter()
            take()
            pair.append(setting.tokens / (time.perf_counter() - at))
        found.append((pair[0], pair[1]))
    ratio, spread = median_and_spread([a / b for a, b in found])
    mine, peer = (statistics.median(rates) for rates in zip(*found, strict=True))
    changed = [
        f"{words} {getattr(setting, name):,}"
        for name, words in (
            ("num_hiddens", "hidden"),
            ("batch_size", "batch"),
            ("num_steps", "steps"),
            ("num_layers", "layers"),
            ("vocab_size", "tokens"),
        )
        if getattr(setting, name) != getattr(Setting(setting.cell), name)
    ]
    return Row(
        f"{setting.cell}, {', '.join(changed) or 'the same'}: torch.nn",
        f"{mine:,.0f} tokens/s",
        f"{peer:,.0f} tokens/s",
        ratio,
        ">= 1",
        f"± {spread:.0%}, {len(found)} pairs",
    )


VARIED = [
    *({"num_hiddens": value} for value in (64, 512, 1024)),
    *({"batch_size": value} for value in (8, 16, 64, 256)),
    *({"num_steps": value} for value in (16, 64, 256)),
    *({"num_layers": value} for value in (2, 3)),
    {"vocab_size": 10_000},
]


def measure(quick: bool, threads: int | None = None) -> list[Row]:  # noqa: FBT001
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to repeat fewer times.
    threads
        The number of threads of both sides; torch's own number by default.
    """
    before = torch.get_num_threads()
    threads = threads or before
    rows = []
    try:
        torch.set_num_threads(threads)
        for cell in LAYERS:
            rows += against_the_book(cell, 5 if quick else 21, threads)
        rows += [against_jax(cell, 5 if quick else 21, threads) for cell in LAYERS]
        for cell in LAYERS:
            for values in ({}, *VARIED):
                setting = replace(Setting(cell), **values)  # type: ignore[arg-type]
                rows.append(against_torch(setting, 1 if quick else 1.5, threads))
        rows += small_products(0.2 if quick else 1)
    finally:
        torch.set_num_threads(before)
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--avx2", action="store_true", help="limit all libraries to AVX2")
    given = parser.parse_args()
    if given.avx2:
        avx2.limited(sys.argv)
        print(avx2.LIMITED, end="\n\n")
    print(table(measure(given.quick, given.threads)))


if __name__ == "__main__":
    main()
