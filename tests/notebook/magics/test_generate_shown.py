"""What is shown of a generated text: its prefix, its surprise, several side by side."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.score import MOST_EXPECTED, score_text, score_written
from rnn_magics.inspection.views.surprise import inspect_surprise
from rnn_magics.notebook.live.writing import OutputWriter, StreamWriter
from tests.contract.test_design import contrast
from tests.notebook.payloads import PAYLOADS
from tests.notebook.show.test_escape import Page, assert_harmless, assert_harmless_page

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

LINE = '%generate "the " --length 30 --temperature 2'


def test_the_surprise_of_a_text_is_that_of_its_tokens(trained: Notebook) -> None:
    run = trained.session.runs["gru-1"]
    written = generate(run, "the ", DecodingConfig(length=60, no_unk=True))
    found, alone = score_written(run, written), score_text(run, written.text)
    assert found.tokens == alone.tokens
    assert found.surprise[1:] == pytest.approx(alone.surprise[1:], abs=1e-4)
    assert found.num_prefix == 4
    assert found.perplexity == pytest.approx(written.perplexity)
    assert "".join(found.pieces) == written.text
    seen = inspect_surprise(run, written.text)
    for place in range(4, len(found.tokens)):
        told = [chance for _, chance in found.expected_at(place)]
        assert told == pytest.approx(list(seen.probabilities[place][:4]), abs=1e-4)
        assert found.expected_at(place) != ()
    assert found.expected_at(3) == ()


@pytest.mark.parametrize("length", [1, 2, MOST_EXPECTED - 1, MOST_EXPECTED, MOST_EXPECTED + 3])
def test_each_token_shown_has_its_alternatives(trained: Notebook, length: int) -> None:
    found = trained.session.runs["gru-1"]
    score = score_written(found, trained.run(f'%generate "t" --length {length}'))
    assert len(score.expected) == min(length, MOST_EXPECTED)
    for place in range(1, min(len(score.tokens), 20)):
        chance = dict(score.expected_at(place)).get(score.tokens[place])
        assert chance is None or -math.log2(chance) == pytest.approx(
            score.surprise[place], abs=1e-3
        )


def test_tokens_are_coloured_by_surprise_on_request(
    trained: Notebook, shown: list[dict[str, Any]]
) -> None:
    assert trained.printed(f"{LINE} --surprise") == ""
    (forms,) = [output["data"] for output in shown]
    source = forms["text/html"]
    spans = re.findall(r"<span style='background:(#\w+);color:(#\w+)' title='([^']*)'>", source)
    assert len(spans) == 30 + 3  # and the key
    assert "<b>the </b>" in source
    for ground, ink, said in spans[:30]:
        pair = [ground, ink if len(ink) == 7 else "#" + "".join(2 * c for c in ink[1:])]
        rgb = [tuple(float(int(c[at : at + 2], 16)) for at in (1, 3, 5)) for c in pair]
        assert contrast(*rgb) >= 4.5
        assert re.search(r": \d+\.\d\d bits, \d+\.\d%; also ", said)
    written = trained.variables["_shown_nowhere"]
    assert written.text in Page(source).text
    assert forms["text/plain"].startswith(f"{written.text}\n\nScore(perplexity ")
    assert "most surprising" in forms["text/plain"]
    assert written.said not in forms["text/plain"]  # where there is no notebook, it follows


def test_a_darker_token_is_more_surprising(trained: Notebook) -> None:
    score = trained.run('%generate --score "the timezz traveller"')
    spans = re.findall(
        r"background:#(\w+);[^>]*: (\d+\.\d\d) bits", trained.rich(score)["text/html"]
    )
    light = [(float(bits), sum(bytes.fromhex(colour))) for colour, bits in spans]
    assert [total for _, total in sorted(light)] == sorted((t for _, t in light), reverse=True)


def test_several_texts_stand_side_by_side(trained: Notebook, shown: list[dict[str, Any]]) -> None:
    several = trained.run(f"{LINE} --num 3")
    forms = trained.rich(several)
    page = Page(forms["text/html"])
    assert "display:grid" in forms["text/html"]
    for number, written in enumerate(several, start=1):
        assert f"[{number}] {written.said}" in page.text
        assert written.text in page.text
        assert written.text in forms["text/plain"]
    assert forms["text/html"].count("<b>the </b>") == 3
    assert "title=" not in forms["text/html"]
    coloured = trained.rich(trained.run(f"{LINE} --num 3 --surprise"))["text/html"]
    assert coloured.count("title=") == 3 * (30 + 3)
    assert shown == []


def test_a_long_text_is_bounded_and_says_so(trained: Notebook, shown: list[dict[str, Any]]) -> None:
    trained.run('%generate "the " --length 3000 --surprise')
    assert len(shown[0]["data"]["text/html"]) < 150_000
    assert "... 2,500 more tokens" in shown[0]["data"]["text/html"]
    many = trained.rich(trained.run('%generate "the " --length 9000 --num 40'))["text/html"]
    assert len(many) < 150_000
    assert "and 16 more" in many


def test_a_score_takes_no_surprise(trained: Notebook) -> None:
    assert "--score writes no text" in trained.refused('%generate --score "the " --surprise')


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_hostile_text_is_data_in_every_form(
    notebook: Notebook, shown: list[dict[str, Any]], kind: str
) -> None:
    text = (PAYLOADS[kind][:200] + " some plain text\n") * 8
    notebook.run("%config RNNMagics.figures = False")
    notebook.variables.update(text=text, prefix=PAYLOADS[kind][:40] + "some")
    for line in ("%corpus --data text", "%vocab", "%sample --batch-size 2 --num-steps 4"):
        notebook.run(line)
    notebook.run("%train_rnn --num-hiddens 4 --epochs 1 --no-baseline")
    shown.clear()
    forms = [notebook.rich(notebook.run("%generate $prefix --num 2 --length 40 --temperature 9"))]
    notebook.run("%generate $prefix --length 40 --temperature 9 --surprise")
    writer = OutputWriter()
    generate(notebook.session.runs["gru-1"], notebook.variables["prefix"], write=writer)
    writer.end()
    forms += [output["data"] for output in shown]
    assert len(forms) >= 3
    for each in forms:
        assert_harmless(each["text/plain"])
        assert_harmless_page(each["text/html"])


def test_an_output_that_grows_is_rewritten_seldom_and_ends_whole(
    shown: list[dict[str, Any]],
) -> None:
    now = [0.0]
    writer = OutputWriter(lambda: now[0])
    pieces = ["the ", *(f"<{i}> " for i in range(1000))]
    for piece in pieces:
        now[0] += 0.01
        writer(piece)
    writer.end()
    writer.end()
    text = "".join(pieces)
    assert len({output["transient"]["display_id"] for output in shown}) == 1
    assert [output["update"] for output in shown] == [False] + [True] * (len(shown) - 1)
    assert len(shown) < 105
    assert sum(len(output["data"]["text/plain"]) for output in shown) < 25 * len(text)
    last = shown[-1]["data"]
    assert last["text/plain"] == text
    assert Page(last["text/html"]).text.lstrip("\n") == text
    assert "<b>the </b>" in last["text/html"]


def test_a_terminal_with_colours_has_the_prefix_in_bold() -> None:
    for colours, expected in ((True, "\x1b[1mthe \x1b[0mend\\x1b\n"), (False, "the end\\x1b\n")):
        stream = io.StringIO()
        writer = StreamWriter(stream, colours=colours)
        for piece in ("the ", "end\x1b"):
            writer(piece)
        writer.end()
        assert stream.getvalue() == expected


def test_a_notebook_streams_into_one_output(
    trained: Notebook, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.notebook.session.desk.has_kernel", lambda _shell: True)
    assert trained.printed(LINE) == ""
    written = trained.variables["_shown_nowhere"]
    assert shown[-1]["data"]["text/plain"] == f"{written.text}\n\n{written.said}"
    trained.run("%config RNNMagics.stream = False")
    shown.clear()
    assert trained.printed(LINE) == ""
    assert shown[-1]["data"]["text/plain"] == f"{written.text}\n\n{written.said}"


@pytest.mark.parametrize("option", ["", "--surprise", "--novelty", "--surprise --novelty"])
def test_a_text_has_one_output_with_what_is_said_of_it(
    trained: Notebook, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("rnn_magics.notebook.session.desk.has_kernel", lambda _shell: True)
    written = trained.run(f"{LINE} {option}")
    assert trained.rich(written) == {}  # it ends the cell: nothing is shown again
    assert sum(not output["update"] for output in shown) == 1
    forms = shown[-1]["data"]
    assert Page(forms["text/html"]).text.count(written.said) == 1
    assert Page(forms["text/html"]).text.count(written.text) == max(1, len(option.split()))
    assert "Generation(" not in forms["text/html"] + forms["text/plain"]
    trained.run("pass")
    again = trained.rich(written)  # in a later cell it is shown, as a text and not as a repr
    assert written.text in Page(again["text/html"]).text
    assert written.said in Page(again["text/html"]).text
