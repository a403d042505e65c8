"""Pictures of the views: what is in them, and that anything can be drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BATCHERS, BatchConfig, Batches
from rnn_magics.inspection.inspectors import INSPECTORS, inspect_rnn
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.plotting import to_png
from rnn_magics.plotting.inspection import FIGURES, inspection_figure
from rnn_magics.plotting.style import drawable, token_label
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab

ODD = "the $x_1$ {y} 中文 \ud800\n\t\x1b[31m \N{RIGHT-TO-LEFT OVERRIDE}<b> \N{GRINNING FACE}"


def trace(view: str, text: str = ODD, cell: str = "lstm") -> Any:
    corpus = Corpus.from_text(ODD * 4, CorpusConfig(valid=0))
    vocab = Vocab.from_corpus(corpus)
    model = RNNModel(ModelConfig(cell, 4), len(vocab), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    other = RNNModel(ModelConfig(cell, 4), len(vocab), torch.Generator().manual_seed(1))
    things = {
        "run": SimpleNamespace(model=model, vocab=vocab),
        "runs": [SimpleNamespace(model=each, vocab=vocab) for each in (model, other)],
        "text": text,
        "into": text,
        "passage": corpus,
        "corpus": corpus,
        "batches": Batches(range(99), BatchConfig(batch_size=2, num_steps=5)),
    }
    config = INSPECTORS[view].config
    own: dict[str, dict[str, Any]] = {
        "match": {"units": ("0", "1")},
        "probe": {"feature": "next_space"},
    }
    options = config(**own.get(view, {}))
    return inspect_rnn(view, *(things[need] for need in INSPECTORS[view].needs), options)


def test_every_view_has_a_picture() -> None:
    assert list(FIGURES) == [view for view in INSPECTORS if view in FIGURES]


@pytest.mark.parametrize("view", FIGURES)
def test_odd_tokens_are_drawn_without_a_warning(view: str) -> None:
    figure = inspection_figure(view, trace(view))
    assert figure is not None
    assert to_png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("view", ["hidden", "gates", "surprise", "gradient"])
def test_a_long_text_is_drawn(view: str) -> None:
    assert to_png(FIGURES[view](trace(view, "the \n" * 200))).startswith(b"\x89PNG")


@pytest.mark.parametrize("view", ["hidden", "gates", "surprise", "gradient"])
def test_a_model_that_diverged_is_drawn(view: str) -> None:
    found = trace(view)
    for array in vars(found).values():
        for values in array.values() if isinstance(array, dict) else [array]:
            if isinstance(values, np.ndarray) and values.dtype.kind == "f":
                values[...] = np.nan
    assert to_png(FIGURES[view](found)).startswith(b"\x89PNG")


def test_the_heatmap_shows_the_states_with_their_tokens() -> None:
    found = trace("hidden", "the")
    axes = FIGURES["hidden"](found).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), found.shown.T)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["t", "h", "e"]


@pytest.mark.parametrize("name", BATCHERS)
def test_the_windows_are_drawn_where_they_stand(name: str) -> None:
    batches = Batches(range(99), BatchConfig(name, batch_size=2, num_steps=5))
    found = inspect_rnn("batches", batches)
    axes = FIGURES["batches"](found).axes[1]
    drawn = [
        [path.vertices[:, 0].min() for path in collection.get_paths()]
        for collection in axes.collections[: found.num_shown]
    ]
    assert drawn == found.starts[: found.num_shown].tolist()
    assert len(axes.texts) == len(found.arrows_shown)
    written = [text.get_text() for text in FIGURES["batches"](found).axes[0].texts]
    for tokens in found.windows[0]:
        x, y = tokens[:-1], tokens[1:]
        place = written.index(str(x[0]))
        assert written[place : place + 10] == [*map(str, x), *map(str, y)]


@given(st.text(st.characters()))
def test_a_label_is_short_and_printable(text: str) -> None:
    assert drawable(text).isprintable()
    assert token_label(text).isprintable()
    assert len(token_label(text)) <= 14


def test_what_has_no_glyph_is_written_out() -> None:
    assert drawable("a\U0001fae8\n") == "a\\U0001fae8\\n"
    assert token_label("a b\n") == "a␣b↵"
