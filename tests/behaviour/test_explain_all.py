"""--explain of every magic: an equation, a shape of the session, and a call that can be made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics import Checkpointing, ModelConfig, TrainConfig
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.training.loop import begin, iter_train
from tests.notebook.conftest import SAMPLE, TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

# Lines of each magic, and words of a shape that this very session has.
LINES: dict[str, dict[str, str]] = {
    "corpus": {
        "%%corpus tiny --valid 0.4\nthe time traveller": "held-out share v: 0.4",
        "%corpus task:copy --length 3 --examples 9": "examples: 9",
    },
    "vocab": {
        "%vocab": "text: 564 characters",
        "%vocab --min-freq 2 --reserved '<a>'": "text: 564 characters",
    },
    "sample": {SAMPLE: "X, Y: (4, 8)", "%sample random --batch-size 2": "X, Y: (2, 35)"},
    "train_rnn": {
        TRAIN: "logits: (4, 8, 26)",
        f"{TRAIN} --seeds 2": "logits: (4, 8, 26)",
        "%train_rnn --resume kept": "logits: (4, 8, 26)",
    },
    "sweep": {
        "%sweep --lr 1e-3:1e-2 --num-hiddens 4 --epochs 1 --search random --trials 1": (
            "tried: lr 0.001:0.01 (log)"
        ),
        "%sweep --num-hiddens 4,8 --epochs 1 --search grid": "points: 2",
    },
    "generate": {
        '%generate "the " --length 3': "logits at each step: (1, 26)",
        '%generate "the " --length 3 --num 2': "logits at each step: (2, 26)",
        '%generate "the " --length 3 --beam 2': "logits at each step: (1, 26)",
        '%generate "the " --lines 2 --only lower --length 30': "tokens to generate: at most 30",
        '%generate --score "the "': "logits: (1, 26)",
        '%generate "the " --surprise': "logits: (1, 26)",
        '%generate "the " --novelty': "searched: the training part of 564 characters",
    },
    "baseline": {"%baseline --order 1-2": "tokens: 26"},
    "evaluate_rnn": {
        "%evaluate_rnn": "logits of gru-1: (n - 1, 26)",
        "%evaluate_rnn other.txt --run all": "logits of gru-1: (n - 1, 26)",
        "%evaluate_rnn --ngram 3": "logits of gru-1: (n - 1, 26)",
        "%evaluate_rnn --dynamic": "logits of gru-1: (n - 1, 26)",
        "%evaluate_rnn other.txt --cache 30": "states in the cache: (30, 8)",
    },
    "save_rnn": {"%save_rnn again.safetensors": "output.weight: (26, 8)"},
    "load_rnn": {
        "%load_rnn run.safetensors --name mine": "output.weight: (26, 8)",
        "%load_rnn kept": "output.weight: (26, 8)",
    },
    "inspect_rnn": {
        **{
            f'%inspect_rnn {view} "the time"': "states of a layer: (num_tokens, 8)"
            for view in ("hidden", "gates", "surprise", "gradient", "match --threshold 0")
        },
        "%inspect_rnn units": "states of a layer: (num_tokens, 8)",
        "%inspect_rnn batches": "X, Y: (4, 8)",
    },
}
WITHOUT_CALL = {"exercise", "rnn", "rnn_lab"}  # what works on the session, and says so


def test_every_magic_is_here() -> None:
    assert set(LINES) | WITHOUT_CALL == set(MAGICS)


@pytest.fixture
def complete(trained: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """With a file, a kept run that can go on, and a text beside them."""
    monkeypatch.chdir(tmp_path)
    trained.run("%save_rnn run.safetensors")
    run, state = begin(
        trained.session.batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=2), "kept"
    )
    keep = Checkpointing("kept")(run, state)
    for event in iter_train(run, state, lambda: "stopped" if len(run.history) else None):
        keep(event)
    (tmp_path / "other.txt").write_text("the time traveller came back")
    return trained


@pytest.mark.parametrize(
    ("line", "shape"), [pair for lines in LINES.values() for pair in lines.items()]
)
def test_it_has_an_equation_a_shape_and_a_call_that_runs(
    complete: Notebook, shown: list[dict[str, Any]], line: str, shape: str
) -> None:
    first, newline, body = line.partition("\n")
    with complete.unchanged():
        complete.run(f"{first} --explain{newline}{body}")
    (output,) = shown
    plain, markdown = output["data"]["text/plain"], output["data"]["text/markdown"]
    equations = re.findall(r"\$\$(.+?)\$\$", markdown, re.DOTALL)
    assert equations
    assert all(equation.strip() for equation in equations)
    assert f"# {shape}" in plain
    comments = "\n".join(row for row in plain.split("\n") if row.startswith("#"))
    assert "\\" not in comments  # as plain text no LaTeX is left
    session = complete.session
    names = {"corpus": session.corpus, "vocab": session.vocab, "batches": session.batches}
    newest = session.runs["gru-1"]
    names |= {"run": newest, "runs": [newest], "text": None}
    if "--novelty" in line or "--surprise" in line or "--run all" in line:
        names.pop("text")
    before = set(names)
    exec(plain, names)
    assert set(names) - before - {"__builtins__"} or "text" in names


@pytest.mark.parametrize("magic", sorted(WITHOUT_CALL))
def test_what_has_no_call_says_so(complete: Notebook, magic: str) -> None:
    with complete.unchanged():
        assert complete.printed(f"%{magic} --explain").startswith("# ")
