from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import ConfigError, StorageError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import SweepEnd, SweepEvent, TrialEnd, TrialScored, TrialStep
from rnn_magics.sweeps.kept import load_sweep
from rnn_magics.sweeps.loop import resume_sweep, sweep
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from tests.sweeps.conftest import make

SPACE = Space(num_hiddens="4:12", lr="1e-3:1e-1", cell="gru,rnn", epochs=1)
CONFIG = SweepConfig(trials=7, search="random", prune="hyperband", save_every="7steps")


def told(found: SweepRuns) -> list[Any]:
    """What a sweep found, without what it took."""
    return [
        (t.number, t.params, t.scores, t.outcome, t.nats, t.test_nats, t.tokens, t.num_parameters)
        for t in found.trials
    ]


def weights(found: SweepRuns) -> dict[str, torch.Tensor]:
    return dict(found.run().model.state_dict())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SweepRuns:
    """A sweep that nothing has cut short."""
    return sweep(make(), SPACE, CONFIG, folder=tmp_path_factory.mktemp("sweeps") / "whole")


def test_a_sweep_finds_the_best_of_its_trials(small: Batches, tmp_path: Path) -> None:
    events: list[SweepEvent] = []
    found = sweep(small, SPACE, CONFIG, folder=tmp_path / "one", listeners=[events.append])
    assert len(found.trials) == 7
    assert found.best is not None
    assert found.best.nats == min(t.nats for t in found.trials if t.nats is not None)
    assert {t.outcome for t in found.trials} == {Outcome.DONE, Outcome.PRUNED}
    assert isinstance(events[-1], SweepEnd)
    assert events[-1].is_complete
    assert sum(isinstance(event, TrialEnd) for event in events) == 7
    assert sum(isinstance(event, TrialScored) for event in events) == sum(
        len(t.scores) for t in found.trials
    )


def test_the_line_to_type_trains_the_best_again(small: Batches, whole: SweepRuns) -> None:
    found = whole
    assert found.best is not None
    params = found.best.params
    (line,) = found.lines
    assert line.startswith("%train_rnn ")
    model = ModelConfig(params["cell"], num_hiddens=params["num_hiddens"])
    again = train(small, model, TrainConfig(epochs=1, lr=params["lr"]))
    assert again.scored is not None
    assert again.scored.bits * math.log(2) == found.best.nats
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, weights(found)[name])


def test_a_trial_that_diverges_is_a_result(small: Batches, tmp_path: Path) -> None:
    space = Space(lr="0.01,1e38", optimizer="sgd", clip="none", num_hiddens=4, epochs=1)
    found = sweep(small, space, SweepConfig(search="grid"), folder=tmp_path / "one")
    assert [t.outcome for t in found.trials] == [Outcome.DONE, Outcome.DIVERGED]
    assert found.best is found.trials[0]


def test_settings_that_do_not_fit_are_a_result(small: Batches, tmp_path: Path) -> None:
    space = Space(batch_size="2,9999", tie="yes,no", embedding_size=4, num_hiddens="4,5", epochs=1)
    found = sweep(small, space, SweepConfig(search="grid"), folder=tmp_path / "one")
    assert len(found.trials) == 8
    refused = [t for t in found.trials if t.outcome == Outcome.REFUSED]
    assert len(refused) == 5
    assert all(t.message for t in refused)
    assert {t.outcome for t in found.trials} == {Outcome.DONE, Outcome.REFUSED}
    assert told(load_sweep(tmp_path / "one")) == told(found)


def test_models_that_are_too_large_are_not_trained(small: Batches, tmp_path: Path) -> None:
    space = Space(num_hiddens="4,64", epochs=1)
    config = SweepConfig(search="grid", objective="parameters", within=2000)
    found = sweep(small, space, config, folder=tmp_path / "one")
    assert [t.outcome for t in found.trials] == [Outcome.DONE, Outcome.REFUSED]
    assert "more than 2,000" in found.trials[1].message
    assert found.trials[1].num_parameters > 2000


