"""What must hold on a device: the same values as on the CPU, exact resume, and a way out of errors.

`gpu.py --all` runs these checks. Each trains small models on the device and compares them with the
same training elsewhere. On CUDA the products of a run are tf32 by default, so the comparison asks
torch for float32 products, as a user would.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from report import Row

from rnn_magics import (
    CELLS,
    BatchConfig,
    Batches,
    Checkpointing,
    Corpus,
    CorpusConfig,
    DecodingConfig,
    ModelConfig,
    TrainConfig,
    Vocab,
    generate,
    make_batches,
    resume_run,
    train,
)
from rnn_magics.errors import RNNMagicsError
from rnn_magics.training.events import Event, StepEnd

STEPS, CLOSE = 200, 1e-4
_LINES = "the sun is up\nthe moon is down\na cat sat on the mat\n"
_MODELS = {
    **{cell: ModelConfig(cell, num_hiddens=64) for cell in CELLS},
    "lstm, 2 layers, embedded": ModelConfig(
        "lstm", num_hiddens=64, num_layers=2, embedding_size=32
    ),
    "gru, tied": ModelConfig("gru", num_hiddens=64, tie=True),
}


def checks(device: str) -> Iterator[Row]:
    """Yield a row for each check; its ratio is none, and its note says whether it holds."""
    with float32_products():
        for name, model in _MODELS.items():
            for batching in ("seq", "random"):
                yield equal_training(device, name, model, batching)
        yield equal_documents(device)
        yield equal_text(device)
    yield equal_resume(device)
    yield undone_update(device)
    yield out_of_memory(device)
    yield out_of_memory_in_a_step(device)


@contextmanager
def float32_products() -> Iterator[None]:
    """Multiply in float32 on CUDA, where a run multiplies in tf32 unless that has been said."""
    switches = torch.backends.cuda.matmul, torch.backends.cudnn.rnn
    before = [switch.fp32_precision for switch in switches]
    for switch in switches:
        switch.fp32_precision = "ieee"
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.fp32_precision = value


def verdict(what: str, found: str, bound: str, *, holds: bool, note: str = "") -> Row:
    """Return the row of a check."""
    said = "holds" if holds else "DOES NOT HOLD"
    return Row(what, found, "", None, bound, f"{said}{note and f'; {note}'}")


def _corpus(lines: int = 400, documents: str | None = None) -> Corpus:
    return Corpus.from_text(_LINES * lines, config=CorpusConfig(documents=documents))


def _batches(batching: str = "seq", corpus: Corpus | None = None) -> Batches:
    corpus = corpus or _corpus()
    config = BatchConfig(batching, batch_size=8, num_steps=16)
    return make_batches(corpus, Vocab.from_corpus(corpus), config)


def _losses(batches: Batches, model: ModelConfig, device: str) -> tuple[list[float], str]:
    # The loss of each of the first steps, and the kind of step that computed them.
    most = STEPS * batches.config.batch_size * batches.config.num_steps
    run = train(batches, model, TrainConfig(epochs=1000, max_tokens=most, device=device))
    _, losses, *_ = run.curve.loss.points()
    return losses.tolist(), run.step


def equal_training(device: str, name: str, model: ModelConfig, batching: str) -> Row:
    """Compare the losses of the first steps with those of the CPU."""
    batches = _batches(batching)
    there, how = _losses(batches, model, device)
    here, _ = _losses(batches, model, "cpu")
    apart = max(abs(a - b) / abs(b) for a, b in zip(there, here, strict=True))
    what = f"{name}, {batching}: loss of {STEPS} steps, relative to the CPU's"
    return verdict(what, f"{apart:.1e}", f"<= {CLOSE:.0e}", holds=apart <= CLOSE, note=how)


def equal_documents(device: str) -> Row:
    """Compare the losses where documents begin within the rows of a minibatch."""
    batches = _batches(corpus=_corpus(documents="line"))
    there, how = _losses(batches, ModelConfig(num_hiddens=64), device)
    here, _ = _losses(batches, ModelConfig(num_hiddens=64), "cpu")
    apart = max(abs(a - b) / abs(b) for a, b in zip(there, here, strict=True))
    what = f"gru, documents: loss of {STEPS} steps, relative to the CPU's"
    return verdict(what, f"{apart:.1e}", f"<= {CLOSE:.0e}", holds=apart <= CLOSE, note=how)


def equal_text(device: str) -> Row:
    """Compare what the same weights write, greedily, with what they write on the CPU."""
    run = train(_batches(), ModelConfig(num_hiddens=64), TrainConfig(epochs=3, device=device))
    greedy = DecodingConfig(length=200, decoder="greedy")
    there = str(generate(run, "the ", greedy))
    run.model.to("cpu")
    here = str(generate(run, "the ", greedy))
    same = sum(a == b for a, b in zip(there, here, strict=True))
    found = f"{same} of {len(here)} characters"
    return verdict("gru: greedy text, with the CPU's", found, "all", holds=there == here)


def equal_resume(device: str) -> Row:
    """Compare a run that was stopped and resumed with one that was not, bit for bit."""
    batches = _batches()
    model = ModelConfig(num_hiddens=64, num_layers=2, dropout=0.2)
    config = TrainConfig(epochs=4, device=device)
    whole = train(batches, model, config)
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "run"
        with suppress(KeyboardInterrupt):
            train(batches, model, config, watch=Checkpointing(str(folder)), listeners=[_cut_short])
        resumed = resume_run(folder, batches)
    pairs = zip(whole.model.parameters(), resumed.model.parameters(), strict=True)
    differ = sum(int((a != b).sum()) for a, b in pairs)
    what = "gru, 2 layers, dropout: weights of a resumed run that differ from an unbroken one's"
    return verdict(what, f"{differ}", "0", holds=differ == 0)


def _cut_short(event: Event) -> None:
    if isinstance(event, StepEnd) and event.epoch == 3:
        raise KeyboardInterrupt


def undone_update(device: str) -> Row:
    """Make an update that is not finite, and look at what is left."""
    config = TrainConfig(epochs=4, lr=1e38, clip=None, optimizer="sgd", device=device)
    run = train(_batches(), ModelConfig(num_hiddens=64), config)
    finite = all(bool(p.isfinite().all()) for p in run.model.parameters())
    what = "an update that makes a weight non-finite: the weights that are left"
    return verdict(what, f"finite: {finite}; {run.reason}", "finite", holds=finite)


def out_of_memory(device: str) -> Row:
    """Begin a training that cannot fit, and then one that can."""
    large = ModelConfig("lstm", num_hiddens=2**17)
    said = "it was not refused"
    try:
        train(_batches(), large, TrainConfig(epochs=1, device=device))
    except RNNMagicsError as error:
        said = str(error).splitlines()[0]
    after = train(_batches(), ModelConfig(num_hiddens=64), TrainConfig(epochs=1, device=device))
    holds = said != "it was not refused" and after.reason == "epochs"
    return verdict("a model that cannot fit, and a run after it", said, "refused", holds=holds)


def out_of_memory_in_a_step(device: str) -> Row:
    """Take all memory between two steps, and look at the weights and at a run after it."""
    what = "memory that another program takes in the midst of a run"
    if torch.device(device).type != "cuda":
        return Row(what, "not tried", "", None, "the weights of a step before", "only on CUDA")
    hog: list[torch.Tensor] = []

    def take_all(event: Event) -> None:
        if isinstance(event, StepEnd) and event.epoch == 3 and not hog:
            torch.cuda.empty_cache()
            hog.append(
                torch.empty(torch.cuda.mem_get_info()[0] - 2**20, dtype=torch.uint8, device=device)
            )

    config = TrainConfig(epochs=4, device=device)
    large = BatchConfig("seq", batch_size=64, num_steps=16)
    batches = make_batches(_corpus(4000), Vocab.from_corpus(_corpus()), large)
    run = train(batches, ModelConfig("lstm", num_hiddens=1024), config, listeners=[take_all])
    hog.clear()
    finite = all(bool(p.isfinite().all()) for p in run.model.parameters())
    after = train(_batches(), ModelConfig(num_hiddens=64), TrainConfig(epochs=1, device=device))
    holds = run.reason == "out_of_memory" and finite and after.reason == "epochs"
    return verdict(what, f"{run.reason}; finite: {finite}", "out_of_memory, finite", holds=holds)
