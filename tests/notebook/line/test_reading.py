"""What people hand over to the magics that read texts, ``%corpus`` and ``%evaluate_rnn``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.utils.text import SList

from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.options import describe
from rnn_magics.reports.texts import TextEvaluation
from rnn_magics.scores.adaptive import AdaptConfig
from rnn_magics.text.corpus import Corpus
from tests.notebook.conftest import Notebook

READERS = ("corpus", "evaluate_rnn")


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "texts").mkdir()
    for name in ("one", "two"):
        text = f"the grey eyes {name}"
        (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "cafe.txt").write_bytes("café au lait".encode("cp1252"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "texts"


GIVEN: dict[str, Any] = {
    "$path": Path("texts/one.txt"),
    "$word": "texts/one.txt",
    "$files": ["texts/one.txt", "texts/two.txt"],
    "{files}": ("texts/one.txt", Path("texts/two.txt")),
    "$shell": SList(["texts/one.txt", "texts/two.txt"]),
    "$one": ["texts/one.txt"],
    "texts/one.txt $files": ["texts/two.txt"],
    "texts": None,
    "$folder": Path("texts"),
    "texts/*.txt": None,
    "texts/one.txt texts/two.txt": None,
    "cafe.txt --encoding cp1252": None,
    "texts/one.txt --letters-only --name mine": None,
    "--data text": "the grey eyes",
    "--data numbers --as-tokens": ["a", "b"],
}


@pytest.mark.parametrize("words", GIVEN)
def test_each_reader_takes_the_same(trained: Notebook, texts: Path, words: str) -> None:
    assert texts.is_dir()
    for name in ("path", "word", "files", "shell", "one", "folder", "text", "numbers"):
        trained.variables[name] = GIVEN[words]
    taken = trained.run(f"%corpus {words}")
    assert isinstance(taken, Corpus)
    if words.endswith("--as-tokens"):
        assert "reads text (char tokens), but" in trained.refused(f"%evaluate_rnn {words}")
        return
    found = trained.run(f"%evaluate_rnn {words}")
    several = words in ("$files", "{files}", "$shell", "texts/one.txt $files")
    several = several or words == "texts/one.txt texts/two.txt"
    if several:
        assert [each.text for each in found] == ["one", "two"]
    else:
        assert isinstance(found, TextEvaluation)
        assert (found.text, found.part) == (taken.name, "whole text")
        assert found.score.num_tokens == len(taken) - 1


def test_a_list_is_what_the_shell_gives(notebook: Notebook, texts: Path) -> None:
    assert texts.is_dir()
    notebook.run("files = !ls texts/*.txt")
    assert notebook.run("%corpus $files").data == "the grey eyes one\nthe grey eyes two"
    assert notebook.printed("%corpus $files").startswith("2 texts, 35 characters: one, two\n")


def test_what_runs_is_what_is_explained(trained: Notebook, texts: Path) -> None:
    assert texts.is_dir()
    trained.variables["files"] = [Path("texts/one.txt"), "texts/two.txt"]
    for line in ("%corpus $files --lower", "%corpus texts", "%corpus texts/*.txt --valid 0"):
        plain: dict[str, Any] = {}
        exec(trained.printed(f"{line} --explain"), plain)
        assert plain["corpus"] == trained.run(line)


def test_a_cell_is_a_text_to_score(trained: Notebook) -> None:
    found = trained.run("%%evaluate_rnn poem\nthe grey eyes\nshone")
    assert (found.text, found.part, found.score.num_tokens) == ("poem", "whole text", 19)


def test_readers_have_the_same_options() -> None:
    fields = [MagicParser(name, load_magic(name).options).fields for name in READERS]
    ours, theirs = fields
    adapting = {field.name for field in describe(AdaptConfig)}
    assert set(theirs) - set(ours) == {"run", "ngram", "as_is", *adapting}
    for name in ours:
        one, other = ours[name], theirs[name]
        assert (one.flag, one.type, one.default) == (other.flag, other.type, other.default)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("$none", "variable 'none' is an empty list, which names nothing"),
        ("$mixed", "element 1 of 'mixed' is a list; an option takes text, a number or a path"),
        (
            "x$files",
            "variable 'files' is a list; an option takes text, a number or a path, and a list",
        ),
        ("--encoding $files", "variable 'files' is a list, but --encoding takes one value; name"),
        ("--encoding=$files", "variable 'files' is a list, but --encoding takes one value; name"),
        ("--valid $files", "variable 'files' is a list, but --valid takes one value; name"),
        ("--data $files", "variable 'files' is a list, but --data takes one value; name"),
        ("$blank", "source 1 is empty; name a text, a path or an address"),
        ("texts/one.txt texts/gone.txt", "there is no file 'texts/gone.txt' in "),
        ("texts/*.csv", "'texts/*.csv' fits no file (looked for from "),
        ("texts/one.txt --sha256 " + 64 * "0", "--sha256 is for downloads; leave it out, or"),
        ("texts/one.txt --data text", "leave 'texts/one.txt' out"),
        ("cafe.txt", "try --encoding cp1252 (café au lait)"),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    trained: Notebook, texts: Path, reader: str, words: str, said: str
) -> None:
    assert texts.is_dir()
    given = {"none": [], "mixed": ["a", ["b"]], "files": ["texts/one.txt"], "blank": [" "]}
    trained.variables.update(given, text="abc")
    with trained.unchanged():
        assert said in trained.refused(f"%{reader} {words}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%evaluate_rnn --lower", "--lower is for a text: name one, or leave it out"),
        ("%evaluate_rnn --encoding utf-8", "--encoding is for a text: name one, or leave it out"),
        ("%evaluate_rnn --ngram 2 --lower", "on its own held-out text; leave --lower out"),
        ("%evaluate_rnn --dynamic --lower", "--lower is for a text: name one, or leave it out"),
        ("%evaluate_rnn --dynamic --ngram 2 --as-is", "its own held-out text; leave --as-is out"),
        ("%evaluate_rnn --cache 9 --dynamic-lr 1", "--dynamic-lr has no effect without --dynamic;"),
        ("%evaluate_rnn --dynamic --cache-theta 1", "--cache-theta has no effect without --cache"),
        ("%evaluate_rnn --ngram 2 --as-is", "on its own held-out text; leave --as-is out"),
        ("%evaluate_rnn texts/one.txt texts/two.txt --name x", "--name names one text, not 2"),
        ("%generate $files", "variable 'files' is a list, but prefix takes one value"),
        ("%sample --batch-size $files", "variable 'files' is a list, but --batch-size takes one"),
        ("%sample seq $files", "variable 'files' is a list, but %sample takes one value"),
    ],
)
def test_an_option_without_effect_is_refused(
    trained: Notebook, texts: Path, line: str, said: str
) -> None:
    assert texts.is_dir()
    trained.variables["files"] = ["a", "b"]
    with trained.unchanged():
        assert said in trained.refused(line)


ENCODED = {
    "cp1252": "It\N{RIGHT SINGLE QUOTATION MARK}s a tale of the sea and the wind",
    "latin-1": "Die Wellen waren grün, und das Fräulein fuhr nach München",
    "gbk": "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
    "big5": "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。",
    "shift_jis": "吾輩は猫である。名前はまだ無い。どこで生れたか",
    "koi8-r": "Все счастливые семьи похожи друг на друга",
    "utf-16-le": "the time traveller",
    "utf-16-be": "床前明月光，疑是地上霜。",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_the_advice_works_when_it_is_pasted(
    trained: Notebook, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(ENCODED[encoding].encode(encoding))
    for reader in READERS:
        said = trained.refused(f"%{reader} {path}")
        advice = said[said.index("--encoding") :].partition(" (")[0]
        found = trained.run(f"%{reader} {path} {advice}")
        if isinstance(found, Corpus):
            assert found.data == ENCODED[encoding]
        else:
            assert found.score.num_tokens == len(ENCODED[encoding]) - 1
