"""The lessons behind the launcher card are the examples, in both languages, each with a next."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.dom.minidom import parseString

import nbformat
import pytest

from rnn_magics.exercises.exercises import EXERCISES
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from tools.figures import figures
from tools.figures_of_sequences import WORDS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SOURCE = (ROOT / "labextension/src/lab/begin/lessons.ts").read_text(encoding="utf-8")


def listed(name: str) -> list[str]:
    (inside,) = re.findall(rf"{name} = \[(.*?)\];", SOURCE, re.DOTALL)
    return re.findall(r"'([^']+)'", inside)


LESSONS = listed("LESSONS")
(IN_CHINESE,) = re.findall(r"CHINESE = '(\w+)'", SOURCE)
FOLDERS = {"en": EXAMPLES, "zh": EXAMPLES / IN_CHINESE}
ENGLISH_PARTS = ("**Aim.**", "**In the book**", "**Further than the book**")
CHINESE_PARTS = ("**目标**", "**书中的位置**", "**比书中多走的一步**")
in_both_languages = pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)


def cells(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [cell.source for cell in notebook.cells]


def links(text: str) -> list[str]:
    return re.findall(r"\]\((\w+\.(?:ipynb|py))\)", text)


@in_both_languages
def test_every_example_is_a_lesson_in_its_order(folder: Path) -> None:
    assert sorted(path.name for path in folder.glob("*.ipynb")) == LESSONS
    assert sorted(path.name for path in folder.glob("*.py")) == listed("SCRIPTS")
    (inside,) = re.findall(r"FIGURES = '(\w+)'", SOURCE)
    assert sorted(path.name for path in (folder / inside).iterdir()) == listed("DRAWINGS")


@in_both_languages
@pytest.mark.parametrize(("name", "following"), [*pairwise([*LESSONS, LESSONS[0]])])
def test_a_lesson_ends_with_a_link_to_the_next_one(name: str, following: str, folder: Path) -> None:
    *_, last = cells(folder / name)
    assert links(last) == [following]


@in_both_languages
@pytest.mark.parametrize("name", LESSONS)
def test_what_a_lesson_links_to_is_copied_with_it(name: str, folder: Path) -> None:
    text = "\n".join(cells(folder / name))
    assert set(links(text)) <= {*LESSONS, *listed("SCRIPTS")}
    drawn = {f"figures/{each}" for each in listed("DRAWINGS")}
    assert set(re.findall(r"!\[[^\]]+\]\((.+?)\)", text)) <= drawn
    assert "](../" not in text


@in_both_languages
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_says_its_aim_and_where_it_stands_in_the_book(name: str, folder: Path) -> None:
    first, *_ = cells(folder / name)
    said = CHINESE_PARTS if folder.name == IN_CHINESE else ENGLISH_PARTS
    assert [part for part in said if part not in first] == []


@in_both_languages
@pytest.mark.parametrize("name", LESSONS)
def test_each_exercise_of_a_lesson_has_its_question(name: str, folder: Path) -> None:
    number, text = name[:2], "\n".join(cells(folder / name))
    questions = [each for each in EXERCISES if each.startswith(f"{number}.")]
    _, _, listed_there = text.partition("## 练习" if folder.name == IN_CHINESE else "## Exercises")
    asked = re.findall(r"^(\d+)\. ", listed_there, re.MULTILINE)
    assert questions == [f"{number}.{place}" for place in asked]
    assert (f"`%exercise {number}`" in listed_there) == bool(questions)


@in_both_languages
def test_every_drawing_is_shown(folder: Path) -> None:
    text = "\n".join(cell for name in LESSONS for cell in cells(folder / name))
    assert [each for each in listed("DRAWINGS") if f"(figures/{each})" not in text] == []


def test_the_drawings_are_those_of_the_tool() -> None:
    for path, drawn in figures().items():
        assert path.read_text(encoding="utf-8") == drawn, "type: python tools/figures.py"
        assert parseString(drawn).documentElement.tagName == "svg"


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_the_drawn_indices_are_those_of_a_vocabulary(words: dict[str, str]) -> None:
    _, trained = re.split("： ?|: ", words["trained"])
    corpus = Corpus.from_text(trained, CorpusConfig(valid=0))
    for kind, drawn in (("char", words["characters"]), ("word", words["words"])):
        vocab = Vocab.from_corpus(corpus, VocabConfig(kind))
        assert vocab[vocab.split(words["sentence"])] == [int(each) for each in drawn.split()]
    seen, new = ([*pairwise(vocab.split(text))] for text in (trained, words["sentence"]))
    never = [str(number) for number, pair in enumerate(new) if pair not in seen]
    assert never == words["never"].split()
