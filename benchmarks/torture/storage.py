"""Torture of files: kills, full disks, damage, hostile content. Prints rows of a table.

    python benchmarks/torture/storage.py            the full counts
    python benchmarks/torture/storage.py --quick    small counts
    python benchmarks/torture/storage.py --only kill --only seed

If TORTURE_SMALL_DISK names an empty folder on a file system of about 200 kB (``mount -t tmpfs -o
size=200k tmpfs DIR``), saves on a full file system are tried as well.

A row is ``| what | count | held |``; everything passed if both numbers are equal.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import hashlib
import json
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as plain_load

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig, weights
from rnn_magics.storage import container
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.training_state import capture, check_same, restore, tokens_of
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import packed, read_run, save_run
from rnn_magics.storage.resume import reopen, resume_run
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run, copy_run
from rnn_magics.training.state import TrainState

Row = tuple[str, int, int]  # what, count, held
TEXT = (
    "the time traveller for so it will be convenient to speak of him\n"
    "was expounding a recondite matter to us his grey eyes shone and\n"
    "twinkled and his usually pale face was flushed and animated\n"
) * 3
MODEL = ModelConfig(cell="lstm", num_hiddens=8, num_layers=2, dropout=0.2)
# Limited by tokens, so that the learning rate follows a count as well as the position.
TRAIN = TrainConfig(epochs=4, max_tokens=33 * 32, threads=1, seed=3)
WATCHED = {"exec", "compile", "import", "os.system", "subprocess.Popen", "pickle.find_class"}
SECONDS = 1.0  # the most that a refusal may take of the processor; other programs may be busy


def small_batches() -> Batches:
    """Return about ten minibatches per epoch, with held-out text."""
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.4), name="tiny")
    vocab = Vocab.from_corpus(corpus)
    return make_batches(corpus, vocab, BatchConfig(batch_size=4, num_steps=8))


def small_run(batches: Batches) -> Run:
    """Return a run whose file has a few kilobytes."""
    config = ModelConfig(cell="gru", num_hiddens=3)
    return train(batches, config, TrainConfig(epochs=1, threads=1), name="tiny")


def weight_hash(run: Run) -> str:
    """Return the sha256 of all weights."""
    digest = hashlib.sha256()
    for name, value in weights(run.model).items():
        digest.update(name.encode())
        digest.update(value.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that is deleted afterwards."""
    made = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def in_child(work: Callable[[], None]) -> int:
    """Fork; the child works and ends without cleaning up. Return its process id after it begins."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        return child
    with contextlib.suppress(BaseException):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(writing, b"x")
        work()
    os._exit(0)


# Kills during training


def kills(count: int) -> list[Row]:
    """Kill a training run at random moments; load its folder, and resume it to the end."""
    batches, landed, held = small_batches(), 0, 0
    whole = weight_hash(train(batches, MODEL, TRAIN))
    rng = random.Random(1)  # noqa: S311  (a test)
    while landed < count:
        with folder() as place:
            kept = RunFolder(place / "run")
            every = rng.choice(["1step", "3steps", "1 epoch"])
            keep = Checkpointing(str(kept.path), every=every)

            def work(keep: Checkpointing = keep) -> None:
                train(batches, MODEL, TRAIN, watch=keep, listeners=[slowly])

            child = in_child(work)
            while not kept.exists:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.3))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            if load_run(kept.path).reason == "snapshot":  # otherwise it was too late
                landed += 1
                held += weight_hash(resume_run(kept.path, batches)) == whole
    return [("kill -9 during training: loads, and goes on to bit-equal weights", count, held)]


def slowly(event: Event) -> None:
    """Make a training run of milliseconds last long enough to be killed."""
    if isinstance(event, StepEnd):
        time.sleep(0.004)


class CutOffError(Exception):
    """Simulates the end of the process."""


def negative_controls(_count: int) -> list[Row]:
    """Forget one part of the state each time; the final weights must then differ."""
    batches = small_batches()
    whole = weight_hash(train(batches, MODEL, TRAIN))
    forget: dict[str, Callable[[TrainState], object]] = {
        "nothing": lambda _state: None,
        "optimizer": lambda state: state.optimizer.state.clear(),
        "RNG of offsets and shuffles": lambda state: state.generator.manual_seed(3),
        "RNG of dropout": lambda state: state.dropout_generator.manual_seed(3),
        "cursor": lambda state: setattr(state, "step", 0),
        "hidden state": lambda state: [part.zero_() for part in state.current.hidden],
        "schedule": lambda state: setattr(state, "total_tokens", 0),
    }
    rows = []
    for name, drop in forget.items():
        with folder() as place:
            keep = Checkpointing(str(place / "run"), every="1step")
            with contextlib.suppress(CutOffError):
                train(batches, MODEL, TRAIN, watch=keep, listeners=[cut_off])
            run, state, _ = reopen(place / "run", batches)
            drop(state)
            for _ in iter_train(run, state):
                pass
            run.model.eval()
        equal = weight_hash(run) == whole
        held = equal if name == "nothing" else not equal
        rows.append((f"control, {name} forgotten: weights differ", 1, int(held)))
    rows[0] = ("control, nothing forgotten: weights equal", *rows[0][1:])
    return rows


def cut_off(event: Event) -> None:
    """End a training run in its second epoch."""
    if isinstance(event, StepEnd) and (event.epoch, event.step) == (2, 4):
        raise CutOffError


# Saves that do not finish


def two_runs(place: Path) -> tuple[Path, Run, Run, set[bytes]]:
    """Write a run; return its path, another run for the same path, and the contents of both."""
    batches = small_batches()
    config = ModelConfig(num_hiddens=96)
    older, newer = (
        train(batches, config, TrainConfig(epochs=1, threads=1, seed=seed)) for seed in (1, 2)
    )
    path = save_run(older, place / "model.safetensors")
    return path, older, newer, {packed(older), packed(newer)}


def full_disks(count: int) -> list[Row]:
    """Simulate a disk that becomes full at a random byte of the file."""
    with folder() as place:
        path, _, newer, contents = two_runs(place)
        before, held = path.read_bytes(), 0
        rng = random.Random(2)  # noqa: S311
        for _ in range(count):
            limit = rng.randrange(max(map(len, contents)) - 1)

            def work(limit: int = limit) -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                with contextlib.suppress(StorageError):
                    save_run(newer, path)
                    os._exit(2)  # this must be impossible
                os._exit(1)

            _, status = os.waitpid(in_child(work), 0)
            refused = os.waitstatus_to_exitcode(status) == 1
            clean = os.listdir(place) == [path.name]  # noqa: PTH208
            held += refused and clean and path.read_bytes() == before
    return [("save on a full disk: refused, the old file intact, nothing left", count, held)]


def small_disk(count: int) -> list[Row]:
    """Fill a small file system, and save there; do nothing if there is none."""
    if SMALL_DISK is None:
        return []
    place, held = Path(SMALL_DISK), 0
    path, filler = place / "model.safetensors", place / "filler"
    older, newer = (
        train(BATCHES, ModelConfig(num_hiddens=48), TrainConfig(epochs=1, threads=1, seed=seed))
        for seed in (1, 2)
    )
    before = save_run(older, path).read_bytes()
    rng = random.Random(6)  # noqa: S311
    for _ in range(count):
        room = rng.randrange(len(before))
        filler.write_bytes(b"x" * max(0, shutil.disk_usage(place).free - room))
        try:
            save_run(newer, path)
        except StorageError as error:
            held += "do not fit" in str(error) and path.read_bytes() == before
        filler.unlink()
        held -= sorted(entry.name for entry in place.iterdir()) != [path.name]
    path.unlink()
    return [("save on a file system that is full: refused, the old file intact", count, held)]


def broken_off(count: int, number: signal.Signals, what: str) -> Row:
    """Send a signal at a random moment of saves that alternate between two runs."""
    with folder() as place:
        path, older, newer, contents = two_runs(place)
        held, rng = 0, random.Random(3)  # noqa: S311

        def work() -> None:
            while True:
                save_run(newer, path)
                save_run(older, path)

        for _ in range(count):
            child = in_child(work)
            time.sleep(rng.uniform(0, 0.05))
            os.kill(child, number)
            os.waitpid(child, 0)
            held += path.read_bytes() in contents and load_run(path).name == "gru"
        for left in place.glob(".rnn_magics-*"):
            os.utime(left, (0, 0))  # as if left long ago
        save_run(older, path)
        clean = os.listdir(place) == [path.name]  # noqa: PTH208
    return what, count, held if clean else 0


def interrupted_saves(count: int) -> list[Row]:
    """Interrupt a save."""
    return [broken_off(count, signal.SIGINT, "save interrupted: one whole file, nothing left")]


def killed_saves(count: int) -> list[Row]:
    """Kill a save."""
    what = "save killed: one whole file, what was left swept by the next save"
    return [broken_off(count, signal.SIGKILL, what)]


def two_writers(count: int) -> list[Row]:
    """Let two processes write to one path."""
    with folder() as place:
        path, older, newer, contents = two_runs(place)

        def write(run: Run) -> None:
            for _ in range(count):
                save_run(run, path)

        children = [in_child(lambda run=run: write(run)) for run in (older, newer)]  # type: ignore[misc]
        looks = held = 0
        while children:
            children = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
            looks += 1
            held += path.read_bytes() in contents
        clean = os.listdir(place) == [path.name]  # noqa: PTH208
    return [("two processes save to one path: whole at every look", looks, held if clean else 0)]


# Files that are not what they should be


class Watch:
    """Counts actions of the interpreter that loading a file should never cause."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _args: object) -> None:
        if self.on and event in WATCHED:
            self.seen.append(event)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count the actions inside the context."""
        self.seen.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False


WATCH = Watch()


def verdict(path: Path, data: bytes) -> str:
    """Load a file of this content and return the outcome: ``refused``, or what went wrong."""
    path.write_bytes(data)
    begun = time.process_time()
    with WATCH.listening():
        try:
            again = written_again(path)
        except StorageError as error:
            said = str(error)
            if "\n" in said or not said:
                return f"message {said!r}"
            again = b""
        except BaseException as error:  # noqa: BLE001  (whatever it is, it counts)
            return f"crash {type(error).__name__}: {error}"
    if WATCH.seen:
        return f"ran {WATCH.seen[0]}"
    if time.process_time() - begun > SECONDS:
        return "slow"
    if not again:
        return "refused"
    return "loaded" if says_the_same(again, data) else "silent load"


BATCHES = small_batches()


def written_again(path: Path) -> bytes:
    """Load a run, and its training state if there is one; write all of it again."""
    run, training = read_run(path)
    if training is None:
        return packed(load_run(path))
    check_same(run, training, BATCHES, tokens_of(training))
    # As in a resumed run, which takes the device of the run and not the one asked for.
    config = replace(run.config.train, device="cpu", precision="float32")
    _, state = begin(BATCHES, copy_run(run).model, config)
    restore(state, training)
    return packed(run, capture(state, tokens_of(training)))


def says_the_same(again: bytes, data: bytes) -> bool:
    """Whether the content that was loaded and written again equals the file in every number."""
    ours = container.unpack(again)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    theirs = plain_load(data)
    theirs.pop(container.DIGEST)
    document = json.dumps(json.loads(header["__metadata__"]["rnn_magics"]))
    same = json.dumps(ours.document) == document and ours.tensors.keys() == theirs.keys()
    return same and all(
        value.numpy().tobytes() == theirs[name].numpy().tobytes()
        for name, value in ours.tensors.items()
    )


def count_verdicts(what: str, data: Iterator[bytes], allowed: set[str]) -> Row:
    """Load every content; count those with an allowed verdict."""
    number = held = 0
    with folder() as place:
        for content in data:
            found = verdict(place / "model", content)
            number += 1
            held += found in allowed
            if found not in allowed:
                sys.stderr.write(f"{what}: {found}\n")
    return what, number, held


def byte_mutations(count: int) -> list[Row]:
    """Change a few bytes anywhere."""
    original = packed(small_run(small_batches()))
    rng = random.Random(4)  # noqa: S311

    def mutated() -> Iterator[bytes]:
        while True:
            data = bytearray(original)
            for _ in range(rng.choice((1, 1, 1, 2, 8))):
                place = rng.randrange(len(data))
                match rng.randrange(5):
                    case 0:
                        data[place] ^= 1 << rng.randrange(8)
                    case 1:
                        data[place] = rng.randrange(256)
                    case 2:
                        del data[place]
                    case 3:
                        data.insert(place, rng.randrange(256))
                    case _:
                        data[place : place + rng.randrange(64)] = rng.randbytes(rng.randrange(64))
            if bytes(data) != original:
                yield bytes(data)

    some = (content for _, content in zip(range(count), mutated(), strict=False))
    return [count_verdicts("byte mutations of a model file: one named error", some, {"refused"})]


def truncations(count: int) -> list[Row]:
    """Cut the file off after every byte (or, for a small count, at evenly spaced bytes)."""
    original = packed(small_run(small_batches()))
    step = max(1, len(original) // count)
    some = (original[:size] for size in range(0, len(original), step))
    return [count_verdicts("truncations of a model file: one named error", some, {"refused"})]


def structures(count: int) -> list[Row]:
    """Change the structure, and give the file the correct digest."""
    batches = small_batches()
    with folder() as place:
        keep = Checkpointing(str(place / "run"), every="1step")
        config = ModelConfig(cell="lstm", num_hiddens=3)
        train(batches, config, TrainConfig(epochs=1, threads=1), watch=keep)
        checkpoint = next(iter(RunFolder(place / "run").steps.values())).read_bytes()
    originals = [packed(small_run(batches)), checkpoint]
    rng = random.Random(5)  # noqa: S311

    def mutated() -> Iterator[bytes]:
        while True:
            original = rng.choice(originals)
            size = int.from_bytes(original[:8], "little")
            header = json.loads(original[8 : 8 + size])
            document = json.loads(header["__metadata__"]["rnn_magics"])
            data = original[8 + size : -32]
            kind = rng.randrange(4)
            if kind < 2:
                spoil(rng, document)
            elif kind == 2:
                spoil(rng, header)
            else:
                name = rng.choice([name for name in header if name != "__metadata__"])
                spoil(rng, header[name])
            if kind < 2:
                header["__metadata__"]["rnn_magics"] = json.dumps(document, separators=(",", ":"))
            words = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
            made = words.encode(errors="surrogatepass")
            made += b" " * (-len(made) % 8)
            body = len(made).to_bytes(8, "little") + made + data
            content = body + hashlib.sha256(body).digest()
            if content != original:
                yield content

    some = (content for _, content in zip(range(count), mutated(), strict=False))
    what = "structure changed, digest right: one named error, or all that the file says"
    return [count_verdicts(what, some, {"refused", "loaded"})]


ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.0, -0.5, 1e308, "inf", "nan"),
    *("", "x", "os.system", "../../etc/passwd", "__import__('os')", "\x00", "\ud800", "cpu:999"),
    *([], {}, [[]], [0], [-1], [2**40, 2**40], {"a": 1}, ["a"] * 9, [0, 0], [0, 10**9], "F32"),
    *("BOOL", "I64", "gru", "lstm", "word", "given", {"tuple": [1]}, {"float": "inf"}, "x" * 70000),
]


def spoil(rng: random.Random, value: Any) -> None:
    """Change something at a random position of a mapping or list, in place."""
    places = [value]
    while isinstance(places[-1], dict | list) and places[-1] and rng.random() < 0.75:
        inside = places[-1]
        places.append(
            inside[rng.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))]
        )
    holder = next(place for place in reversed(places) if isinstance(place, dict | list))
    keys: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    odd = copy.deepcopy(rng.choice(ODD))
    match rng.randrange(5) if keys else 0:
        case 0 if isinstance(holder, dict):
            holder[rng.choice(["extra", "__class__", "model.x", "~sha256", ""])] = odd
        case 0:
            holder.append(odd)
        case 1:
            del holder[rng.choice(keys)]
        case 2:
            first, second = rng.choice(keys), rng.choice(keys)
            holder[first], holder[second] = holder[second], holder[first]
        case 3 if isinstance(holder, dict):
            key = rng.choice(keys)
            holder[f"{key}x"] = holder.pop(key)
        case _:
            key = rng.choice(keys)
            old = holder[key]
            number = isinstance(old, int | float) and not isinstance(old, bool)
            holder[key] = old + rng.choice([-1, 1, 0.5, 10**9]) if number else odd


class Canary:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Return what unpickling runs."""
        return os.mkdir, (str(self._path),)


