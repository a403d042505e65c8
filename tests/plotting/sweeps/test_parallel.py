from __future__ import annotations

from pathlib import Path

import pytest

from rnn_magics.batching import BatchConfig
from rnn_magics.errors import ConfigError
from rnn_magics.plotting import to_png
from rnn_magics.plotting.sweeps.parallel import sweep_figure
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.dimensions import written
from rnn_magics.sweeps.folder import SweepFolder
from rnn_magics.sweeps.search.importance import importance
from rnn_magics.sweeps.search.past import Past
from rnn_magics.sweeps.settings import Base
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import At, Outcome, Trial

SPACE = Space(cell="gru,lstm", lr="1e-3:1e-1", num_layers="1:3")


def swept(scores: list[float | None]) -> SweepRuns:
    made = SweepRuns(SweepFolder(Path("one")), SPACE, SweepConfig(), Base(BatchConfig(), None, 9))
    for number, nats in enumerate(scores):
        params = {"cell": "gru", "lr": 0.001 * (number + 1), "num_layers": 1 + number % 3}
        outcome = Outcome.PRUNED if nats is None else Outcome.DONE
        at = At(1, 9, 5.0 if nats is None else nats)
        made.trials.append(Trial(number, params, "", scores=[at], outcome=outcome, nats=nats))
    return made


def test_a_line_stands_for_each_trial_and_the_best_is_set_off() -> None:
    made = swept([2.0, 1.0, None, 3.0])
    figure = sweep_figure(made)
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 4]  # type: ignore[arg-type]
    assert len(lines) == 4
    widest = max(lines, key=lambda line: line.get_linewidth())
    assert widest.get_ydata()[-1] == 0  # type: ignore[index]  # the lowest score
    words = {text.get_text() for text in axes.texts}
    assert {"cell", "lr", "num_layers", "gru", "lstm", written(0.001), "0.1"} <= words
    assert to_png(figure).startswith(b"\x89PNG")


def test_the_importance_stands_beside_it() -> None:
    figure = sweep_figure(swept([2.0, 1.0]), {"lr": 0.7, "cell": 0.3})
    _, bars = figure.axes
    assert [bar.get_width() for bar in bars.patches] == [0.3, 0.7]  # type: ignore[attr-defined]


@pytest.mark.parametrize("scores", [[1.0], [1.0, 1.0], [None, 2.0]])
def test_few_trials_are_drawn_too(scores: list[float | None]) -> None:
    assert to_png(sweep_figure(swept(scores))).startswith(b"\x89PNG")


def test_what_decides_is_most_important() -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("sklearn")
    space = Space(lr="1e-3:1e-1", dropout="0:0.9")
    past = [
        Past(n, {"lr": 0.001 * 1.2**n, "dropout": (7 * n % 10) / 12}, {}, float(n))
        for n in range(20)
    ]
    shares = importance(space.dimensions, past)
    assert list(shares) == ["lr", "dropout"]
    assert shares["lr"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)
    assert importance(space.dimensions, past[:3]) == {}


def test_without_scikit_learn_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    importances = pytest.importorskip("optuna.importance")

    def missing(**_options: object) -> None:
        raise ImportError

    monkeypatch.setattr(importances, "FanovaImportanceEvaluator", missing)
    past = [Past(n, {"dropout": n / 10}, {}, float(n)) for n in range(9)]
    with pytest.raises(ConfigError, match="importance needs scikit-learn: pip install"):
        importance(Space(dropout="0:0.9").dimensions, past)
