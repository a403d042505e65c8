"""Bad input: one line that says what is wrong, no traceback, and a session as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from rnn_magics import files

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

NO_CORPUS = "no corpus yet: type %corpus"
NO_VOCAB = "no vocabulary yet: type %vocab"
NO_BATCHES = "no minibatches yet: type %sample"
NO_RUN = "no run yet: type %train_rnn first"


@pytest.mark.parametrize(
    ("steps", "cell", "said"),
    [
        ([], "%vocab", NO_CORPUS),
        ([], "%vocab --zipf", NO_CORPUS),
        ([], "%sample", NO_CORPUS),
        ([], "%train_rnn", NO_CORPUS),
        ([], "%train_rnn --explain", NO_CORPUS),
        ([], '%generate "the"', NO_RUN),
        ([], "%rnn stop", "no run is training"),
        (["%%corpus\nabc"], "%sample", NO_VOCAB),
        (["%%corpus\nabc"], "%train_rnn", NO_VOCAB),
        (["%%corpus\nabc", "%vocab"], "%train_rnn", NO_BATCHES),
        (["%%corpus\nabc", "%vocab"], '%generate "the"', NO_RUN),
        (["%%corpus\nabc", "%vocab"], "%generate --score the --run gru-1", NO_RUN),
    ],
)
def test_a_step_out_of_order(notebook: Notebook, steps: list[str], cell: str, said: str) -> None:
    for step in steps:
        notebook.run(step)
    assert notebook.refused(cell).startswith(said)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%corpus --letters-only\n\n", "no characters"),
        ("%%corpus --letters-only\n--- 123 ---\n", "no characters"),
        ("%%corpus --letters-only\n1 a 2\n", "only one character"),
        ("%corpus --data nothing", "no characters"),
        ("%corpus --data letter", "only one character"),
        ("%corpus --data empty", "no tokens"),
        ("%corpus --data one", "only one token"),
    ],
)
def test_a_corpus_too_small(trained: Notebook, cell: str, said: str) -> None:
    trained.variables.update(nothing="", letter="a", empty=[], one=[7])
    assert f"has {said} after cleaning; a language model needs at least two" in trained.refused(
        cell
    )


def test_a_cell_without_a_body(trained: Notebook) -> None:
    assert trained.refused("%%corpus poem\n").startswith(
        "%%corpus is a cell magic, but the cell body is empty."
    )


@pytest.mark.parametrize(
    ("corpus", "token"),
    [("%%corpus one --valid 0.5\nhello", "word"), ("%%corpus one --max-tokens 1\nab", "char")],
)
def test_a_corpus_with_one_token_to_train_on(notebook: Notebook, corpus: str, token: str) -> None:
    notebook.run(corpus)
    said = notebook.refused(f"%vocab --token {token}")
    assert said.startswith("'one' has 1 training token (")


@pytest.mark.parametrize("length", [2, 4, 5, 9, 40, 90, 143])
@pytest.mark.parametrize("batching", ["seq", "random"])
def test_a_text_too_short_comes_with_advice_that_helps(
    notebook: Notebook, length: int, batching: str
) -> None:
    notebook.variables["text"] = "ab" * length
    notebook.run(f"%corpus --data text --valid 0 --max-tokens {length}")
    notebook.run("%vocab")
    said = notebook.refused(f"%sample {batching} --batch-size 4 --num-steps 35")
    assert said.startswith(f"the training text has {length} tokens, but batch_size 4 x (num_steps")
    assert "needs 144; try " in said
    advice = said.partition("; try ")[2]
    if length == 2:
        assert advice == "a longer text"
        return
    flags = advice if "--num-steps" in advice else f"{advice} --num-steps 35"
    assert len(list(notebook.run(f"%sample {batching} {flags}"))) >= 1


@pytest.fixture
def odd_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with files in it that are no text."""
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbfabc\xff")
    (tmp_path / "binary.bin").write_bytes(b"\x7fELF\x00\x01")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "closed.txt").write_bytes(b"closed to all")
    (tmp_path / "closed.txt").chmod(0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("latin1.txt", "is not utf-8: byte 0xe9 at offset 3; try --encoding cp1252 (café au lait)"),
        ("marked.txt", "byte 0xff at offset 6"),
        ("latin1.txt --encoding ascii", "is not ascii: byte 0xe9 at offset 3"),
        ("latin1.txt --encoding klingon", "unknown encoding 'klingon'; try utf-8"),
        ("binary.bin", "is a binary file (zero character at offset 4); give a text file"),
        ("picture.png", "is a binary file (zero byte at offset 8); give a text file"),
        ("folder", "'folder' has no files; files in folders below it are named by folder/**/*"),
        (".", "'binary.bin' is a binary file"),
        ("folder/*", "'folder/*' fits no file (looked for from "),
        ("''", "source 1 is empty; name a text, a path or an address"),
        ("empty.txt", "has no characters"),
        ("missing.txt", "there is no file 'missing.txt' in "),
        ("folder/missing", "there is no file 'folder/missing' in "),
        ("time_machin", "unknown corpus 'time_machin'; did you mean 'time_machine'?"),
        ("ftp://host/file", "only http:// and https:// addresses can be read"),
        ("~nobody-of-that-name/file", "this system has no user of that name"),
        (
            "latin1.txt --data text",
            "--data already says where the text comes from; leave 'latin1.txt' out",
        ),
        ("--data missing", "the notebook has no variable 'missing'"),
        ("--data texts", "did you mean 'text'?"),
        ("--data number", "'number' is a float; a corpus is made from a string, a list of strings"),
        ("--data unhashable", "element 1 is a list; tokens must be hashable"),
        ("--data numbers --lower", "is a sequence of tokens, and cleaning is for text; leave out"),
        ("--data text --encoding utf-8", "--encoding is for files and downloads"),
        (
            "python_docs --as-tokens",
            "--as-tokens needs --data NAME; add that, or leave --as-tokens out",
        ),
        ("--valid 1", "--valid must be in [0, 1), not 1.0"),
        ("--valid -0.1", "--valid must be in [0, 1), not -0.1"),
    ],
)
@pytest.mark.usefixtures("odd_files")
def test_a_source_that_cannot_be_read(trained: Notebook, words: str, said: str) -> None:
    trained.variables.update(text="abc", number=1.5, numbers=[1, 2], unhashable=[1, []])
    assert said in trained.refused(f"%corpus {words}")


