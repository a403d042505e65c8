"""Reports as HTML: the verdict first, the same figures as in text, legible in light and dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.digits import rounded
from rnn_magics.inspection.doctor import CHECKS
from rnn_magics.notebook.show.rich import markup
from rnn_magics.notebook.show.rich.markup import Markup, bold, table, words
from rnn_magics.notebook.show.texts import corpus_html
from rnn_magics.text.corpus import Corpus
from tests.contract.test_design import contrast
from tests.notebook.show.test_escape import Page, assert_harmless_page

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

RESULTS = (
    "%rnn",
    "%rnn doctor",
    "%rnn runs $folder",
    "%baseline --order 1-3",
    "%evaluate_rnn",
    "%evaluate_rnn --run all $file",
    "%evaluate_rnn --ngram 2",
    "%train_rnn --num-hiddens 8 --epochs 1 --seeds 2",
)


@pytest.fixture
def full(trained: Notebook, tmp_path: Any) -> Notebook:
    trained.variables.update(folder=str(tmp_path / "kept"), file=str(tmp_path / "b.txt"))
    (tmp_path / "b.txt").write_text("the time traveller was pale <b>and</b> twinkled")
    trained.run("%train_rnn --num-hiddens 8 --epochs 1 --checkpoint $folder")
    return trained


@pytest.mark.parametrize("line", RESULTS)
def test_every_report_has_both_forms_with_the_same_figures(full: Notebook, line: str) -> None:
    forms = full.rich(full.run(line))
    assert_harmless_page(forms["text/html"])
    page = re.sub("<[^>]+>", " ", forms["text/html"])
    assert page.strip() != ""
    in_text = set(re.findall(r"\d+\.\d{3}", forms["text/plain"]))
    in_page = set(re.findall(r"\d+\.\d{3}", page))
    assert in_text <= in_page
    assert "doctor" in line or in_text


def test_the_statistics_of_a_text_are_one_output(
    prepared: Notebook, shown: list[dict[str, Any]]
) -> None:
    prepared.run("_ = %vocab --zipf")
    (forms,) = [output["data"] for output in shown]
    assert {"text/html", "image/png", "text/plain"} == set(forms)
    assert forms["text/html"].count("<table ") == 2
    assert "src='data:image/png;base64," in forms["text/html"]
    assert_harmless_page(forms["text/html"])
    told = forms["text/plain"].split("(Zipf's law)")[0]
    assert {*re.findall(r"\d+\.\d%", told)} <= {*re.findall(r"\d+\.\d%", forms["text/html"])}


def test_the_columns_of_a_table_share_the_page_by_their_longest_words() -> None:
    made = table(("a", "run"), [("x", "ninecolum of"), (bold("long"), "")])
    widths = re.findall(r"min-width:min\((\d+)ch, ([\d.]+) \* \(100cqi - ([\d.]+)em\)\)", made)
    assert widths == [("6", "0.353", "3.0"), ("11", "0.647", "3.0")]
    assert "container-type:inline-size" in made
    assert table((), []) != ""


def test_each_check_says_why_it_matters(trained: Notebook) -> None:
    found = trained.run("%rnn doctor")
    assert [finding.check for finding in found] == list(CHECKS)
    assert all(re.fullmatch(r"[A-Z][^.]*\.", finding.why) for finding in found)
    forms = trained.rich(found)
    for form in (forms["text/plain"], Page(forms["text/html"]).text):
        assert form.startswith("no problem found by 12 checks")
        assert [finding.why for finding in found if finding.why not in form] == []


def test_a_problem_comes_first_and_the_rest_is_folded(prepared: Notebook) -> None:
    prepared.run("%train_rnn --bidirectional --num-hiddens 8 --epochs 1")
    forms = prepared.rich(prepared.run("%rnn doctor"))
    assert re.match(r"\d+ of 12 checks found a problem\nPROBLEM  ", forms["text/plain"])
    page = forms["text/html"]
    assert page.index("a bidirectional model") < page.index("<details>") < page.index("first_loss")


def test_minibatches_say_how_many_an_epoch_has_in_both_forms(trained: Notebook) -> None:
    forms = trained.rich(trained.run("%sample --batch-size 4 --num-steps 8"))
    (told,) = re.findall(
        r"\d+ minibatches in an epoch that starts at offset \d+", forms["text/plain"]
    )
    page = Page(forms["text/html"]).text
    assert told in page
    assert page.startswith("seq: minibatches of 4 x 8 from ")


def test_a_session_is_told_in_words_and_not_in_calls(trained: Notebook) -> None:
    forms = trained.rich(trained.run("%rnn"))
    for form in (forms["text/plain"], Page(forms["text/html"]).text):
        assert "different tokens (char), 0 is '<unk>'" in form
        assert re.search(r"\w+\(\w*'", form) is None  # no Corpus('...


def test_the_best_baseline_is_named_first(trained: Notebook) -> None:
    ladder = trained.run("%baseline --order 1-3")
    best = rounded(ladder.best.valid_perplexity)
    text = Page(trained.rich(ladder)["text/html"]).text
    assert text.startswith(f"the best is the {ladder.best.order}-gram: held-out perplexity {best}")
    assert f"{ladder.num_valid_tokens:,} tokens" in text


def test_a_text_shows_its_length_its_alphabet_and_its_first_lines() -> None:
    text = "abba\tb <i>\nline two\n" * 40 + "the end"
    page = corpus_html(Corpus.from_text(text, name="abc"))
    assert "807 characters in 81 lines; held out:" in page
    # by frequency: space and line end as signs that are seen
    (alphabet,) = re.findall(r"16 different: ([^<]*)<", page)
    assert alphabet.split()[0] == "b"
    assert {"\N{OPEN BOX}", "\N{RETURN SYMBOL}", "\N{RIGHTWARDS ARROW TO BAR}"} <= {
        *alphabet.split()
    }
    assert "\nabba\tb &lt;i&gt;\nline two\n" in page
    assert page.count("line two") == 3  # six lines
    tokens = corpus_html(Corpus.from_tokens([1, 2, 2] * 9, name="abc"))
    assert "27 tokens; held out:" in tokens
    assert "2 different: 2 1" in tokens
    long = corpus_html(Corpus.from_text("ab" * 600_000, name="abc"))
    assert "2 different in the first 1,000,000: a b" in long


def test_a_cell_is_text_unless_it_is_made_of_our_pieces() -> None:
    assert table(("<b>",), [("<i>", bold("<u>"))]).count("&lt;") == 3
    assert isinstance(bold("x"), Markup)
    assert Page(words("\n a\n")).text == "\n\n a\n"


@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#212121"])
@pytest.mark.parametrize("colour", [markup.GOOD, markup.BAD])
def test_what_is_drawn_is_seen_in_light_and_dark(colour: str, ground: str) -> None:
    ink, paper = (
        tuple(float(int(c[at : at + 2], 16)) for at in (1, 3, 5)) for c in (colour, ground)
    )
    assert contrast(ink, paper) >= 3


def test_no_form_writes_in_a_colour_that_a_theme_could_hide(full: Notebook) -> None:
    for line in RESULTS:
        page = full.rich(full.run(line))["text/html"]
        colours = re.findall(r"(?<![-\w])color:([^;'\"]+)", page)
        assert {*colours} <= {"var(--jp-ui-font-color2,inherit)"}
