"""Functions compiled for this CPU, with vectors of its width."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from rnn_magics.models.fast import compiling
from rnn_magics.models.fast.compiling import OPTIONS, features

WIDE = '"prefer-vector-width"="512"'


def each(x: np.ndarray) -> None:
    for i in range(len(x)):
        x[i] += 1


@pytest.mark.skipif(compiling.VECTOR_BYTES < 64, reason="this CPU has no vectors of 512 bits")
@pytest.mark.skipif(compiling.IS_CHOSEN, reason="whoever runs the tests has chosen a CPU")
def test_only_our_functions_ask_for_whole_vectors() -> None:
    ours, theirs = numba.njit(**OPTIONS)(each), numba.njit(nogil=True)(each)
    x = np.zeros(40, np.float32)
    ours(x), theirs(x)
    assert (x == 2).all()
    (ours_text,), (theirs_text,) = (f.inspect_llvm().values() for f in (ours, theirs))
    assert WIDE in ours_text
    assert "<16 x float>" in ours_text
    assert WIDE not in theirs_text


SAID = """
from rnn_magics.models.fast import compiling, tile
print(compiling.IS_CHOSEN, compiling.VECTOR_BYTES, tile.ROWS, sorted(compiling.features()))
"""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"NUMBA_CPU_FEATURES": "+avx2,-avx512f"}, "True 32 6 ['avx2']"),
        ({"NUMBA_CPU_FEATURES": ""}, "True 16 4 []"),
        ({"NUMBA_CPU_NAME": "generic"}, "True 16 4 []"),
    ],
)
def test_the_variables_of_a_user_win(variables: dict[str, str], said: str) -> None:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-c", SAID]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said


def test_features_are_those_of_the_cpu() -> None:
    assert all(name and not name.startswith(("+", "-")) for name in features())


BITS = """
import hashlib, torch
from rnn_magics import BatchConfig, Batches, ModelConfig, TrainConfig, train
from rnn_magics.models.engines import is_compiled

ids = torch.randint(9, (3_000,), generator=torch.Generator().manual_seed(0))
batches = Batches(ids, BatchConfig("seq", 16, 10))
print(*(is_compiled(cell) for cell in ("rnn", "gru", "lstm")))
for cell in ("rnn", "gru", "lstm"):
    for optimizer, size in (("adamw", 6), ("sgd", 130)):
        config = TrainConfig(epochs=1, device="cpu", threads=1, optimizer=optimizer)
        run = train(batches, ModelConfig(cell, num_hiddens=size), config)
        bits = b"".join(p.detach().numpy().tobytes() for p in run.model.parameters())
        print(cell, size, hashlib.sha256(bits).hexdigest())
"""


def test_code_that_was_loaded_trains_to_the_same_bits(tmp_path: Path) -> None:
    # Where a sum of products may be rounded in two ways, the compiler has once chosen otherwise for
    # a process that compiled than for one that loaded. A resumed run was then another run.
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", BITS]
    compiling, loading = (
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    )
    kept_before, *compiled_bits = compiling.splitlines()
    kept_after, *loaded_bits = loading.splitlines()
    assert (kept_before, kept_after) == ("False False False", "True True True")
    assert len(compiled_bits) == 6
    assert compiled_bits == loaded_bits
