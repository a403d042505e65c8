"""Damaged and hostile files: small counts of what benchmarks/torture/storage.py does in full."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import rnn_magics
from rnn_magics.errors import StorageError
from rnn_magics.storage import container
from rnn_magics.storage.model_file import packed, unpacked
from rnn_magics.training.run import Run

SOURCES = Path(rnn_magics.__file__).parent
SCRIPT = SOURCES.parent / "benchmarks" / "torture" / "storage.py"


@pytest.fixture(scope="module")
def torture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("torture_storage", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ("byte_mutations", 1000),
        ("truncations", 10**9),
        ("structures", 500),
        ("canaries", 1),
        ("negative_controls", 1),
    ],
)
def test_it_holds(torture: ModuleType, part: str, count: int) -> None:
    rows = getattr(torture, part)(count)
    assert rows
    for what, counted, held in rows:
        assert held == counted > 0, what


def test_it_holds_in_processes_of_their_own() -> None:
    parts = ("kill", "full", "interrupt", "killsave", "writers", "seed")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", *(f"--only={part}" for part in parts)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 2 + len(parts)


# What this process and the workers that it started say to each other, where nobody else speaks:
# over pipes, and through an actor of Ray. Who joins a cluster of Ray reads its pickles anyway.
OWN_PIPES = {
    SOURCES / path
    for path in (
        "text/sharding/pipes.py",
        "cluster/attaching.py",
        "cluster/following.py",
        "cluster/rank.py",
        "cluster/workers.py",
    )
}


@pytest.mark.parametrize(
    "path", sorted({*SOURCES.rglob("*.py")} - OWN_PIPES), ids=lambda path: path.name
)
def test_nothing_in_the_house_reads_pickles(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in source.splitlines() if "msg = " not in line)
    words = ("import pickle", "pickle.", "torch.load(", "torch.save(", "eval(", "exec(", "marshal")
    for harmless in ("model.eval(", ".eval()", "ast.literal_eval("):
        code = code.replace(harmless, "")
    found = [word for word in words if word in code]
    assert found == []


def digested(header: str, data: bytes = b"") -> bytes:
    words = header.encode()
    body = len(words).to_bytes(8, "little") + words + data
    return body + hashlib.sha256(body).digest()


def begin(document: str) -> str:
    return '{"__metadata__":{"rnn_magics":' + json.dumps(document) + "}"


DIGEST = ',"~sha256":{"dtype":"U8","shape":[32],"data_offsets":[%d,%d]}}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (digested(begin("{}") + "}"), "its tensors cannot be read|digest is not at the end"),
        (digested(begin("{}") + DIGEST % (0, 32)), "the document lacks 'format'"),
        (digested(begin("[]") + DIGEST % (0, 32)), "the document is not a mapping"),
        (digested(begin("[" * 10**5) + DIGEST % (0, 32)), "its JSON cannot be read"),
        (digested(begin("{}") + "," + "[" * 10**5), "its header cannot be read"),
        (digested(begin("{}") + DIGEST % (0, 32), b"x" * 8), "its tensors cannot be read"),
        (digested(begin("{}") + DIGEST % (0, 2**40)), "its tensors cannot be read"),
        (
            digested('{"__metadata__":{"rnn_magics":"{}","rnn_magics":"{}"}' + DIGEST % (0, 32)),
            "its header cannot be read: a key occurs twice",
        ),
        (
            digested('{"__metadata__":{"rnn_magics":"{}","other":"{}"}' + DIGEST % (0, 32)),
            "its metadata has other keys than rnn_magics",
        ),
        (
            digested(
                begin("{}")
                + ',"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}'
                + DIGEST % (0, 32)
            ),
            "its tensors cannot be read",
        ),
    ],
    ids=range(10),
)
def test_headers_that_lie_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(StorageError, match=message):
        unpacked(container.unpack(content))


def test_sizes_are_compared_before_memory_is_taken(run: Run) -> None:
    contents = container.unpack(packed(run))
    contents.document["config"]["model"]["num_hiddens"] = 1 << 20  # some 12 TB of weights
    with pytest.raises(StorageError, match="by its configuration it must be"):
        unpacked(contents)
    contents.document["config"]["model"]["num_layers"] = 1024
    with pytest.raises(StorageError, match=r"too few tensors \(6\) for its layers \(1024\)"):
        unpacked(contents)


@pytest.mark.parametrize(
    "name", ["cpu:999", "cuda:01", "cuda:-1", "xpu", "cuda:\u0661", "cpu\n", ""]
)
def test_a_device_is_one_of_few_words(run: Run, name: str) -> None:
    contents = container.unpack(packed(run))
    contents.document["device"]["name"] = name
    with pytest.raises(StorageError, match="is neither cpu nor cuda nor mps"):
        unpacked(contents)
