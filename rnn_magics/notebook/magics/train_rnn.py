"""``%train_rnn``: trains a recurrent language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from rnn_magics.batching import Batches
from rnn_magics.cluster.workers import Workers
from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, flag_of, named, new_name, part
from rnn_magics.notebook.live.drive import Driver
from rnn_magics.notebook.live.progress import compiling_line
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.reports.seeds import SeedRuns, seeded, train_seeds
from rnn_magics.storage.atomic import user_path
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import LAST, last_run, resume_run
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Compiling, Event
from rnn_magics.training.further.train_further import train_further
from rnn_magics.training.loop import train
from rnn_magics.training.recipes.budget import suited
from rnn_magics.training.recipes.recipes import RECIPES
from rnn_magics.training.run import Run
from rnn_magics.training.steps.shared import require_rows


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainOptions(LineOptions):
    """The options of ``%train_rnn``."""

    recipe: str | None = option(
        None,
        lambda: say(
            "known settings, overridden by other options: {recipes}; the model of those with a time"
            " follows the machine and the text",
            recipes=", ".join(RECIPES),
        ),
        choices=lambda: list(RECIPES),
        spelling=named(metavar="NAME"),
        label="Recipe",
    )
    name: str | None = option(
        None,
        "name of the run (default: the cell and a number)",
        spelling=new_name(metavar="NAME"),
        label="Name of the run",
    )
    seeds: int | None = option(
        None,
        "train N runs with N seeds, one after another",
        within=AT_LEAST_ONE,
        label="Number of seeds",
        spelling=Spelling(metavar="N"),
    )
    background: bool = option(
        False, "return at once, and train in the background", label="In the background"
    )
    keep: Checkpointing = part(Checkpointing)
    resume: str | None = option(
        None,
        "continue a run kept in a folder, bit for bit",
        spelling=named(metavar="DIR|last"),
        label="Resume",
    )
    source: str | None = option(
        None,
        "go on with the weights and the vocabulary of a run, or of a file, on the present text",
        spelling=named(flag="--from", metavar="RUN|FILE", suggest="runs"),
        label="Go on from",
    )
    add_tokens: bool = option(
        False,
        "with --from: add the tokens of the text that its vocabulary lacks",
        label="Add new tokens",
    )
    no_baseline: bool = option(
        False, "do not fit n-gram models for comparison", label="No n-gram baselines"
    )
    predict: float | None = option(
        None,
        "the held-out perplexity that you expect at the end; drawn from the start, and judged",
        within=AT_LEAST_ONE,
        spelling=Spelling(metavar="PERPLEXITY"),
        label="Your prediction",
    )
    workers: Workers = part(Workers)
    model: ModelConfig = part(ModelConfig)
    train: TrainConfig = part(TrainConfig)

    @classmethod
    def begin(cls, typed: Mapping[str, Any]) -> Self:
        """Return the settings of the recipe, or the defaults."""
        if "recipe" not in typed:
            return cls()
        recipe = RECIPES[typed["recipe"]]
        return cls(model=recipe.model, train=recipe.train)


def _silent(_line: str) -> None:
    """Write nothing."""


def training_call(
    desk: Desk, options: TrainOptions, write: Callable[[str], object] = _silent
) -> Call[Run] | Call[SeedRuns]:
    """Return the library call behind ``%train_rnn``.

    Parameters
    ----------
    desk, options
        Where, and what was typed.
    write
        Takes lines about what is found out on the way.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    """
    keep = options.keep
    together = options.workers if options.workers.has_effect else None
    if options.resume is not None:
        _refuse_beside_resume(options)
        corpus = desk.session.require_corpus()
        return Call.of("run", resume_run, options.resume, corpus, drive=together)
    if not keep.folder and {"folder", "every", "keep"} & options.line.typed:
        msg = say("--every and --keep-epochs need --checkpoint DIR; add it, or leave them out")
        raise ConfigError(msg)
    if options.source is not None:
        return _further_call(desk, options, together)
    if options.add_tokens:
        raise ConfigError(say("--add-tokens goes on with a run; add --from RUN, or leave it out"))
    batches = desk.session.require_batches()
    _refuse_prediction(options, has_held_out=len(batches.valid) > 0)
    name = options.name or desk.session.free_name(options.model.cell)
    if together is not None:
        require_rows(options.workers.number or 1, batches.config.batch_size)
    if options.seeds is not None:
        _refuse_beside_seeds(options)
        seeded(options.train, options.seeds)
    settings = batches, *_settings(batches, options, write)
    if options.seeds is not None:
        return Call.of("runs", train_seeds, *settings, num=options.seeds, name=name)
    watch = keep if keep.folder else None
    return Call.of("run", train, *settings, name=name, watch=watch, drive=together)


def _settings(
    batches: Batches, options: TrainOptions, write: Callable[[str], object]
) -> tuple[ModelConfig, TrainConfig]:
    """Return model and training, and tell their recipe; those of some follow the machine."""
    if options.recipe is None:
        return options.model, options.train
    recipe = RECIPES[options.recipe]
    said = say(
        "{recipe}: {source}; its data: {lines}",
        recipe=options.recipe,
        source=say(recipe.source),
        lines=", ".join(recipe.before),
    )
    write(f"# {said}")
    if not recipe.suits_machine:
        return options.model, options.train

    def tell(event: Event) -> None:
        if isinstance(event, Compiling):
            write(f"# {compiling_line(event)}")

    found = suited(batches, options.train, tell)
    write(f"# {found}")
    typed = options.line.typed
    given = options.model.to_dict().items()
    kept: dict[str, Any] = {name: value for name, value in given if name in typed}
    train = options.train
    if "lr" not in typed and train.optimizer == recipe.train.optimizer:
        train = replace(train, lr=found.lr)
    return replace(found.model, **kept), train


def _further_call(desk: Desk, options: TrainOptions, together: Workers | None) -> Call[Run]:
    session, keep = desk.session, options.keep
    given = {field.name for field in fields(ModelConfig)} | {"recipe", "seeds"}
    if others := options.line.typed & given:
        flag = flag_of(TrainOptions, min(others))
        msg = say("--from goes on with a model as it is; leave {flag} out", flag=flag)
        raise ConfigError(msg)
    run = find_run(session, options.source or "")
    corpus = session.require_corpus()
    _refuse_prediction(options, has_held_out=corpus.held_out_share > 0)
    batching = None if session.batches is None else session.batches.config
    name = options.name or session.free_name(run.config.model.cell)
    watch = keep if keep.folder else None
    settings = run, corpus, batching, options.train
    more = options.add_tokens
    return Call.of(
        "run", train_further, *settings, add_tokens=more, name=name, watch=watch, drive=together
    )


def find_run(session: Session, source: str) -> Run:
    """Return the run of the session with this name, or that of a file or a folder.

    Raises
    ------
    SessionError
        If there is neither.
    """
    if source in session.runs:
        return session.runs[source]
    if user_path(source).exists():
        return load_run(source)
    runs = ", ".join(session.runs) or say("none")
    raise SessionError(
        say("no run {source!r} (runs: {runs}), and no such file", source=source, runs=runs)
    )


def _refuse_prediction(options: TrainOptions, *, has_held_out: bool) -> None:
    if options.predict is not None and not has_held_out:
        msg = say("nothing is held out, so there is nothing to predict; leave --predict out")
        raise ConfigError(msg)


def _refuse_beside_resume(options: TrainOptions) -> None:
    others = options.line.typed - {"resume", "background", "explain", "number", "cluster"}
    if others:
        flag = flag_of(TrainOptions, min(others))
        msg = say("--resume continues a run with its own settings; leave {flag} out", flag=flag)
        raise ConfigError(msg)


def _refuse_beside_seeds(options: TrainOptions) -> None:
    beside = {
        "--background": options.background,
        "--checkpoint": bool(options.keep.folder),
        "--workers": options.workers.number is not None,
    }
    flag = next((flag for flag, is_given in beside.items() if is_given), "")
    if flag:
        msg = say("--seeds trains several runs, one after another; leave {flag} out", flag=flag)
        raise ConfigError(msg)


def train_rnn(desk: Desk, options: TrainOptions) -> Run | SeedRuns:
    """Train a recurrent language model on the minibatches.

    An interrupt ends the run after the current step and keeps the model.

    ::

        %train_rnn
        run = %train_rnn --cell lstm --num-layers 2 --dropout 0.2 --epochs 20
        %train_rnn --recipe d2l-gru --seed 1
        %train_rnn --recipe three-minutes      the model suits the machine and the text
        %train_rnn --seeds 5
        %train_rnn --predict 4.0
        %train_rnn --max-time 180 --background
        %train_rnn --checkpoint runs/first --every 500steps
        %train_rnn --resume runs/first
        %train_rnn --workers 2                 two processes share the rows of each minibatch
        %train_rnn --workers 8 --cluster auto  on the machines of a Ray cluster
        %train_rnn --from gru-1 --lr 0.001     further, on the present text
        %train_rnn --from gru-1 --add-tokens   with the tokens that it does not know yet
        %train_rnn --from gru-1 --freeze 1     its lowest layer does not learn
    """
    if options.recipe is not None:
        desk.session.refuse_while_training("%train_rnn")  # it would be measured, too
    call = training_call(desk, options, print)
    desk.session.refuse_while_training("%train_rnn")
    if options.resume == LAST and (note := last_run()[1]):
        print(one_line(note))
    if options.keep.folder:
        options.keep.require_place()  # before the model is built, which may take a while
    if options.workers.has_effect:
        batches = desk.session.batches if options.resume is None else None
        rows = None if batches is None else batches.config.batch_size
        options.workers.require(rows)
        if rows is not None:
            print(f"# {options.workers.rows(rows)}")
    driver = Driver(
        desk,
        background=options.background,
        baseline=not options.no_baseline,
        predicted=options.predict,
        trains=options.workers.trains if options.workers.has_effect else None,
    )
    trained = call(drive=driver)
    if isinstance(trained, SeedRuns) and len(trained) < (options.seeds or 0):
        ended = say(
            "{run} ended early: {begun} of {seeds} seeds were started",
            run=trained[-1].name,
            begun=len(trained),
            seeds=options.seeds,
        )
        print(one_line(ended))
    return trained


MAGIC = Magic(TrainOptions, train_rnn, lambda desk, options: [training_call(desk, options)])
