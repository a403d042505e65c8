"""Documents on magic lines: names one a line, from the file to twenty new ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnn_magics.errors import StorageError
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.documents import BOS
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train
from tests.notebook.conftest import Notebook

NAMES = [f"{a}{b}{c}" for a in ("an", "bo", "cle") for b in ("na", "b", "r") for c in ("a", "us")]
TRAIN = "%train_rnn --num-hiddens 16 --epochs 4 --lr 0.02 --device cpu --threads 1"
BEGIN = "%vocab\n%sample seq --batch-size 8 --num-steps 12\n"


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("\n".join(NAMES * 10) + "\n")
    return path


@pytest.fixture
def prepared(notebook: Notebook, names: Path) -> Notebook:
    notebook.run("%config RNNMagics.figures = False")
    notebook.run(f"%corpus {names} --documents line --valid 0.2 --seed 1\n{BEGIN}")
    return notebook


def test_twenty_names(prepared: Notebook) -> None:
    run = prepared.run(TRAIN.replace("--epochs 4", "--epochs 20"))
    assert run.vocab.marks is not None
    assert " per document" in repr(prepared.run("%evaluate_rnn"))
    texts = prepared.run("%generate --num 20 --length 40")
    plain = prepared.rich(texts)["text/plain"]
    head, *lines = plain.split("\n")
    assert len(lines) == 20
    known = sum(line.endswith(" *") for line in lines)
    assert head == f"20 documents, of which {known} are in the training text (*)"
    assert known > 0
    assert BOS not in plain
    assert lines[0].strip() in prepared.rich(texts)["text/html"]
    # Explained, the lines are the calls that were made.
    explained = prepared.printed("%generate --num 20 --explain")
    assert "known = known_documents(texts, corpus, run.vocab)" in explained
    assert "generate_many(run, ''" in explained
    # One is written as it comes; and of another text nobody knows which are in it.
    assert "<" not in prepared.printed("%generate --length 40")
    prepared.run("%corpus python_docs")
    assert prepared.rich(prepared.run("%generate --num 3"))["text/plain"].startswith(
        "3 documents\n"
    )


def test_a_run_on_documents_is_saved_and_goes_on(prepared: Notebook, tmp_path: Path) -> None:
    whole = prepared.run(f"{TRAIN} --checkpoint {tmp_path / 'whole'}")
    corpus, batches = prepared.session.corpus, prepared.session.batches
    read = load_run(tmp_path / "whole")
    assert read.vocab == whole.vocab
    assert read.vocab.marks == whole.vocab.marks
    assert read.reading.cleaning.documents == "line"
    assert read.valid_counts == whole.valid_counts
    assert read.valid_counts.num_documents
    assert evaluate_text(read, corpus) == evaluate_text(whole, corpus)

    def cut_off(event: Event) -> None:
        if isinstance(event, StepEnd) and (event.epoch, event.step) == (3, 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            batches,
            whole.config.model,
            whole.config.train,
            watch=Checkpointing(str(tmp_path / "part"), every="3 steps"),
            listeners=[cut_off],
        )
    assert resume_run(tmp_path / "part", batches).valid_perplexity == whole.valid_perplexity


def test_another_text_is_read_as_documents(prepared: Notebook, tmp_path: Path) -> None:
    run = prepared.run(TRAIN)
    (tmp_path / "other.txt").write_text("anna\n\nborus\n")
    found = prepared.run(f"%evaluate_rnn {tmp_path / 'other.txt'}")
    assert found.num_documents == 2
    assert found.score.num_tokens == len("anna.borus.")
    assert "--documents line" in prepared.printed(f"%evaluate_rnn {tmp_path / 'other.txt'}")
    explained = prepared.printed(f"%evaluate_rnn {tmp_path / 'other.txt'} --explain")
    assert "documents='line'" in explained
    assert evaluate_text(run, prepared.session.corpus).num_documents > 2
    as_is = prepared.run(f"%evaluate_rnn {tmp_path / 'other.txt'} --as-is")
    assert as_is.num_documents == 0


def test_files_as_documents_are_read_one_by_one(notebook: Notebook, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number:02}.txt").write_text(f"number {number} has\n{number * 'x'}\n")
    notebook.run(f"%corpus {tmp_path} --documents file --valid 0.3\n{BEGIN}")
    notebook.run(f"{TRAIN} --epochs 1")
    assert notebook.run(f"%evaluate_rnn {tmp_path / '03.txt'}").num_documents == 1
    assert notebook.run(f"%evaluate_rnn {tmp_path}").num_documents == 12
    text = notebook.refused("%%evaluate_rnn poem\none\ntwo")
    assert "'poem' is a text, which does not show where a file ends" in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%corpus {names} --seed 3", "--seed is for --documents and made-up tasks"),
        ("%corpus {names} --documents blank", "is one document"),
        ("%corpus {names} --documents record", "has no records"),
        ("%corpus {names} --documents file", "is one document"),
        ("%corpus {names} --documents lines", "did you mean 'line'?"),
        ("%corpus --data tokens --as-tokens --documents line", "documents are texts"),
        ("%corpus task:copy --documents line", "documents are texts"),
        ("%%corpus poem --documents file\none\ntwo", "does not show where a file ends"),
        ("%%corpus poem --documents line\nb\n" + "a" * 2000, "is in its training part"),
        ("%%corpus poem --documents line\na\n<eos>", "has <eos> in its text"),
        ("%generate --score", "needs"),
        ("%rnn code {run}", "is documents"),
    ],
)
def test_what_is_no_documents_changes_nothing(
    prepared: Notebook, names: Path, line: str, message: str
) -> None:
    prepared.run("tokens = ['a', 'b', 'c']")
    if "generate" in line or "{run}" in line:
        prepared.run(f"{TRAIN} --epochs 1")
    run = next(iter(prepared.session.runs), "")
    assert message in prepared.refused(line.format(names=names, run=run))


def test_records_are_documents(notebook: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(json.dumps({"who": 1, "said": f"so {n}\nor"}) for n in range(30)))
    corpus = notebook.run(f"%corpus {path} --field said --documents record")
    assert corpus.documents == [f"so {n}\nor" for n in range(30)]
    notebook.run("rows = [{'text': 'x\\ny'}, {'text': 'z'}]")
    assert notebook.run("%corpus --data rows --documents record").documents == ["x\ny", "z"]


def test_a_task_keeps_its_seed(notebook: Notebook) -> None:
    made = notebook.run("%corpus task:copy --examples 9 --seed 4")
    assert made.config.seed is None
    assert made.behind.config.seed == 4


def test_a_damaged_vocabulary_of_documents_is_refused(prepared: Notebook) -> None:
    run = prepared.run(f"{TRAIN} --epochs 1")
    plain = PARTS["vocab"].write(run)
    assert plain["documents"] is True
    for value in (False, 1, "yes"):
        with pytest.raises(StorageError, match="marks of documents are amiss"):
            PARTS["vocab"].read({**plain, "documents": value})