@pytest.mark.usefixtures("odd_files")
def test_a_file_that_may_not_be_read(trained: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:  # root may read what nobody may
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "open_file", refuse)
    assert trained.refused("%corpus closed.txt") == (
        "'closed.txt' cannot be read: permission denied"
    )


def test_a_cell_that_takes_its_text_from_elsewhere(trained: Notebook) -> None:
    trained.variables["text"] = "abc"
    said = trained.refused("%%corpus --data text\nabc")
    assert said == "the body of the cell is the text; leave --data out, or begin with one %"
    assert "--encoding is for files" in trained.refused("%%corpus --encoding latin-1\nabc")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("-1", "--clip must be above 0, not -1.0"),
        ("0", "--clip must be above 0, not 0.0"),
        ("nan", "--clip must be above 0, not nan"),
        ("inf", "--clip must be above 0, not inf"),
        ("abc", "--clip must be a number, not 'abc'"),
        ("''", "--clip must be a number, not ''"),
        ("", "--clip needs a value"),
        ("'1", "the quote ' at column 8 is not closed"),
        ("$clap", "the notebook has no variable 'clap'"),
        ("{text}", "--clip must be a number, not 'abc'"),
        ("$list", "variable 'list' is a list, but --clip takes one value; name one element"),
    ],
)
def test_a_clip_that_is_no_bound(trained: Notebook, value: str, said: str) -> None:
    trained.variables.update(text="abc", list=[1])
    assert trained.refused(f"%train_rnn --clip {value}").startswith(said)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%train_rnn --epoch 3", "%train_rnn has no option --epoch; did you mean '--epochs'?"),
        ("%train_rnn -e 3", "%train_rnn has no option -e"),
        ("%train_rnn 3", "%train_rnn does not expect '3'"),
        ("%train_rnn --epochs 1.5", "--epochs must be a whole number, not '1.5'"),
        ("%train_rnn --num-hiddens 999999999", "this run needs at least "),
        ("%corpus https://10.0.0.1:1/x --max-download 0", "--max-download must be in (0, "),
        ("%corpus https://h.example --sha256 abc", "sha256 must be 64 hexadecimal digits, not"),
        (
            f"%corpus a.txt --sha256 {'a' * 64}",
            "--sha256 is for downloads; leave it out, or name an http",
        ),
        ("%corpus --max-download 3", "--max-download is for downloads; leave it out"),
        ("%train_rnn --epochs 0", "--epochs must be at least 1, not 0"),
        (
            "%train_rnn --cell gruu",
            "--cell: 'gruu' is not one of rnn, gru, lstm, mingru, minlstm; did you mean 'gru'?",
        ),
        ("%train_rnn --recipe d2l", "--recipe: 'd2l' is not one of "),
        ("%train_rnn --tie --bidirectional", "tie needs an output as wide as the embedding"),
        ("%train_rnn --device gpu", "unknown device 'gpu'; choose cpu, cuda"),
        ("%train_rnn --device xla", "device 'xla' is not supported"),
        ("%train_rnn --seed -1", "--seed must be in [0, 1.84467e+19), not -1"),
        ("%train_rnn --seed 18446744073709551616", "--seed must be in [0, 1.84467e+19), not 18"),
        ("%generate the --seed 18446744073709551616", "--seed must be in [0, 1.84467e+19), not 18"),
        (
            "%vocab --token words",
            "--token: 'words' is not one of char, word, bpe, grapheme, byte, given; did you mean",
        ),
        ("%vocab --token given", "'tiny' is text; leave out --token given"),
        ("%vocab --reserved a,b --max-size 2", "--max-size 2 leaves no room for the reserved"),
        ("%sample sequence", "batching: 'sequence' is not one of seq, random"),
        ("%sample seq random", "%sample does not expect 'random'"),
        ("%sample --batch-size 0", "--batch-size must be at least 1, not 0"),
        ("%sample --show 0", "--show must be at least 1, not 0"),
        ("%generate", '%generate needs "TEXT"'),
        ('%generate "the', 'the quote " at column 1 is not closed'),
        ("%generate the time", "%generate does not expect 'time'; text with spaces needs quotes"),
        ("%generate the --run gru-9", "no run 'gru-9'; did you mean 'gru-1'? (runs: gru-1)"),
        ('%generate ""', "the prefix has no char tokens"),
        ("%generate the --stop ab", "--stop 'ab' is not a single char token of the vocabulary"),
        ("%generate the --stop Q", "--stop 'Q' is not a single char token of the vocabulary"),
        ("%generate the --greedy --temperature 2", "greedy draws nothing, so temperature has no"),
        ("%generate the --greedy --top-k 2", "greedy draws nothing, so top_k has no effect"),
        ("%generate the --greedy --beam 2", "beam and greedy exclude each other"),
        ("%generate the --beam 2 --num 2", "a beam search finds one text, not 2"),
        ("%generate the --beam 2 --top-p 0.5", "beam draws nothing, so top_p has no effect"),
        ("%generate the --top-p 0", "--top-p must be in (0, 1], not 0.0"),
        ("%generate the --temperature -1", "--temperature must be at least 0, not -1.0"),
        (
            "%generate --score the --greedy",
            "--score writes no text, so --run is the only option that it takes",
        ),
        (
            "%generate --score the --num 2",
            "--score writes no text, so --run is the only option that it takes",
        ),
        ("%generate --score t", "the text has 1 char token; a score needs at least two"),
        ("%rnn stop", "no run is training"),
        (
            "%rnn pause gru-1",
            "run 'gru-1' has already ended: there is nothing to pause, resume or stop",
        ),
        ("%rnn resume gru-9", "no run 'gru-9'; did you mean 'gru-1'? (runs: gru-1)"),
        ("%rnn halt", "action: 'halt' is not one of stop, pause, resume"),
        ("%rnn stop --reset", "no run is training"),
    ],
)
def test_a_line_that_cannot_be_followed(trained: Notebook, cell: str, said: str) -> None:
    assert trained.refused(cell).startswith(said)


def test_a_device_that_is_not_there(trained: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert trained.refused("%train_rnn --device cuda") == (
        "--device cuda: no such device here (none found); leave it out, or use --device cpu"
    )


@pytest.mark.parametrize("cell", ['%generate "the"', '%generate --score "the"'])
def test_a_bidirectional_model_is_asked_for_text(prepared: Notebook, cell: str) -> None:
    prepared.run("%train_rnn --bidirectional --num-hiddens 8 --epochs 1")
    said = prepared.refused(cell)
    assert said.startswith("a bidirectional model predicts a token from the text after it")
    assert said.endswith("train a model without --bidirectional")


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("%corpus missing.txt", "%corpus --max-tokens 99"),
        ("%vocab --token words", "%vocab --token word"),
        ("%sample --batch-size 9999", "%sample --batch-size 2"),
        ("%train_rnn --clip -1", "%train_rnn --num-hiddens 8 --epochs 1"),
        ("%generate the --run none", "%generate the --length 2 --run gru-1"),
        ("%rnn stop", "%rnn"),
    ],
)
def test_the_refused_line_can_be_corrected_and_run(trained: Notebook, bad: str, good: str) -> None:
    trained.refused(bad)
    assert trained.run(good) is not None
