"""Python and TypeScript know the same endings of a run, and say each once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import rnn_magics
from rnn_magics.training.endings import Ending

SOURCES = Path(__file__).parents[2] / "labextension" / "src"
ENDINGS = SOURCES / "contract" / "endings.ts"
CATALOGUE = Path(rnn_magics.__file__).parent / "locale/zh_CN/LC_MESSAGES/rnn_magics.json"
# `epochs` is also the name of a list, and of a view.
REASONS = "|".join(ending for ending in Ending if ending != Ending.EPOCHS)


def told() -> dict[str, tuple[str, str]]:
    """Return news and words of each ending, as TypeScript has them."""
    text = ENDINGS.read_text(encoding="utf-8")
    rows = re.findall(r"^  (\w+): \{ news: '(\w+)', words: '([^']+)' \},?$", text, re.MULTILINE)
    assert len(rows) == text.count("words: '")  # no row is overlooked
    return {name: (news, words) for name, news, words in rows}


def test_both_halves_know_the_same_endings_their_news_and_their_words() -> None:
    assert told() == {e.value: (e.news, e.words) for e in Ending}


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_has_words_in_both_languages(ending: Ending) -> None:
    _, words = told()[ending]
    catalogue = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    (chinese,) = catalogue[words]
    assert chinese.strip()
    assert chinese != words


def test_no_two_endings_have_the_same_words() -> None:
    words = [words for _, words in told().values()]
    assert len(set(words)) == len(words) == len(Ending)


@pytest.mark.parametrize(
    "path",
    sorted(SOURCES.rglob("*.ts")),
    ids=lambda path: str(path.relative_to(SOURCES)),
)
def test_only_one_file_of_typescript_names_endings(path: Path) -> None:
    found = re.findall(rf"""['"`](?:{REASONS})['"`]""", path.read_text(encoding="utf-8"))
    assert bool(found) == (path == ENDINGS)
