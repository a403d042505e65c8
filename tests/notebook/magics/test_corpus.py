"""``%corpus``: series of numbers and made-up tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rnn_magics.text.series.levels import Series
from rnn_magics.text.series.read import read_series
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.stream import MadeUp

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

X = np.sin(np.arange(2000) / 9)


def test_a_variable_becomes_a_series(notebook: Notebook) -> None:
    notebook.variables["x"] = X
    corpus = notebook.run("%corpus --data x --levels 20 --bins quantile --valid 0.2")
    assert isinstance(corpus.behind, Series)
    assert repr(corpus.behind).startswith("20 quantile levels from -")
    assert notebook.session.corpus is corpus
    assert corpus.config.valid == 0.2
    assert corpus.name == "x"
    assert "20 quantile levels from" in notebook.rich(corpus)["text/html"]


def test_fewer_levels_than_asked_for_are_told_once(notebook: Notebook) -> None:
    notebook.variables["x"] = [0.0, 2.0, 10.0] * 30
    note = "x has 3 levels, not 9: one without a value to train on goes to the next; try --bins"
    assert notebook.printed("%corpus --data x --levels 9") == f"{note} quantile\n"


def test_a_task_is_named_like_a_text(notebook: Notebook) -> None:
    corpus = notebook.run(
        "%corpus task:copy --length 3 --symbols 2 --delay 1 --examples 50 --seed 4"
    )
    assert isinstance(corpus.behind, MadeUp)
    assert corpus.behind.config.to_dict() == {
        "length": 3,
        "symbols": 2,
        "delay": 1,
        "examples": 50,
        "seed": 4,
    }
    assert "who knows the rule reaches perplexity" in notebook.rich(corpus)["text/html"]
    assert notebook.complete("%corpus task:re") == ["task:recall"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--data x --levels 1", "--levels must be in [2, 10000], not 1"),
        ("--data x --levels two", "--levels must be a whole number, not 'two'"),
        ("--data x --levels 9 --bins width", "--bins: 'width' is not one of uniform, quantile"),
        ("--data x --bins quantile", "--bins says how levels are cut; add --levels 20, or leave"),
        (
            "x.csv --levels 9",
            "--levels reads a variable as a series of numbers; name it with --data",
        ),
        ("--data x --levels 9 --as-tokens", "--as-tokens and --levels exclude each other"),
        ("--data x --levels 9 --lower", "'x' is a sequence of tokens, and cleaning is for text"),
        ("--data y --levels 9", "the notebook has no variable 'y'"),
        ("--data gaps --levels 9", "'gaps': element 3 is a gap (of 2 such elements), nan or None"),
        ("--data words --levels 9", "'words': element 1 is a str; a series is made of numbers"),
        ("--data same --levels 9", "'same' is constant: every value to train on is 2"),
        ("--data few --levels 9", "'few' has 3 values to train on, fewer than 9 levels"),
        ("--data number --levels 9", "'number' is an int, which has no elements"),
        (
            "task:cpoy",
            "task: 'cpoy' is not one of copy, recall, parity, adding, dyck; did you mean",
        ),
        ("task:copy --length 0", "--length must be in [1, 1000], not 0"),
        ("task:copy --symbols 99", "--symbols must be in [1, 26], not 99"),
        ("task:recall --length 11", "recall needs a key of its own for each pair: --symbols 11 or"),
        ("task:adding --length 1", "adding marks two digits, so --length must be at least 2"),
        ("task:parity --delay 3", "task parity takes no --delay; leave it out"),
        ("task:copy --encoding latin-1", "--encoding is for files and downloads; leave it out"),
        ("task:copy a.txt", "'task:copy' is a text of its own; name it alone"),
        ("a.txt task:copy", "'task:copy' is a text of its own; name it alone"),
        ("a.txt --examples 3", "--examples is for made-up tasks, such as task:copy; leave it out"),
        ("task:copy --lower", "'task:copy' is a sequence of tokens, and cleaning is for text"),
        ("task:copy --levels 3", "--levels reads a variable as a series of numbers"),
        ("task:copy --max-tokens 1", "'task:copy' has only one token"),
        ("task:copy --data x", "--data already says where the text comes from"),
    ],
)
def test_bad_input_is_refused_in_one_line(trained: Notebook, line: str, said: str) -> None:
    trained.variables.update(
        x=X, gaps=[1, 2, 3, None, float("nan")], words=[1, "two"], same=[2.0] * 90, few=[1, 2, 3]
    )
    trained.variables["number"] = 7
    assert trained.refused(f"%corpus {line}").startswith(said)


def test_what_explain_prints_makes_the_same_corpus(notebook: Notebook) -> None:
    notebook.variables["x"] = X
    line = "%corpus --data x --levels 9 --valid 0.3"
    printed = notebook.printed(f"{line} --explain")
    assert "# levels L: 9" in printed
    assert "# level of a value, edges e:" in printed
    names = {"x": X}
    exec(printed, names)
    made = notebook.run(line)
    assert names["corpus"] == made == read_series(X, made.behind.levels, made.config, name="x")
    task = "%corpus task:dyck --length 3 --examples 20"
    printed = notebook.printed(f"{task} --explain")
    assert "# examples: 20" in printed
    exec(printed, names)
    assert names["corpus"] == notebook.run(task)
    assert names["corpus"] == task_corpus("dyck", notebook.session.corpus.behind.config)  # type: ignore[union-attr]


def lines(folder: Path) -> Path:
    path = folder / "text.txt"
    path.write_text("one line\nand another line\n" * 9000)
    return path


def test_workers_count_a_text_that_stays_on_disk(notebook: Notebook, tmp_path: Path) -> None:
    path = lines(tmp_path)
    corpus = notebook.run(f"%corpus {path} --storage {tmp_path}/indices")
    assert corpus.on_disk
    assert "Corpus.load(" in notebook.printed(f"%corpus {path} --storage there --explain")
    told = notebook.printed("%vocab --token word --min-freq 2 --workers 2 --explain")
    assert "vocab = count_vocab(corpus, VocabConfig(token='word', min_freq=2))" in told  # two
    vocab = notebook.run("%vocab --token word --min-freq 2 --workers 2")
    assert vocab.token_freqs[:2] == [("line", 16200), ("\n", 16200)]
    assert notebook.session.vocab is vocab
    notebook.run("%sample random")
    notebook.run(f"%corpus {path}")
    assert notebook.run("%vocab --token word --min-freq 2") == vocab


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "%vocab --workers 2",
            "cannot be shared out among workers: it is in memory; %corpus --storage",
        ),
        ("%vocab --workers 0", "--workers must be at least 1, not 0"),
        (
            "%vocab --cluster auto",
            "--cluster says where workers are; say how many with --workers N",
        ),
        (
            "%corpus python_docs --storage x",
            "is kept in memory, as documents and texts without a file",
        ),
        ("%corpus --data X --storage x", "--storage is for files and downloads; leave it out"),
        ("%corpus task:copy --storage x", "--storage is for files and downloads; leave it out"),
    ],
)
def test_workers_need_a_text_on_disk(
    notebook: Notebook, tmp_path: Path, line: str, said: str
) -> None:
    notebook.run(f"%corpus {lines(tmp_path)}")
    before = notebook.session.corpus
    assert said in notebook.refused(line)
    assert notebook.session.corpus is before
