"""A run reads every text as its own was read, whatever the present corpus is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.score import score_text
from rnn_magics.errors import StorageError
from rnn_magics.inspection.inspectors import inspect_rnn
from rnn_magics.inspection.views.match import MatchConfig
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.mixture import evaluate_mixture
from rnn_magics.reports.texts import evaluate_text, evaluate_texts
from rnn_magics.storage.contents.parts import read_parts, write_parts
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.strict import Fields
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run
from tests.notebook.conftest import SAMPLE, TRAIN, Notebook

RAW = (
    "The Time Traveller, for so it will be convenient; 2 of 3 \N{EM DASH} the psychologist.\n" * 20
)
CLEANINGS = {
    "": CorpusConfig(),
    "--lower": CorpusConfig(lower=True),
    "--letters-only": CorpusConfig(letters_only=True),
    "--letters-only --lower": CorpusConfig(letters_only=True, lower=True),
    "--d2l": CorpusConfig(d2l=True),
}


def trained_on(cleaning: CorpusConfig) -> Run:
    corpus = Corpus.from_text(RAW, replace(cleaning, valid=0.2), name="raw")
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=1, device="cpu", threads=1)
    return train(batches, ModelConfig(num_hiddens=4), config, name="read")


@pytest.fixture(scope="module", params=list(CLEANINGS))
def run(request: pytest.FixtureRequest) -> Run:
    return trained_on(CLEANINGS[request.param])


@pytest.fixture(scope="module")
def of_the_book() -> Run:
    return trained_on(CLEANINGS["--d2l"])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(RAW, encoding="utf-8")
    return path


@pytest.mark.parametrize("then", CLEANINGS)
def test_the_present_corpus_changes_no_evaluation(
    notebook: Notebook, book: Path, tmp_path: Path, then: str
) -> None:
    notebook.run(f"%corpus {book} --d2l\n%vocab\n{SAMPLE}\n{TRAIN}")
    before = notebook.run(f"%evaluate_rnn {book}")
    assert before.part == "training part"
    assert before.unk_share == 0.0
    (tmp_path / "other.txt").write_text("Another TEXT, 4 you.\n" * 30, encoding="utf-8")
    notebook.run(f"%corpus {tmp_path / 'other.txt'} {then}")
    assert notebook.run(f"%evaluate_rnn {book}") == before
    notebook.run(f"%save_rnn {tmp_path / 'kept'}\n_ = %rnn --reset")
    notebook.run(f"_ = %load_rnn {tmp_path / 'kept'}")
    again = notebook.run(f"%evaluate_rnn {book}")
    assert (again.part, again.perplexity) == (before.part, pytest.approx(before.perplexity))


@pytest.mark.parametrize("flags", CLEANINGS)
def test_what_is_typed_counts_for_more_than_the_run(
    notebook: Notebook, book: Path, flags: str
) -> None:
    run = notebook.run(f"%corpus {book} --d2l\n%vocab\n{SAMPLE}\n{TRAIN}")
    found = notebook.run(f"%evaluate_rnn {book} {flags or '--as-is'}")
    text = Corpus.load(str(book), replace(CLEANINGS[flags], valid=0.0))
    assert found == evaluate_text(run, text, as_is=True)
    held_out = notebook.run(f"%evaluate_rnn {book} --valid 0.5")
    assert held_out.part == "held-out part"
    assert held_out.unk_share == 0.0


def test_each_of_several_runs_reads_by_itself(notebook: Notebook, book: Path) -> None:
    notebook.run(f"%corpus {book} --d2l\n%vocab\n{SAMPLE}\n{TRAIN}")
    notebook.run(f"%corpus {book}\n%vocab\n{SAMPLE}\n{TRAIN}")
    found = notebook.run(f"%evaluate_rnn {book} --run all")
    assert [row[0].part for row in found.rows] == ["training part", "training part"]
    assert [row[0].unk_share for row in found.rows] == [0.0, 0.0]
    said = notebook.printed(f"%evaluate_rnn {book} --run all")
    assert said == "read as the text of run 'gru-1' was: --d2l\n"


def test_the_present_corpus_is_read_as_the_run_reads(notebook: Notebook, book: Path) -> None:
    notebook.run(f"%corpus {book} --d2l\n%vocab\n{SAMPLE}\n{TRAIN}")
    before = notebook.run("%evaluate_rnn")
    notebook.run(f"%corpus {book}")
    assert notebook.run("%evaluate_rnn") == before
    notebook.run(
        f"%corpus {book}\n%vocab\n{SAMPLE}\n{TRAIN}\n%corpus {book} --lower --letters-only"
    )
    said = notebook.printed("%evaluate_rnn")
    assert said.startswith(
        "the corpus was cleaned with --letters-only --lower and that of run 'gru-2'"
    )


def test_a_run_without_a_record_says_so(notebook: Notebook, book: Path) -> None:
    run = notebook.run(f"%corpus {book} --lower\n%vocab\n{SAMPLE}\n{TRAIN}")
    run.reading = None
    said = notebook.printed(f"%evaluate_rnn {book}")
    assert said == (
        "run 'gru-1' keeps no record of how its text was read, so this one was read as it is; type"
        " the options of its %corpus, such as --lower\n"
    )
    assert notebook.printed(f"%evaluate_rnn {book} --lower") == ""
    assert notebook.run(f"%evaluate_rnn {book} --lower").unk_share == 0.0


def test_the_encoding_of_the_training_reads_another_file(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(("床前明月光，疑是地上霜。\n" * 20).encode("gbk"))
    (tmp_path / "b.txt").write_bytes("疑是明月\n".encode("gbk"))
    refused = notebook.refused(f"%corpus {tmp_path / 'a.txt'}")
    flags = refused[refused.index("--encoding") :].partition(" (")[0]
    notebook.run(f"%corpus {tmp_path / 'a.txt'} {flags}\n%vocab\n{SAMPLE}\n{TRAIN}")
    assert notebook.run(f"%evaluate_rnn {tmp_path / 'b.txt'}").unk_share == 0.0
    (tmp_path / "c.txt").write_text("疑是明月\n", encoding="utf-8-sig")
    refused = notebook.refused(f"%evaluate_rnn {tmp_path / 'c.txt'}")
    assert refused.endswith("the byte order mark of utf-8; try --encoding utf-8")
    assert notebook.run(f"%evaluate_rnn {tmp_path / 'c.txt'} --encoding utf-8").unk_share == 0.0


READERS: dict[str, Callable[[Run, str], Any]] = {
    "score": lambda run, text: score_text(run, text).tokens,
    "generate": lambda run, text: generate(run, text, DecodingConfig(length=3)).text,
    "hidden": lambda run, text: inspect_rnn("hidden", run, text).tokens,
    "surprise": lambda run, text: inspect_rnn("surprise", run, text).tokens,
    "gradient": lambda run, text: inspect_rnn("gradient", run, text).tokens,
    "gates": lambda run, text: inspect_rnn("gates", run, text).tokens,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_typed_text_is_read_as_that_of_the_training(run: Run, reader: str) -> None:
    assert run.reading is not None
    typed = "The Time Traveller, 2 of three"
    as_run = Corpus.from_text(typed, replace(run.reading.cleaning, valid=0.0)).data
    found = READERS[reader](run, typed)
    assert found == READERS[reader](run, str(as_run))
    assert "<unk>" not in found


def test_a_prefix_keeps_the_space_at_its_end(of_the_book: Run) -> None:
    config = DecodingConfig(length=4, seed=3)
    written = generate(of_the_book, "The Time ", config)
    assert written.prefix == "the time "
    assert written.text == generate(of_the_book, "the time ", config).text
    assert written.unknown == ()


@pytest.mark.parametrize("view", ["units", "match"])
def test_a_corpus_is_searched_as_the_run_reads(run: Run, view: str) -> None:
    assert run.reading is not None
    raw = Corpus.from_text(RAW, CorpusConfig(valid=0.2), name="raw")
    read = Corpus.from_text(RAW, replace(run.reading.cleaning, valid=0.2), name="raw")
    before: list[Any] = [run, "The Time"] if view == "match" else [run]
    after = [MatchConfig(threshold=0.0)] if view == "match" else []
    found = inspect_rnn(view, *before, raw, *after)
    assert repr(found) == repr(inspect_rnn(view, *before, read, *after))


def test_a_text_is_scored_and_mixed_as_the_run_reads(run: Run) -> None:
    assert run.reading is not None
    raw = Corpus.from_text(RAW, CorpusConfig(valid=0.2), name="raw")
    read = Corpus.from_text(RAW, replace(run.reading.cleaning, valid=0.2), name="raw")
    assert evaluate_text(run, raw) == evaluate_text(run, read, as_is=True)
    assert list(evaluate_texts([run], [raw])) == [evaluate_text(run, read)]
    assert evaluate_mixture(run, raw, 2).rows == evaluate_mixture(run, read, 2).rows


def test_a_model_in_training_reads_as_its_run(notebook: Notebook, book: Path) -> None:
    run = notebook.run(f"%corpus {book} --d2l\n%vocab\n{SAMPLE}")
    run = notebook.run(
        "%train_rnn --num-hiddens 8 --epochs 100000 --background --no-baseline --threads 1"
    )
    snapshot = notebook.session.snapshot(run.name)
    notebook.run(f"_ = %rnn stop {run.name}")
    assert snapshot is not run
    assert score_text(snapshot, "The TIME").tokens == [*"the time"]


def test_the_record_is_kept_in_files(run: Run, tmp_path: Path) -> None:
    assert run.reading is not None
    assert load_run(save_run(run, tmp_path / "kept.safetensors")).reading == run.reading
    written = write_parts(replace(run, reading=TextReading(run.reading.cleaning, "gb18030")))
    found = read_parts(Fields(written, "the document"))
    assert found["reading"] == TextReading(run.reading.cleaning, "gb18030")


def test_a_file_without_the_record_is_read(of_the_book: Run, tmp_path: Path) -> None:
    older = load_run(save_run(replace(of_the_book, reading=None), tmp_path / "older.safetensors"))
    assert older.reading is None
    assert older.corpus == of_the_book.corpus


@pytest.mark.parametrize(
    "reading",
    [
        {},
        {"cleaning": {}, "encoding": None},
        {"cleaning": CorpusConfig().to_dict()},
        {"cleaning": CorpusConfig().to_dict(), "encoding": 8},
        {"cleaning": {**CorpusConfig().to_dict(), "lower": 1}, "encoding": None},
        {"cleaning": CorpusConfig().to_dict(), "encoding": None, "more": 1},
        [],
        None,
    ],
)
def test_a_record_of_another_form_is_refused(of_the_book: Run, reading: Any) -> None:
    written = {**write_parts(of_the_book), "reading": reading}
    with pytest.raises(StorageError):
        read_parts(Fields(written, "the document"))