def canaries(_count: int) -> list[Row]:
    """Give pickles the name of a model file, and hide them in one."""
    run, held = small_run(small_batches()), 0
    with folder() as place:
        sung = place / "sung"
        plain = [pickle.dumps(Canary(sung), protocol=number) for number in range(6)]
        for legacy in (False, True):
            saved = place / "saved"
            torch.save(Canary(sung), saved, _use_new_zipfile_serialization=not legacy)
            plain.append(saved.read_bytes())
        original = packed(run)
        bodies = [original[:-32] + data for data in plain]
        hidden = [body + hashlib.sha256(body).digest() for body in bodies]
        contents = [*plain, *hidden, *(original + data for data in plain)]
        for data in contents:
            path = place / "model.safetensors"
            held += verdict(path, data) == "refused" and not sung.exists()
    return [
        ("canary pickles named or hidden as model files: nothing is touched", len(contents), held)
    ]


# The same seed


def seeds(count: int) -> list[Row]:
    """Train with one seed in fresh processes."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import storage;"
        " storage.torch.set_num_threads(1);"
        " print(storage.weight_hash(storage.train(storage.small_batches(), storage.MODEL,"
        " storage.TRAIN)))"
    )
    hashes = [
        subprocess.run(  # noqa: S603  (this interpreter)
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(count)
    ]
    return [("the same seed in fresh processes: equal weights", count, hashes.count(hashes[0]))]


SMALL_DISK = os.environ.get("TORTURE_SMALL_DISK")

PARTS: dict[str, tuple[Callable[[int], list[Row]], int, int]] = {
    "kill": (kills, 100, 4),
    "control": (negative_controls, 1, 1),
    "full": (full_disks, 100, 5),
    "disk": (small_disk, 100, 5),
    "interrupt": (interrupted_saves, 100, 5),
    "killsave": (killed_saves, 100, 5),
    "writers": (two_writers, 200, 20),
    "bytes": (byte_mutations, 100_000, 1000),
    "cut": (truncations, 10**9, 200),
    "structure": (structures, 10_000, 1000),
    "canary": (canaries, 1, 1),
    "seed": (seeds, 10, 2),
}
"""Name: the part, its full count, its small count."""


def main() -> int:
    """Print the rows; return 1 if one did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="some parts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    good = True
    print("| what | count | held |\n|---|---:|---:|")
    for name in options.only or PARTS:
        part, full, small = PARTS[name]
        for what, count, held in part(small if options.quick else full):
            print(f"| {what} | {count:,} | {held:,} |", flush=True)
            good &= held == count > 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
