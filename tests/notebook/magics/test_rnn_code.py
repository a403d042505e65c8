"""%rnn code: the run as a cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_the_cell_that_is_put_in_repeats_the_run(
    prepared: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --scratch --threads 1")
    with prepared.unchanged():
        script = prepared.run("%rnn code")
    written = prepared.shell.rl_next_input or _next_input(prepared)
    assert written == str(script)
    plain: dict[str, Any] = {}
    exec(written, plain)
    assert plain["held_out"] == prepared.session.runs["gru-1"].valid_perplexity
    assert "held-out" in capsys.readouterr().out


def _next_input(notebook: Notebook) -> str:
    payloads = notebook.shell.payload_manager.read_payload()
    return next(p["text"] for p in payloads if p["source"] == "set_next_input")


def test_a_long_text_goes_to_the_file_that_is_named(prepared: Notebook, tmp_path: Path) -> None:
    text = "the time traveller \\ {x}\n" * 40
    prepared.run(f"%%corpus --valid 0.3\n{text}")
    prepared.run("%vocab")
    prepared.run("%sample --batch-size 4 --num-steps 8")
    prepared.run("%train_rnn --num-hiddens 4 --epochs 1")
    assert "name a file to write them to: %rnn code RUN FILE" in prepared.refused("%rnn code")
    path = tmp_path / "text.txt"
    prepared.run(f"%rnn code gru-1 '{path}'")
    assert path.read_bytes().decode() == prepared.session.corpus.data
    path.write_text("mine")
    assert "holds something else" in prepared.refused(f"%rnn code gru-1 '{path}'")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--bidirectional", "a bidirectional model is not a language model"),
        ("--max-tokens 64", "it has not ended as planned"),
        ("--max-time 100", "follows a limit of time or tokens"),
    ],
)
def test_what_cannot_be_written_out_says_why(prepared: Notebook, options: str, reason: str) -> None:
    prepared.run(f"%train_rnn --num-hiddens 4 --epochs 1 {options}")
    assert reason in prepared.refused("%rnn code")


def test_another_corpus_is_not_written_into_the_script(trained: Notebook) -> None:
    trained.run("%%corpus other\nanother text altogether")
    assert "run 'gru-1' was trained on 'tiny'" in trained.refused("%rnn code")


def test_another_split_of_the_same_text_is_noticed(trained: Notebook) -> None:
    trained.run(f"%%corpus tiny --valid 0.2\n{trained.text}")
    assert "split or shortened differently" in trained.refused("%rnn code")
