"""The lessons behind the launcher card are the examples, and each leads to the next."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SOURCE = (ROOT / "labextension/src/lab/begin/lessons.ts").read_text(encoding="utf-8")


def listed(name: str) -> list[str]:
    (inside,) = re.findall(rf"{name} = \[(.*?)\];", SOURCE, re.DOTALL)
    return re.findall(r"'([^']+)'", inside)


LESSONS = listed("LESSONS")


def cells(name: str) -> list[str]:
    notebook = nbformat.read(EXAMPLES / name, as_version=4)  # type: ignore[no-untyped-call]
    return [cell.source for cell in notebook.cells]


def links(text: str) -> list[str]:
    return re.findall(r"\]\((\w+\.(?:ipynb|py))\)", text)


def test_every_example_is_a_lesson_in_its_order() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.ipynb")) == LESSONS
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == listed("SCRIPTS")


@pytest.mark.parametrize(("name", "following"), [*pairwise([*LESSONS, LESSONS[0]])])
def test_a_lesson_ends_with_a_link_to_the_next_one(name: str, following: str) -> None:
    *_, last = cells(name)
    assert links(last) == [following]


@pytest.mark.parametrize("name", LESSONS)
def test_what_a_lesson_links_to_is_copied_with_it(name: str) -> None:
    named = {link for cell in cells(name) for link in links(cell)}
    assert named <= {*LESSONS, *listed("SCRIPTS")}
    assert [cell for cell in cells(name) if "](../" in cell] == []