def test_other_tokens_are_compared_by_bytes(tmp_path: Path) -> None:
    batches = make(text="the time machine is a machine of time\n" * 60)
    space = Space(token="char,word", batch_size=2, num_steps=5, num_hiddens=4, epochs=2)
    found = sweep(batches, space, SweepConfig(search="grid"), folder=tmp_path / "one")
    by_char, by_word = found.trials
    assert by_char.outcome == by_word.outcome == Outcome.DONE
    run = found.run(1)
    assert run.vocab is not None
    assert run.vocab.token == "word"
    assert run.scored is not None
    assert by_word.nats is not None
    assert by_word.nats < run.scored.bits * math.log(2) / 2  # a word has several bytes
    assert found.head[-3] == "held-out nats per byte"
    assert any(line.startswith("%vocab") for line in found.lines) == (found.best is by_word)
    assert told(load_sweep(tmp_path / "one")) == told(found)


def test_the_batching_may_be_swept(small: Batches, tmp_path: Path) -> None:
    space = Space(batching="seq,random", num_steps="5,7", num_hiddens=4, epochs=1)
    found = sweep(small, space, SweepConfig(search="grid"), folder=tmp_path / "one")
    assert [found.run(n).config.batching for n in range(4)] == [
        BatchConfig(kind, 2, steps) for kind in ("seq", "random") for steps in (5, 7)
    ]


def test_the_same_seed_makes_the_same_sweep(small: Batches, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    config = SweepConfig(trials=7, save_every="100steps")
    first = sweep(small, SPACE, config, folder=tmp_path / "one")
    again = sweep(small, SPACE, config, folder=tmp_path / "two")
    assert told(first) == told(again)


def test_a_sweep_is_read_in_another_kernel(whole: SweepRuns) -> None:
    found = whole
    read = load_sweep(found.folder.path)
    assert told(read) == told(found)
    assert repr(read) == repr(found)
    frame = read.to_pandas()
    assert list(frame["lr"]) == [t.params["lr"] for t in found.trials]
    assert list(frame["outcome"]) == [str(t.outcome) for t in found.trials]


def test_a_finished_sweep_goes_on_with_more_trials(
    small: Batches, tmp_path: Path, whole: SweepRuns
) -> None:
    few = SweepConfig(**{**CONFIG.to_dict(), "trials": 3})
    sweep(small, SPACE, few, folder=tmp_path / "few")
    more = resume_sweep(tmp_path / "few", small, trials=7)
    assert told(more) == told(whole)


@pytest.mark.parametrize("steps", [1, 23, 47, 77])
def test_a_sweep_that_is_stopped_goes_on_bit_for_bit(
    small: Batches, tmp_path: Path, whole: SweepRuns, steps: int
) -> None:
    taken = [0]

    def count(event: SweepEvent) -> None:
        taken[0] += isinstance(event, TrialStep)

    def drive(_sweep: SweepRuns, events: Any) -> None:
        for _ in events(lambda: taken[0] == steps):
            pass

    stopped = sweep(small, SPACE, CONFIG, folder=tmp_path / "cut", listeners=[count], drive=drive)
    assert "--resume" in stopped.message
    assert sum(t.outcome is None for t in stopped.trials) <= 1
    assert len(stopped.trials) < 7
    found = resume_sweep(tmp_path / "cut", small)
    assert told(found) == told(whole)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(found)[name])


