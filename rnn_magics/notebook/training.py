"""From ``%train_rnn`` to a run: the configuration, the job, and what is shown of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure

from rnn_magics.errors import ConfigError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook import announce
from rnn_magics.notebook.arguments import collect, flag_of
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.display import place_figure, show_figure
from rnn_magics.notebook.ladders import LadderFit, ladder_fit
from rnn_magics.notebook.later import finish_later
from rnn_magics.notebook.listening import Hearing
from rnn_magics.notebook.progress import Listener, Progress, has_kernel, progress_for, silent
from rnn_magics.notebook.session import Session
from rnn_magics.notebook.visible import one_line
from rnn_magics.plotting import training_figure
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.resume import reopen
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import FAILED, Event, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin
from rnn_magics.training.recipes import RECIPES
from rnn_magics.training.run import Run
from rnn_magics.training.seeds import SeedRuns, seed_name, seeded
from rnn_magics.training.standing import standing
from rnn_magics.training.state import TrainState

if TYPE_CHECKING:
    from rnn_magics.notebook.dashboard import Dashboard


class Desk(Protocol):
    """What starting a run needs of the magics: where they are, and what is to be shown."""

    shell: InteractiveShell
    session: Session
    progress: bool
    figures: bool
    live: bool


def training_call(session: Session, options: argparse.Namespace) -> Call:
    """Return the library call that the options of ``%train_rnn`` stand for.

    Raises
    ------
    ConfigError
        When an option has no effect beside the others.
    """
    batches = session.require_batches()
    if hasattr(options, "resume"):
        _refuse_beside_resume(options)
        return Call("run", "resume_run", (options.resume, Named("batches", batches)))
    keep = collect(Checkpointing, options, Checkpointing(getattr(options, "checkpoint", "")))
    if (keep.changed() or hasattr(options, "checkpoint")) and not keep.folder:
        msg = "--every and --keep go with --checkpoint DIR; leave them out, or name a folder"
        raise ConfigError(msg)
    recipe = RECIPES[options.recipe] if hasattr(options, "recipe") else None
    if recipe is not None:
        print(f"# {options.recipe}: {recipe.source}; its data: {', '.join(recipe.before)}")
    model = collect(ModelConfig, options, recipe.model if recipe else None)
    config = collect(TrainConfig, options, recipe.train if recipe else None)
    name = getattr(options, "name", None) or session.free_name(model.cell)
    args = (Named("batches", batches), model, config)
    if hasattr(options, "seeds"):
        _refuse_beside_seeds(options)
        seeded(config, options.seeds)
        return Call("runs", "train_seeds", args, {"num": options.seeds, "name": name})
    return Call("run", "train", args, {"name": name, "watch": keep if keep.folder else None})


def _refuse_beside_resume(options: argparse.Namespace) -> None:
    others = set(vars(options)) - {"resume", "background", "explain"}
    if others:
        msg = f"--resume goes on with the run as it was begun; leave {flag_of(min(others))} out"
        raise ConfigError(msg)


def _refuse_beside_seeds(options: argparse.Namespace) -> None:
    for other in ("background", "checkpoint"):
        if hasattr(options, other):
            msg = f"--seeds trains one run after the other; leave {flag_of(other)} out"
            raise ConfigError(msg)


def _opened(call: Call) -> tuple[Run, TrainState, Listener | None, str | None]:
    # What the call would make before its first step, what keeps the run in a folder, and which.
    if call.function == "resume_run":
        folder, batches = call.args
        run, state, keep = reopen(folder, batches.value)
        if keep.note:
            print(one_line(keep.note))
        return run, state, keep.go_on(run, state), keep.folder
    batches, model, config = call.args
    watch = call.kwargs["watch"]
    if watch is not None:
        watch.require_place()  # before the model is made, which may take a while
    run, state = begin(batches.value, model, config, call.kwargs["name"])
    return (
        (run, state, None, None) if watch is None else (run, state, watch(run, state), watch.folder)
    )


def start(desk: Desk, call: Call, *, background: bool, baseline: bool = True) -> Run:
    """Train on a worker thread; unless in the background, follow it to its end."""
    run, state, watch, folder = _opened(call)
    job: Job | None = None
    try:
        progress: Progress | None = None
        fit = ladder_fit(desk.session, state.batches) if baseline else None
        dashboard = dashboard_of(desk, run, fit)
        if dashboard is not None:
            job = dashboard.job = Job(run, state, dashboard, watch)
        elif background:
            job = Job(run, state, background_listener(desk, run, fit), watch)
        else:
            job = Job(run, state, watch=watch)
            progress = progress_for(desk.shell, run) if desk.progress else None
        if (moved := desk.session.keep(run, job, folder)) is not None:
            print(one_line(f"the older run {run.name} is now called {moved}"))
        if fit is not None:
            fit.attach(run)
        announce.follow(desk.shell, job, background=background)
        if background:
            job.start()
            return run
        _follow(job, progress or silent, Hearing(desk.shell))
    except BaseException:  # an interrupt between two lines of ours: nothing trains unseen
        if job is not None and not background:
            job.stop("interrupted")
        if watch is not None and (job is None or not job.has_begun):
            watch(TrainEnd(FAILED))  # what is kept of it is free again
        raise
    if dashboard is None:
        _show_end(desk, run, fit, progress)
    else:
        dashboard.wait()
    return run


_GOES_ON = ("epochs", "max_time", "max_tokens", "non_finite")


def start_seeds(desk: Desk, call: Call, *, baseline: bool = True) -> SeedRuns:
    """Train the runs of `train_seeds` one after the other; the first that is stopped ends it."""
    batches, model, config = call.args
    num, stem = call.kwargs["num"], call.kwargs["name"]
    runs: list[Run] = []
    for each in seeded(config, num):
        one = Call(
            "run", "train", (batches, model, each), {"name": seed_name(stem, each), "watch": None}
        )
        runs.append(start(desk, one, background=False, baseline=baseline))
        if runs[-1].reason not in _GOES_ON and len(runs) < num:
            print(one_line(f"{runs[-1].name} ended early: {len(runs)} of {num} seeds were begun"))
            break
    return SeedRuns(tuple(runs))


def _show_end(desk: Desk, run: Run, fit: LadderFit | None, progress: Progress | None) -> None:
    # What a dashboard leaves by itself.
    if fit is not None:
        fit.wait()
    if not len(run.history):
        return
    if progress is not None and run.ladder is not None:
        progress.settle()
    if desk.figures:
        show_figure(_figure(run), _CAPTION)
    if fit is not None and desk.progress:
        print(one_line(fit.note or standing(run).words))


def dashboard_of(desk: Desk, run: Run, fit: LadderFit | None) -> Dashboard | None:
    """Return the dashboard of a run; None where there is no notebook, or none is wished."""
    if not (desk.progress and desk.live and has_kernel(desk.shell)):
        return None
    from rnn_magics.notebook.dashboard import Dashboard  # noqa: PLC0415  (anywidget on demand)

    wait = (lambda: None) if fit is None else fit.wait
    return Dashboard(run, figure=desk.figures, ladder=wait)


def _follow(job: Job, progress: Listener, hearing: Hearing) -> None:
    # An interrupt reaches this thread only; the worker is asked to stop, between two steps.
    while True:
        try:
            for event in job.follow(hearing.hear):
                progress(event)
        except KeyboardInterrupt:
            job.stop("interrupted")
        except Exception:  # of the progress or the worker: nothing may go on unseen
            job.stop("failed")
            raise
        else:
            return


def background_listener(desk: Desk, run: Run, fit: LadderFit | None) -> Listener:
    """Return what shows a background run in the cell that started it.

    In a terminal nothing is written between the lines that somebody types: ``%rnn`` tells.
    """
    if not has_kernel(desk.shell):
        return silent
    progress = progress_for(desk.shell, run) if desk.progress else None
    figure = place_figure() if desk.figures else None

    def draw() -> None:
        if figure is not None and len(run.history):
            figure(_figure(run), _CAPTION)

    def settle(wait: Callable[[], None]) -> None:
        wait()
        if run.ladder is not None and progress is not None:
            progress.settle()
        draw()

    def listen(event: Event) -> None:
        (progress or silent)(event)
        if isinstance(event, TrainEnd):
            draw()
            if fit is not None:  # not here, or the run would not be over before they are fitted
                wait = fit.wait
                finish_later(lambda: settle(wait), "baselines shown")

    return listen


_CAPTION = "perplexity and gradient norm, epoch by epoch"


def _figure(run: Run) -> Figure:
    return training_figure({run.name: run.history}, run.config.train.clip, standing(run).marks)
