"""``%rnn page``: which run goes into which file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.handout.test_page import data_of

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_the_newest_run_or_a_named_one_is_written(prepared: Notebook, tmp_path: Path) -> None:
    for cell in ("gru", "rnn"):
        prepared.run(f"%train_rnn --cell {cell} --num-hiddens 8 --epochs 1 --no-baseline")
    with prepared.unchanged():
        page = prepared.run(f"%rnn page {tmp_path}/newest.html")
    assert data_of(page.path.read_text(encoding="utf-8"))["title"] == "rnn-1"
    page = prepared.run(f'%rnn page gru-1 "{tmp_path}/first one.html" --text "the "')
    data = data_of(page.path.read_text(encoding="utf-8"))
    assert (data["title"], data["looks"][0]["text"]) == ("gru-1", "the ")
    assert "tokens that it wrote" in dict(data["facts"])["repeats"]


def test_another_text_is_not_taken_for_that_of_the_run(prepared: Notebook, tmp_path: Path) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --no-baseline")
    prepared.run("%%corpus\n" + "another text\n" * 20)
    page = prepared.run(f"%rnn page {tmp_path}/run.html")
    facts = dict(data_of(page.path.read_text(encoding="utf-8"))["facts"])
    assert "not at hand" in facts["repeats"]


def test_what_was_looked_at_stands_in_the_page_behind_the_rest(
    prepared: Notebook, tmp_path: Path
) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --no-baseline")
    prepared.run('patch = %inspect_rnn patch "the" "he said"')
    prepared.run("ablation = %inspect_rnn ablate --tokens 30")
    page = prepared.run(f"%rnn page {tmp_path}/run.html --show patch,ablation")
    looks = data_of(page.path.read_text(encoding="utf-8"))["looks"]
    assert [look["view"] for look in looks[-2:]] == ["patch", "ablate"]
    assert looks[-2] == prepared.variables["patch"].to_data()
    said = prepared.refused(f"%rnn page {tmp_path}/other.html --show patch --no-text")
    assert said.startswith("patch may show text of the corpus")
    said = prepared.refused(f"%rnn page {tmp_path}/other.html --show pach")
    assert "did you mean 'patch'" in said
    assert not (tmp_path / "other.html").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%rnn page", "needs a file"),
        ("%rnn page run.txt", "run.txt.html"),
        ("%rnn page nobody run.html", "nobody"),
        ("%rnn page a b c.html", "at most 2 names"),
        ("%rnn doctor --no-text", "--no-text is for %rnn page"),
        ("%rnn --overwrite", "--overwrite is for %rnn page"),
        ("%rnn doctor --show a", "--show is for %rnn page"),
        ("%rnn page a.html --show __name__", "is no variable with what %inspect_rnn returned"),
    ],
)
def test_bad_input_gets_one_line(prepared: Notebook, line: str, said: str) -> None:
    prepared.run("%train_rnn --num-hiddens 8 --epochs 1 --no-baseline")
    assert said in prepared.refused(line)