CHILD = """
import os, signal, sys
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import CONFIG, SPACE
from rnn_magics import resume_sweep, sweep
import torch
torch.set_num_threads(1)
folder, after, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
left = [after]

def die(*_):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

if where == "in a write":
    from rnn_magics.storage import atomic
    from pathlib import Path
    write, append = atomic.write, atomic.append
    def dying_write(path, data):
        write(path, data)
        die()
    def dying_append(path, line):
        if left[0] == 1:  # half of the line
            with open(path, "ab") as file:
                file.write(line.encode()[: len(line) // 2])
        die()
        append(path, line)
    atomic.write, atomic.append = dying_write, dying_append
    listeners = []
else:
    listeners = [die]
if os.path.exists(os.path.join(folder, "sweep.json")):
    resume_sweep(folder, make(test=0.1), listeners=listeners)
else:
    sweep(make(test=0.1), SPACE, CONFIG, folder=folder, listeners=listeners)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("where", ["between steps", "in a write"])
def test_a_sweep_that_is_killed_has_the_table_of_one_never_killed(
    tmp_path: Path, where: str
) -> None:
    whole = sweep(make(test=0.1), SPACE, CONFIG, folder=tmp_path / "whole")
    places = [1, 9, 40, 33] if where == "between steps" else [2, 5, 11, 26]
    for after in places:
        child = [sys.executable, "-c", CHILD, str(tmp_path / "cut"), str(after), where]
        ended = subprocess.run(child, capture_output=True, text=True, check=False)
        assert ended.returncode == -9, ended.stderr
    found = resume_sweep(tmp_path / "cut", make(test=0.1))
    assert told(found) == told(whole)
    assert [t.outcome for t in found.trials].count(None) == 0
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(found)[name])


def test_the_best_is_confirmed_with_other_seeds(tmp_path: Path) -> None:
    batches = make(test=0.1)
    config = SweepConfig(**{**CONFIG.to_dict(), "trials": 3, "confirm": 2})
    found = sweep(batches, SPACE, config, folder=tmp_path / "one")
    assert found.best is not None
    assert len(found.searched) == 3
    again = found.confirmed
    assert [t.params["seed"] for t in again] == [1, 2]
    assert all({**t.params, "seed": 0} == {**found.best.params, "seed": 0} for t in again)
    assert all(t.test_nats is not None for t in again)
    assert "with 2 other seeds: held-out perplexity" in repr(found)
    assert "on the test part, by which nothing was chosen: perplexity" in repr(found)
    assert told(resume_sweep(tmp_path / "one", batches)) == told(found)


def test_a_budget_ends_the_sweep_and_the_trial_can_go_on(small: Batches, tmp_path: Path) -> None:
    config = SweepConfig(**{**CONFIG.to_dict(), "budget": "0.001s"})
    found = sweep(small, SPACE, config, folder=tmp_path / "one")
    assert len(found.trials) <= 1
    assert "the time budget is used up" in found.message
    more = resume_sweep(tmp_path / "one", small, budget="1h")
    assert len(more.trials) == 7


@pytest.mark.parametrize(
    ("space", "config", "says"),
    [
        (Space(epochs=1), SweepConfig(search="random"), "needs an option with several values"),
        (Space(cell="gru,lstm"), SweepConfig(search="random"), "nothing is held out"),
    ],
)
def test_what_cannot_be_swept_starts_nothing(
    tmp_path: Path, space: Space, config: SweepConfig, says: str
) -> None:
    with pytest.raises((ConfigError, TrainingError), match=says):
        sweep(make(valid=0), space, config, folder=tmp_path / "one")
    assert not (tmp_path / "one").exists()


def test_bare_indices_have_no_text_to_split(tmp_path: Path) -> None:
    bare = Batches([0, 1, 2, 1] * 40, BatchConfig("seq", 2, 5), valid=[0, 1, 2, 1] * 5)
    with pytest.raises(ConfigError, match="--min-freq needs the text"):
        sweep(bare, Space(min_freq="1,2"), SweepConfig(search="grid"), folder=tmp_path / "one")
    space = Space(num_hiddens="4,5", epochs=1)
    found = sweep(bare, space, SweepConfig(search="grid"), folder=tmp_path / "one")
    assert [t.outcome for t in found.trials] == [Outcome.DONE] * 2


def test_a_sweep_of_another_text_is_refused(small: Batches, tmp_path: Path) -> None:
    few = SweepConfig(trials=1, search="random")
    sweep(small, SPACE, few, folder=tmp_path / "one")
    before = sorted(tmp_path.rglob("*"))
    other = make(text="quite another text about a machine\n" * 20)
    with pytest.raises(StorageError, match="is over 'small', not over the present text"):
        resume_sweep(tmp_path / "one", other)
    with pytest.raises(StorageError, match="other minibatches"):
        resume_sweep(tmp_path / "one", make(valid=0.3))
    with pytest.raises(StorageError, match="holds a sweep already"):
        sweep(small, SPACE, few, folder=tmp_path / "one")
    with pytest.raises(StorageError, match="is not the folder of a sweep"):
        resume_sweep(tmp_path, small)
    assert sorted(tmp_path.rglob("*")) == before
