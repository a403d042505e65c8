"""``%exercise``: lists, checks, gives hints, shows solutions and reports."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rnn_magics.exercises.exercises import EXERCISES
from tests.notebook.conftest import Notebook


def test_a_lesson_is_listed_with_its_questions(notebook: Notebook) -> None:
    listed = repr(notebook.run("%exercise 06"))
    assert [line[:4] for line in listed.splitlines()] == ["06.1", "06.2", "06.3", "06.4"]
    assert "06.2  [open]  The gradient of a step has norm 8" in listed
    assert len(repr(notebook.run("%exercise")).splitlines()) == len(EXERCISES)


def test_an_answer_is_checked_and_the_hints_follow(notebook: Notebook) -> None:
    assert "Upside down" in repr(notebook.run("%exercise 06.2 4"))
    assert "theta / norm" in repr(notebook.run("%exercise 06.2 4"))
    assert "--solution" in repr(notebook.run("%exercise 06.2 17"))
    assert notebook.run("%exercise 06.2 0.25").is_right
    assert "[right]" in repr(notebook.run("%exercise 06.2"))


def test_an_answer_may_be_a_variable(trained: Notebook) -> None:
    trained.run("run = %rnn")  # no run
    assert "no run" in repr(trained.run("%exercise 06.1 run"))
    trained.run("bits = 0.25")
    assert trained.run("%exercise 06.2 bits").is_right


def test_a_word_that_can_be_chosen_is_no_variable(notebook: Notebook) -> None:
    notebook.run("rnn = 5")
    assert notebook.run("%exercise 07.5 rnn").is_right


def test_the_answer_is_that_of_the_session(prepared: Notebook) -> None:
    assert prepared.run("%exercise 05.1 8").is_right
    prepared.run("%sample seq --batch-size 4 --num-steps 9")
    assert not prepared.run("%exercise 05.1 8").is_right


def test_a_solution_needs_three_tries(notebook: Notebook) -> None:
    assert notebook.refused("%exercise 08.4 --solution") == (
        "the solution is shown after 3 more tries: %exercise 08.4 ANSWER"
    )
    notebook.run("%exercise 08.4 8")
    notebook.run("%exercise 08.4 256")
    assert "after 1 more try:" in notebook.refused("%exercise 08.4 --solution")
    notebook.run("%exercise 08.4 2")
    assert notebook.printed("%exercise 08.4 --solution") == (
        "4.000: 4 bits for two characters are 2 bits for one.\n"
    )
    assert "[solution shown]" in repr(notebook.run("%exercise 08.4"))


def test_a_teacher_may_allow_solutions(notebook: Notebook) -> None:
    notebook.run("%config RNNMagics.solutions = True")
    assert notebook.printed("%exercise 09.1 --solution").startswith("surprise: ")


def test_an_answer_that_cannot_be_read_is_no_try(notebook: Notebook) -> None:
    assert notebook.refused("%exercise 06.2 four").startswith("the answer is a number, not 'four'")
    assert "3 more tries" in notebook.refused("%exercise 06.2 --solution")


def test_a_report_for_a_teacher(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook.run("%exercise 07.5 gru")
    notebook.run("%exercise 07.5 rnn")
    notebook.run("%exercise 06.2 '-4'")
    assert "07.5      right  2      gru, rnn" in repr(notebook.run("%exercise --report"))
    notebook.run("%exercise --report tries.csv")
    with (tmp_path / "tries.csv").open(encoding="utf-8") as file:
        rows = {row[0]: row for row in csv.reader(file)}
    assert rows["exercise"] == ["exercise", "state", "tries", "answers"]
    assert rows["07.5"] == ["07.5", "right", "2", "gru, rnn"]
    assert rows["06.2"] == ["06.2", "tried", "1", "-4"]
    assert "--overwrite" in notebook.refused("%exercise --report tries.csv")
    notebook.run("%exercise --report tries.csv --overwrite")
    assert "name it tries.txt.csv" in notebook.refused("%exercise --report tries.txt")


def test_what_a_spreadsheet_would_compute_stays_text(notebook: Notebook) -> None:
    notebook.run("formula = 4")
    notebook.session.tries.note("06.2", "=1+1", is_right=False)
    assert "'=1+1" in notebook.run("%exercise --report").to_csv()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%exercise 99", "no exercises of a lesson '99' (lessons: 03, 04,"),
        ("%exercise 06.9 1", "no exercise '06.9'; did you mean '06."),
        ("%exercise 06.3 2", "this exercise is about your newest run: type %train_rnn first"),
        ("%exercise 06.2 4 --solution", "--solution takes no answer"),
        ("%exercise --solution", "--solution needs an exercise"),
        ("%exercise 06 --report a.csv", "--report is about all exercises"),
        ("%exercise --overwrite", "--overwrite is for --report FILE.csv"),
    ],
)
def test_what_cannot_be_done_is_one_line(notebook: Notebook, line: str, said: str) -> None:
    assert notebook.refused(line).startswith(said)
