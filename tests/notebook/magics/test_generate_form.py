"""``%generate`` in a form: its options on a line, what is shown, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rnn_magics.decoding.form import Form
from tests.notebook.conftest import SAMPLE, TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

SOUNDS = {"e": "x", "r": "x", "n": "y"}


@pytest.fixture
def lines(notebook: Notebook) -> Notebook:
    """A model of a text with line breaks and Chinese."""
    notebook.variables["text"] = "one line\nanother\n春夏秋冬\n" * 40
    notebook.variables["sounds"] = SOUNDS
    notebook.run("%config RNNMagics.figures = False")
    for line in ("%corpus --data text", "%vocab", SAMPLE, TRAIN):
        notebook.run(line)
    return notebook


@pytest.mark.parametrize(
    "starts", ["春,夏,秋,冬", "春，夏，秋，冬", "春，夏,秋 , 冬".replace(" ", "")]
)
def test_an_acrostic_is_written_with_commas_of_either_width(lines: Notebook, starts: str) -> None:
    text = lines.run(f"%generate one --starts {starts} --line-length 3 --only han")
    assert text.form == Form(starts=("春", "夏", "秋", "冬"), line_length=3, only=("han",))
    rows = str(text).splitlines()[1:]
    assert [row[0] for row in rows] == ["春", "夏", "秋", "冬"]
    assert {len(row) for row in rows} == {3}
    shown = lines.rich(text)["text/plain"]
    assert f", the form cost {text.form_nats:.1f} nats, " in shown


def test_several_texts_say_what_their_form_cost(lines: Notebook) -> None:
    texts = lines.run("%generate one --lines 2 --num 3 --surprise")
    assert all(len(str(text).splitlines()) == 3 for text in texts)
    shown = lines.rich(texts)
    for text in texts:
        assert f"the form cost {text.form_nats:.1f} nats" in shown["text/plain"]
        assert f"the form cost {text.form_nats:.1f} nats" in shown["text/html"]


def test_even_lines_rhyme(lines: Notebook) -> None:
    text = lines.run("%generate one --lines 4 --line-length 4 --rhyme sounds")
    ends = [row[-1] for row in str(text).splitlines()[1:]][1::2]
    assert sorted(ends) == ["e", "r"]
    with_dollar = lines.refused("%generate one --lines 4 --rhyme $sounds")
    assert "sounds" in with_dollar  # a dict is no word of a line


def test_what_is_explained_writes_the_same_text(lines: Notebook) -> None:
    line = "%generate one --lines 4 --starts n,a --rhyme sounds --length 60"
    printed = lines.printed(f"{line} --explain")
    assert "form = Form(lines=4, starts=('n', 'a'), rhymes=sounds)\n" in printed
    assert "form=form)\n" in printed
    assert "# the cost of a form, with the tokens A that it allows:" in printed
    assert "tokens to generate: at most 60" in printed
    scope = {"run": lines.session.require_run(), "sounds": SOUNDS}
    exec(printed, scope)
    assert str(scope["text"]) == str(lines.run(line))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--lines 4 --line-length 60", "the form takes 245 tokens with its line breaks, and --len"),
        ("--starts x", "the beginning 'x' of --starts needs tokens that are not in the vocabulary"),
        ("--only digits", "the vocabulary has no token of digits alone; choose other classes for"),
        ("--only letter", "only: 'letter' is not one of letters, lower, upper, han, digits, punct"),
        ("--lines 1 --starts a,n", "starts has 2 beginnings for 1 line; leave some out, or ask"),
        ("--lines 0", "--lines must be at least 1, not 0"),
        ("--lines 2 --stop e", "--stop would end the text before it has its lines; leave out --st"),
        ("--rhyme sounds", "a rhyme needs lines; add --lines 4"),
        ("--lines 4 --rhyme sound", "the notebook has no variable 'sound'; did you mean 'sounds'?"),
        ("--lines 4 --rhyme text", "rhymes must be a dict of texts, such as {'light': 'ight', 'ni"),
        ("--lines 4 --score", "--score writes no text, so --run is the only option that it takes"),
    ],
)
def test_what_is_refused(lines: Notebook, options: str, said: str) -> None:
    assert lines.refused(f"%generate one {options}").startswith(said)


def test_a_text_without_line_breaks_has_no_lines(trained: Notebook) -> None:
    trained.variables["flat"] = "the time traveller " * 40
    for line in ("%corpus --data flat", "%vocab", SAMPLE, TRAIN):
        trained.run(line)
    assert trained.refused("%generate the --lines 2").startswith("lines need line breaks, and the")


def test_the_classes_are_completed(lines: Notebook) -> None:
    assert "han" in lines.complete("%generate a --only ")
    assert "sounds" in lines.complete("%generate a --rhyme ")
