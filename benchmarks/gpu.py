"""Time training on a GPU against the loop of Dive into Deep Learning and against bare cuDNN.

    python benchmarks/gpu.py [--quick] [--all [--device cuda]]

With ``--all``, which takes some minutes, it first checks what must hold on the device
(`device_checks`), and then times the dashboard of a run there, too; it ends with 1 if a check does
not hold. The checks run on any device, so ``--all --device mps`` tells whether an Apple GPU
computes what the CPU does. Without a CUDA device, every row of the timings says that it was not
measured. The file is not called cuda.py, because torch imports a package of that name and would
find the script first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import notebook
import torch
from device_checks import checks
from report import Row, table
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics import BatchConfig, Batches, ModelConfig, TrainConfig
from rnn_magics.training.events import EpochEnd, TrainBegin
from rnn_magics.training.loop import begin, iter_train

TOKENS, BATCH, STEPS = 28, 32, 35
NUM_TOKENS = 10_000  # what the book uses of The Time Machine
BOOK = "an epoch as in the book: GRU 256, batch 32, 35 steps, SGD, clip 1"
LARGE = "GRU 1024, batch 32, 35 steps: our whole step, bare cuDNN forward and backward"


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to repeat fewer times.
    """
    if not torch.cuda.is_available():
        return [
            Row(what, "not measured", "not measured", None, target, "no CUDA device")
            for what, target in ((BOOK, ">= 3"), (LARGE, ">= 0.9"))
        ]
    rounds = 3 if quick else 15
    return [_against_d2l(rounds), *(_against_cudnn(rounds, name) for name in ("float32", "bf16"))]


def _ids(number: int) -> Tensor:
    return torch.randint(TOKENS, (number,), generator=torch.Generator().manual_seed(0))


def _epochs(hiddens: int, number: int, **options: str) -> tuple[list[float], int, str]:
    # Wall-clock seconds of each epoch except the first, the steps of one epoch, and their kind.
    # An epoch ends only when the device has finished it, so there is nothing else to wait for.
    batches = Batches(_ids(NUM_TOKENS), BatchConfig("seq", BATCH, STEPS))
    config = TrainConfig.from_dict(
        {
            "epochs": number + 1,
            "optimizer": "sgd",
            "lr": 1.0,
            "schedule": "constant",
            "warmup": 0.0,
            "device": "cuda",
            **options,
        }
    )
    run, state = begin(batches, ModelConfig("gru", num_hiddens=hiddens), config)
    seconds, steps, begun = [], 1, time.perf_counter()
    for event in iter_train(run, state):
        if isinstance(event, TrainBegin):
            steps = event.steps_per_epoch
        elif isinstance(event, EpochEnd):
            seconds.append(time.perf_counter() - begun)
            begun = time.perf_counter()
    return seconds[1:], steps, run.step


def _against_d2l(rounds: int) -> Row:
    from peers import d2l  # noqa: PLC0415  (only where there is a GPU to measure on)

    book = d2l()
    device = torch.device("cuda")
    net = book.RNNModel(nn.GRU(TOKENS, 256), TOKENS).to(device)
    updater = torch.optim.SGD(net.parameters(), lr=1.0)
    corpus = _ids(NUM_TOKENS).tolist()

    def epoch_of_the_book() -> None:
        minibatches = book.seq_data_iter_sequential(corpus, BATCH, STEPS)
        loss = nn.CrossEntropyLoss()
        book.train_epoch_ch8(net, minibatches, loss, updater, device, use_random_iter=False)

    _seconds(epoch_of_the_book)
    ours, theirs, how = [], [], ""
    for _ in range(rounds):  # in turn, so that the machine is in the same state for both
        taken, _, how = _epochs(256, 5)
        ours += taken
        theirs += [_seconds(epoch_of_the_book) for _ in range(5)]
    mine, peer = statistics.median(ours), statistics.median(theirs)
    return Row(BOOK, f"{mine * 1e3:.2f} ms", f"{peer * 1e3:.2f} ms", peer / mine, ">= 3", how)


def _against_cudnn(rounds: int, precision: str) -> Row:
    dtype = {"float32": torch.float32, "bf16": torch.bfloat16}[precision]
    rnn = nn.GRU(TOKENS, 1024).to("cuda", dtype)
    inputs = F.one_hot(_ids(STEPS * BATCH).view(STEPS, BATCH), TOKENS).to("cuda", dtype)
    hidden = torch.zeros(1, BATCH, 1024, device="cuda", dtype=dtype)
    upstream = torch.ones(STEPS, BATCH, 1024, device="cuda", dtype=dtype)

    def forward_and_backward() -> None:
        rnn.zero_grad(set_to_none=True)
        outputs, _ = rnn(inputs, hidden)
        outputs.backward(upstream)

    def twenty_times() -> None:
        for _ in range(20):
            forward_and_backward()

    _seconds(twenty_times)
    ours, theirs, how = [], [], ""
    for _ in range(rounds):
        taken, steps, how = _epochs(1024, 5, precision=precision)
        ours += [seconds / steps for seconds in taken]
        theirs += [_seconds(twenty_times) / 20 for _ in range(5)]
    mine, peer = statistics.median(ours), statistics.median(theirs)
    return Row(
        f"{LARGE}, {precision}",
        f"{mine * 1e3:.3f} ms",
        f"{peer * 1e3:.3f} ms",
        peer / mine,
        ">= 0.9",
        how,
    )


def _seconds(work: Callable[[], None]) -> float:
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def dashboard(device: str, pairs: int) -> Row:
    """Return the row of what the dashboard costs a run on a device."""
    with notebook.kernel() as client:
        notebook.run(client, notebook.prepare(epochs=4, device=device))
        rounds = [notebook.run(client, notebook.ROUND) for _ in range(pairs)]
    return notebook.cost(f"the dashboard on {device}", [(one, two) for one, two, _ in rounds])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args()
    checked: list[Row] = []
    if given.all:
        for row in checks(given.device):
            print(table([row]).splitlines()[-1], flush=True)
            checked.append(row)
        checked.append(dashboard(given.device, 3 if given.quick else 9))
    print(table([*checked, *measure(quick=given.quick)]))
    sys.exit(any("DOES NOT HOLD" in row.note for row in checked))


if __name__ == "__main__":
    main()
