"""A process that is forked, while nothing trains and while something does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PATIENCE = 120  # seconds until a child counts as hanging; it answers in two or three

# Two threads, since it is those that a fork loses.
SCRIPT = """
import json, os, sys, tempfile, threading
import torch
torch.set_num_threads(2)
from rnn_magics import *
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin

corpus = Corpus.load("python_docs", config=CorpusConfig(max_tokens=20_000))
vocab = Vocab.from_corpus(corpus)
batches = make_batches(corpus, vocab, BatchConfig(batch_size=8, num_steps=16))
model = ModelConfig(num_hiddens=64)
done = train(batches, model, TrainConfig(max_tokens=2_000, threads=2))

def in_child(work):
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writes, json.dumps(said).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as answer:
        said = json.loads(answer.read())
    os.waitpid(child, 0)
    return said

def write():
    return str(generate(done, "the " * 50, DecodingConfig(length=40, greedy=True)))

def learn():
    run = train(batches, model, TrainConfig(max_tokens=2_000, threads=2))
    return [run.history.train_perplexity, str(run.threads)]
"""

NOTHING_TRAINS = """
print(json.dumps({
    "here": [write(), learn()[0]],
    "child": [in_child(write), in_child(learn)],
    "view": in_child(lambda: len(inspect_rnn("hidden", done, "the the").tokens)),
    "grandchild": in_child(lambda: in_child(write)),
}))
"""

A_RUN_TRAINS = """
begun = threading.Event()
run, state = begin(batches, model, TrainConfig(epochs=10**6, threads=2))
def hold(event):
    begun.set()
job = Job(run, state, hold)
job.start()
begun.wait()
calls = [
    write,
    lambda: str(generate(run, "the ")),
    learn,
    lambda: str(job.snapshot()),
    lambda: str(save_run(run, os.path.join(tempfile.gettempdir(), "never.safetensors"))),
    lambda: str(inspect_rnn("hidden", run, "the")),
    lambda: str(evaluate(run.model, batches.ids[:99])),
]
said = [in_child(call) for call in calls]
job.stop()
job.wait()
print(json.dumps({"said": said, "after": in_child(write) == write()}))
"""


def answers(lines: str) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + lines],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        out, errors = script.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(script.pid, signal.SIGKILL)  # children that hang, too
    assert script.returncode == 0, errors
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def test_a_child_computes_the_same_on_one_thread() -> None:
    answer = answers(NOTHING_TRAINS)
    text, perplexity = answer["here"]
    assert answer["child"][0] == text
    assert answer["grandchild"] == text
    assert answer["child"][1] == [perplexity, "1 thread (a forked process has no more)"]
    assert answer["view"] > 0


def test_a_child_of_a_process_that_trains_refuses_in_one_line() -> None:
    answer = answers(A_RUN_TRAINS)
    assert len(answer["said"]) == 7
    for said in answer["said"]:
        assert said.startswith("ModelError: this process was forked while a run was training"), said
        assert "\n" not in said
    assert answer["after"]
