from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.forecast import forecast_series
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.plotting import to_characters, to_png
from rnn_magics.plotting.series.fan import fan_figure
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.series.levels import LevelsConfig
from rnn_magics.text.series.read import read_series
from rnn_magics.text.vocab import Vocab

CORPUS = read_series(np.sin(np.arange(2000) / 9), LevelsConfig(levels=12))


@pytest.fixture
def run() -> Any:
    vocab = Vocab.from_corpus(CORPUS)
    model = RNNModel(ModelConfig(num_hiddens=8), len(vocab), torch.Generator().manual_seed(0))
    return SimpleNamespace(model=model, vocab=vocab, reading=TextReading.of(CORPUS))


def test_the_median_and_both_bands_lie_over_the_true_series(run: Any) -> None:
    forecast = forecast_series(run, CORPUS, DecodingConfig(length=40, temperature=1.0), num=30)
    figure = fan_figure(forecast)
    (axes,) = figure.axes
    true, median = (line for line in axes.get_lines() if not line.get_label().startswith("_"))
    assert median.get_ydata().tolist() == forecast.median.tolist()
    assert median.get_xdata().tolist() == [*range(1800, 1840)]
    assert true.get_xdata().tolist() == [*range(1780, 1840)]
    assert true.get_ydata()[20:].tolist() == forecast.truth.tolist()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    held = [f"{forecast.coverage(share):.0%}" for share in (0.5, 0.9)]
    assert labels[:2] == [f"middle 50%, holds {held[0]}", f"middle 90%, holds {held[1]}"]
    assert len(axes.collections) == 2
    for share, area in zip((0.5, 0.9), axes.collections, strict=True):
        lower, upper = forecast.band(share)
        drawn = area.get_paths()[0].vertices[:, 1]
        assert drawn.min() == pytest.approx(lower.min())
        assert drawn.max() == pytest.approx(upper.max())
    assert to_png(figure).startswith(b"\x89PNG")
    assert "x median" in to_characters(figure)


@pytest.mark.parametrize("start", [CORPUS, "3 4"])
def test_one_path_of_one_step_is_drawn(run: Any, start: Corpus | str) -> None:
    figure = fan_figure(forecast_series(run, start, DecodingConfig(length=1), num=1))
    assert to_png(figure).startswith(b"\x89PNG")
    assert figure.axes[0].get_title() == "Forecast: 1 path of 1 step"
