"""--explain: equations and shapes beside the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics import CELLS, Cell
from rnn_magics.notebook.line.equations import math_of, plain_math
from rnn_magics.notebook.line.theories import KNESER_NEY

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def forms_of(shown: list[dict[str, Any]]) -> dict[str, str]:
    (output,) = shown
    return output["data"]


def test_a_training_is_explained_with_the_shapes_of_the_session(
    prepared: Notebook, shown: list[dict[str, Any]]
) -> None:
    with prepared.unchanged():
        prepared.run("%train_rnn --cell lstm --num-layers 2 --num-hiddens 16 --explain")
    forms = forms_of(shown)
    size, number = len(prepared.session.vocab), len(prepared.session.batches.plan(_generator()))
    for words in ("X, Y: (4, 8)", "state, 2 tensors of: (2, 4, 16)", f"logits: (4, 8, {size})"):
        assert f"# {words}\n" in forms["text/plain"]
    assert f"# minibatches in an epoch: {number}\n" in forms["text/plain"]
    assert "#     h_t = o_t * tanh(c_t)\n" in forms["text/plain"]
    assert r"h_t &= o_t \odot \tanh(c_t)" in forms["text/markdown"]
    assert forms["text/markdown"].count("$$") == 2 * 4  # cell, logits, clipping, perplexity


def _generator() -> Any:
    import torch

    return torch.Generator().manual_seed(0)


def test_what_is_not_done_is_not_explained(prepared: Notebook, shown: list[dict[str, Any]]) -> None:
    prepared.run("%train_rnn --clip none --explain")
    assert "theta" not in forms_of(shown)["text/plain"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%corpus --valid 0.2", "# held-out share v: 0.2"),
        ('%generate "the " --novelty', "# new n-grams:"),
        ("%vocab", "# held out, not counted: the last 40% of the tokens"),
        ("%sample --batch-size 4 --num-steps 8", "#     X_{ij} = x_{s_i + j}"),
        ('%generate "the "', "#     p_i = (exp(o_i / T)) / (sum_j exp(o_j / T))"),
        ('%generate "the " --greedy', "#     x_t = argmax_i o_i"),
        ("%generate --score 'the '", "#     s_t = -log_2 p(x_t | x_{<t})"),
        ("%baseline --order 2-3", "# orders: 2 to 3"),
    ],
)
def test_each_magic_tells_what_it_computes(
    trained: Notebook, shown: list[dict[str, Any]], line: str, words: str
) -> None:
    with trained.unchanged():
        trained.run(f"{line} --explain")
    assert words in forms_of(shown)["text/plain"]


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "mingru", "minlstm"])
def test_the_equations_of_a_cell_come_from_its_docstring(name: str) -> None:
    latex = math_of(CELLS[name])
    assert latex.replace("\\begin{aligned}\n", "").split("\n")[0] in _unindented(CELLS[name])
    assert "\\" not in plain_math(latex)
    assert ("W" in latex) is CELLS[name].multiplies_state


def _unindented(thing: type) -> str:
    return "\n".join(line.strip() for line in (thing.__doc__ or "").split("\n"))


def test_a_cell_without_equations_has_none() -> None:
    class Mine(Cell):
        """A cell of my own."""

    assert math_of(Mine) == ""


def test_kneser_ney_can_be_read_without_latex() -> None:
    assert "\\" not in plain_math(KNESER_NEY)
    assert "p(w | u)" in plain_math(KNESER_NEY)
