"""%sweep: a search from one line, its table, and what it leaves in the session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.sweeps.kept import KeptSweeps
from rnn_magics.sweeps.sweep import SweepRuns
from tests.notebook.conftest import SAMPLE, Notebook

LINE = "%sweep --num-hiddens 4,5 --lr 0.01,0.02 --epochs 1 --search grid"


@pytest.fixture
def ready(prepared: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.chdir(tmp_path)
    return prepared


def test_the_winner_is_in_the_session_beside_the_line_to_type(ready: Notebook) -> None:
    found = ready.run(LINE)
    assert isinstance(found, SweepRuns)
    assert found.name == "sweep-1"
    assert len(found.trials) == 4
    assert found.best is not None
    run = ready.session.runs[f"sweep-1-{found.best.number}"]
    assert run.config.model.num_hiddens == found.best.params["num_hiddens"]
    (line,) = found.lines
    again = ready.run(line)
    assert again.valid_perplexity == run.valid_perplexity
    assert ready.run(LINE).name == "sweep-2"


def test_the_best_ngram_is_a_line_of_it(ready: Notebook) -> None:
    found = ready.run(LINE)
    assert "best n-gram: " in repr(found)
    assert ready.session.runs[f"sweep-1-{found.best.number}"].ladder is found.ladder
    assert "best n-gram: " not in repr(ready.run(f"{LINE} --no-baseline"))


def test_trials_are_compared(ready: Notebook) -> None:
    ready.run(LINE)
    compared = ready.run("%rnn compare sweep-1-0 sweep-1-3")
    assert {run.name for run in compared.runs} == {"sweep-1-0", "sweep-1-3"}
    assert "no run 'sweep-1-x'" in ready.refused("%rnn compare sweep-1-x")
    assert "sweep-1 has no run of trial 9" in ready.refused("%rnn compare sweep-1-9")


def test_sweeps_are_listed_and_loaded(ready: Notebook) -> None:
    assert ready.run("%sweep list").sweeps == []
    found = ready.run(f"{LINE} --folder mine/first")
    kept = ready.run("%sweep list")
    assert isinstance(kept, KeptSweeps)
    assert "mine/first" in repr(kept)
    assert "4/4" in repr(kept)
    assert "complete" in repr(kept)
    ready.run("%rnn --reset")
    read = ready.run("%sweep load mine/first")
    assert [t.nats for t in read.trials] == [t.nats for t in found.trials]
    assert ready.run("%rnn compare first-1").runs[0].name == "first-1"
    (Path("mine/first") / "sweep.json").write_text("{}")
    assert "sweep.json' cannot be read" in repr(ready.run("%sweep list mine"))


def test_a_sweep_goes_on_from_its_folder(ready: Notebook) -> None:
    few = ready.run("%sweep --num-hiddens 4:9 --epochs 1 --search random --trials 2")
    before = dict(ready.session.runs)
    assert "is now called" not in ready.printed("%sweep --resume last")
    assert ready.session.runs == before  # with the same best there is nothing new
    more = ready.run("%sweep --resume last --trials 4")
    assert [t.params for t in more.trials[:2]] == [t.params for t in few.trials]
    assert len(more.trials) == 4
    assert ready.session.sweeps["sweep-1"] is more


def test_an_interrupt_saves_the_trial_and_says_how_to_go_on(
    ready: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_magics.notebook.live import sweeping

    seen: list[Any] = []

    def interrupting(event: Any) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweeping, "_tell", interrupting)
    found = ready.run("%sweep --num-hiddens 4:30 --epochs 60 --search random --trials 3")
    assert "stopped; go on with %sweep --resume" in found.message
    assert sum(t.outcome is None for t in found.trials) <= 1
    assert len(found.trials) < 3


def test_an_error_of_the_view_ends_the_sweep(
    ready: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_magics.notebook.live import sweeping

    def broken(_event: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "_tell", broken)
        with pytest.raises(ZeroDivisionError):
            ready.run("%sweep --num-hiddens 4:30 --epochs 60 --search random")
    assert ready.run("%sweep --resume last --trials 1").trials[0].outcome is not None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%sweep", "a sweep needs an option with several values"),
        ("%sweep --epochs 3", "a sweep needs an option with several values"),
        ("%sweep --lr 1e-2:1e-4", "the ends of --lr 1e-2:1e-4 are swapped; type 1e-4:1e-2"),
        ("%sweep --threads 1,2", "--threads cannot be swept; give it one value"),
        ("%sweep --name a,b", "%sweep has no option --name"),
        ("%sweep --cell gru,lstn", "did you mean 'lstm'?"),
        ("%sweep --cell gru,lstm --within 9", "--within N belongs to --objective time"),
        ("%sweep --cell gru,lstm --objective time", "--within N belongs to --objective time"),
        ("%sweep --cell gru,lstm --budget soon", "a budget is a time such as 90s, 10m or 2h"),
        ("%sweep --resume nowhere", "'nowhere' is not the folder of a sweep"),
        ("%sweep --resume last", "no sweep is kept in this folder or below it"),
        ("%sweep --resume last --cell gru", "--resume takes a sweep as it is; leave --cell out"),
        ("%sweep list --cell gru", "%sweep list takes a sweep as it is; leave --cell out"),
        ("%sweep load nowhere", "'nowhere' is not the folder of a sweep"),
        ("%sweep list nowhere", "'nowhere' cannot be listed"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(ready: Notebook, line: str, says: str) -> None:
    assert says in ready.refused(line)
    assert list(Path.cwd().iterdir()) == []


def test_without_optuna_the_line_says_what_to_install(
    ready: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    refused = ready.refused("%sweep --cell gru,lstm")
    assert refused == (
        "--search tpe needs Optuna: pip install 'rnn_magics[sweep]', or use --search random"
    )


def test_without_ray_the_line_says_what_to_install_and_starts_nothing(
    ready: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    refused = ready.refused("%sweep --cell gru,lstm --search random --cluster auto")
    assert refused == "--cluster needs Ray: pip install 'rnn_magics[cluster]'"
    assert list(Path.cwd().iterdir()) == []


def test_nothing_held_out_cannot_be_compared(ready: Notebook) -> None:
    ready.run(f"%%corpus small --valid 0\n{ready.text}")
    ready.run("%vocab")
    ready.run(SAMPLE)
    assert "nothing is held out" in ready.refused("%sweep --cell gru,lstm --search grid")


def test_values_are_completed(ready: Notebook) -> None:
    assert {"gru", "lstm"} <= {*ready.complete("%sweep --cell ")}
    assert "--num-hiddens" in ready.complete("%sweep --num")
    assert ready.complete("%sweep --search t") == ["tpe"]


def test_a_switch_may_be_swept_or_set(ready: Notebook) -> None:
    found = ready.run("%sweep --scratch --tie yes,no --num-hiddens 4 --epochs 1 --search grid")
    assert [t.params for t in found.trials] == [{"tie": True}, {"tie": False}]
    assert found.run(0).config.model.scratch


def test_its_rich_form_has_pruned_trials_grey_and_the_best_bold(ready: Notebook) -> None:
    found = ready.run(LINE)
    found.trials[1].outcome = type(found.trials[1].outcome)("pruned")
    found.trials[1].nats = None
    html = ready.rich(found)["text/html"]
    assert f"<b>{found.best.number}</b>" in html
    assert "<small style='color:var(--jp-ui-font-color2,inherit)'>1</small>" in html
    assert "%train_rnn" in html
