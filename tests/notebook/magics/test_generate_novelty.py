"""%generate --novelty: what is copied, shown beside the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

PHRASE = "the time traveller for so it will be convenient to speak of him was expounding\n"
OVERFIT = "%train_rnn --num-hiddens 32 --epochs 60"


def test_a_model_that_has_learnt_by_heart_is_found_out(
    notebook: Notebook, shown: list[dict[str, Any]]
) -> None:
    learnt, held_out = PHRASE * 40, "quite another harbour, where nobody spoke. "
    notebook.run(f"%%corpus --valid 0.07\n{learnt}{held_out * 6}")
    for cell in ("%vocab", "%sample --batch-size 2 --num-steps 16", OVERFIT):
        notebook.run(cell)
    shown.clear()
    written = notebook.run('%generate "the time" --length 60 --greedy --novelty')
    assert written.text.startswith("the time")
    (forms,) = [output["data"] for output in shown]
    assert "<mark title='line " in forms["text/html"]
    assert "new, of" in forms["text/plain"]
    assert "[[" in forms["text/plain"]
    assert "]]line " in forms["text/plain"]
    assert "longest copied span" in forms["text/plain"]


def test_what_the_text_repeats_anyway_is_not_marked(
    notebook: Notebook, shown: list[dict[str, Any]]
) -> None:
    notebook.run(f"%%corpus\n{PHRASE * 40}")
    for cell in ("%vocab", "%sample --batch-size 2 --num-steps 16", OVERFIT):
        notebook.run(cell)
    shown.clear()
    notebook.run('%generate "the time" --length 60 --greedy --novelty')
    (forms,) = [output["data"] for output in shown]
    assert "no copied span worth listing; held-out text has up to 60" in forms["text/plain"]
    assert "<mark" not in forms["text/html"]


def test_markup_in_a_corpus_stays_text(notebook: Notebook, shown: list[dict[str, Any]]) -> None:
    notebook.run("%config RNNMagics.figures = False")
    notebook.run("%%corpus --valid 0\n" + "<script>alert('{x}')</script>\n" * 30)
    for cell in ("%vocab", "%sample --batch-size 2 --num-steps 16", OVERFIT):
        notebook.run(cell)
    shown.clear()
    notebook.run("%generate '<script>' --length 60 --greedy --novelty")
    assert "<script>" not in shown[0]["data"]["text/html"]
    assert "&lt;script&gt;" in shown[0]["data"]["text/html"]


def test_the_explained_calls_give_the_same(trained: Notebook) -> None:
    with trained.unchanged():
        source = trained.printed('%generate "the " --length 30 --novelty --explain')
    session = trained.session
    plain: dict[str, Any] = {"run": session.runs["gru-1"], "corpus": session.corpus}
    exec(source, plain)
    assert plain["novelty"].tokens == plain["text"].tokens


def test_every_text_is_measured(trained: Notebook, shown: list[dict[str, Any]]) -> None:
    for option in ("", " --surprise"):
        several = trained.run(f'%generate "the " --length 20 --num 2 --novelty{option}')
        forms = trained.rich(several)
        assert forms["text/plain"].count("new, of") == forms["text/html"].count("new, of") == 2
    assert shown == []


def test_another_corpus_is_refused_before_anything_is_written(trained: Notebook) -> None:
    trained.run("%%corpus other\nanother text altogether")
    assert "not on the current corpus" in trained.refused('%generate "the " --novelty')


def test_a_score_has_nothing_to_copy(trained: Notebook) -> None:
    assert "--score writes no text" in trained.refused('%generate --score "the" --novelty')
