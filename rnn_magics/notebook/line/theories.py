"""THEORIES: the equations and shapes behind each library call of a magic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.beam import beam_search
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.forecast import forecast_series
from rnn_magics.decoding.form import Form
from rnn_magics.decoding.generate import generate, generate_many
from rnn_magics.decoding.mask import Fitted
from rnn_magics.decoding.score import score_text, score_written
from rnn_magics.errors import BatchError, RNNMagicsError, StorageError
from rnn_magics.inspection.inspectors import INSPECTORS, inspect_rnn
from rnn_magics.inspection.novelty import measure_novelty
from rnn_magics.language import say
from rnn_magics.models.cells import CELLS
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.notebook.line.equations import math_of
from rnn_magics.notebook.session.session import Session
from rnn_magics.preview import preview
from rnn_magics.reports.mixture import evaluate_mixture
from rnn_magics.reports.seeds import train_seeds
from rnn_magics.reports.texts import evaluate_text, evaluate_texts
from rnn_magics.scores.adaptive import AdaptConfig, DynamicSteps
from rnn_magics.scores.cache import ContinuousCache
from rnn_magics.scores.evaluation import perplexity
from rnn_magics.scores.ladder import BaselineConfig, fit_ladder
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.storage.run_folder import kept_runs
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.folder import SweepFolder, sweep_folders
from rnn_magics.sweeps.kept import kept_sweeps, load_sweep
from rnn_magics.sweeps.loop import resume_sweep
from rnn_magics.sweeps.loop import sweep as search_settings
from rnn_magics.sweeps.settings import Base
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.series.levels import LevelsConfig
from rnn_magics.text.series.read import read_series
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.tasks.stream import TaskConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.further.train_further import batches_for
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run
from rnn_magics.training.steps.clipping import clip_gradients

Arguments = Mapping[str, Any]
"""The arguments of a call by parameter name."""

SPLIT = r"n_{train} = n - \lfloor v n \rfloor"
KNESER_NEY = (
    r"p(w \mid u) = \frac{\max(c(u w) - D_{c(u w)}, 0)}{\sum_v c(u v)} + \gamma(u)\, p(w \mid u')"
)


@dataclass(frozen=True)
class Theory:
    """The theory behind a call.

    Parameters
    ----------
    equations
        LaTeX equations, by what they describe.
    shapes
        Shapes and sizes in this session, in words, by what they belong to.
    """

    equations: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)


def _text(_session: Session, given: Arguments) -> Theory:
    config = given["config"] or CorpusConfig()
    share = say("0.1, or 0 for a short text") if config.valid is None else f"{config.valid:g}"
    return Theory({say("training tokens, of n"): SPLIT}, {say("held-out share v"): share})


def _copies(_session: Session, given: Arguments) -> Theory:
    searched = say(
        "the training part of {number:,} characters or tokens", number=len(given["corpus"])
    )
    return Theory({say("new n-grams"): math_of(measure_novelty)}, {say("searched"): searched})


def _vocabulary(_session: Session, given: Arguments) -> Theory:
    corpus: Corpus = given["corpus"]
    share = corpus.held_out_share
    return Theory(
        {say("index x of a token w"): math_of(Vocab.from_corpus)},
        {
            say("text"): say("{number:,} characters", number=len(corpus))
            if corpus.is_text
            else say("{number:,} tokens", number=len(corpus)),
            say("held out, not counted"): say("the last {share:.0%} of the tokens", share=share)
            if share
            else say("nothing"),
        },
    )


def _minibatches(_session: Session, given: Arguments) -> Theory:
    config = given["config"] or BatchConfig()
    shapes = {"X, Y": f"({config.batch_size}, {config.num_steps})"}
    try:
        batches = make_batches(given["corpus"], given["vocab"], config)
    except BatchError as error:  # the call is still shown
        shapes[say("refused")] = str(error)
    else:
        shapes[say("training tokens")] = f"{len(batches.ids):,}"
        shapes[say("held-out tokens")] = f"{len(batches.valid):,}"
        shapes[say("minibatches in an epoch")] = f"{preview(batches, 0).num_batches:,}"
    return Theory({say("a minibatch whose rows begin at s"): math_of(make_batches)}, shapes)


def _training(_session: Session, given: Arguments) -> Theory:
    model, train_config = given["model"] or ModelConfig(), given["config"] or TrainConfig()
    return _trained(given["batches"], model, train_config)


def _trained(batches: Batches, model: ModelConfig, config: TrainConfig) -> Theory:
    cell, size = CELLS[model.cell], batches.vocab_size
    rows, steps = batches.config.batch_size, batches.config.num_steps
    layers = model.num_layers * (2 if model.bidirectional else 1)
    equations = {
        say("cell {cell}", cell=model.cell): math_of(cell),
        say("logits o_t"): math_of(RNNModel),
        say("clipping"): "" if config.clip is None else math_of(clip_gradients),
        say("perplexity"): math_of(perplexity),
    }
    state = f"({layers}, {rows}, {model.num_hiddens})"
    embedding = model.embedding_size
    return Theory(
        equations,
        {
            "X, Y": f"({rows}, {steps})",
            say("input x_t"): f"({rows}, {embedding or size}), "
            + (say("embedded") if embedding else say("one-hot, looked up")),
            say("state H")
            if cell.num_states == 1
            else say("state, {number} tensors of", number=cell.num_states): state,
            say("logits"): f"({rows}, {steps}, {size})",
            say("minibatches in an epoch"): f"{preview(batches, 0).num_batches:,}",
        },
    )


def _sweeping(_session: Session, given: Arguments) -> Theory:
    space, batches, config = given["space"], given["batches"], given["config"] or SweepConfig()
    of_a_trial = SweepRuns(SweepFolder(Path()), space, config, Base.of(space, batches))
    return _swept(of_a_trial)


def _swept(sweep: SweepRuns) -> Theory:
    planned = sweep.planned
    return Theory(
        {say("the best settings"): math_of(search_settings)},
        {
            say("tried"): str(sweep.space),
            say("points"): say("a range has too many to count")
            if sweep.space.size is None
            else f"{sweep.space.size:,}",
            say("trials"): say("all") if planned is None else f"{planned:,}",
            say("tokens between two scores"): f"{sweep.base.every:,}",
        },
    )


def _sweeping_on(_session: Session, given: Arguments) -> Theory:
    return _swept(load_sweep(given["folder"]))


def _kept_sweeps(_session: Session, given: Arguments) -> Theory:
    return Theory({}, {say("sweeps"): f"{len(sweep_folders(given['folder'])):,}"})


def _writing(_session: Session, given: Arguments) -> Theory:
    config = given["config"] or DecodingConfig()
    latex = math_of(beam_search if config.beam else DECODERS[config.decoder])
    return Theory(
        {say("decoder {name}", name="beam" if config.beam else config.decoder): latex},
        {
            say("logits at each step"): f"({given.get('num', 1)}, {given['run'].model.vocab_size})",
            say("tokens to generate"): (
                say("at most {number:,}", number=config.length)
                if given.get("form")
                else f"{config.length:,}"
            ),
        },
    )


def _forecasting(session: Session, given: Arguments) -> Theory:
    written, num = _writing(session, given), given["num"]
    length = (given["config"] or DecodingConfig()).length
    covered = {say("a band from l to u"): math_of(forecast_series)}
    shapes = {**written.shapes, "values": f"({num}, {length:,})"}
    return Theory({**written.equations, **covered}, shapes)


def _numbers(session: Session, given: Arguments) -> Theory:
    levels = given["levels"]
    count = levels.levels if isinstance(levels, LevelsConfig) else len(levels)
    split = _text(session, given)
    equations = {say("level of a value, edges e"): math_of(read_series), **split.equations}
    return Theory(equations, {say("levels L"): f"{count}", **split.shapes})


def _task(session: Session, given: Arguments) -> Theory:
    split, config = _text(session, given), given["examples"] or TaskConfig()
    best = {say("best cross-entropy"): math_of(task_corpus)}
    shapes = {
        say("examples"): f"{config.examples:,}",
        say("length"): say("at most {number:,}", number=config.length),
    }
    return Theory({**best, **split.equations}, {**shapes, **split.shapes})


def _forming(_session: Session, _given: Arguments) -> Theory:
    return Theory({say("the cost of a form, with the tokens A that it allows"): math_of(Fitted)})


def _scoring(_session: Session, given: Arguments) -> Theory:
    logits = f"(1, {given['run'].model.vocab_size})"
    return Theory({say("surprise, in bits"): math_of(score_text)}, {say("logits"): logits})


def _evaluating(_session: Session, given: Arguments) -> Theory:
    runs = given["runs"] if "runs" in given else [given["run"]]
    shapes = {
        say("logits of {run}", run=run.name): f"(n - 1, {run.model.vocab_size})" for run in runs
    }
    return Theory({say("perplexity of n tokens"): math_of(perplexity)}, shapes)


def _mixing(session: Session, given: Arguments) -> Theory:
    alone, adapting = _evaluating(session, given), given["adapting"] or AdaptConfig()
    steps = {say("step behind segment s_i, from the trained weights W_0"): math_of(DynamicSteps)}
    cache = {say("cache of the states h"): math_of(ContinuousCache)}
    mixture = {say("mixture of the models p_k"): math_of(interpolate)}
    shapes = dict(alone.shapes)
    if adapting.cache is not None:
        hiddens = given["run"].model.rnn.output_size
        shapes[say("states in the cache")] = f"({adapting.cache}, {hiddens})"
    equations = {
        **alone.equations,
        **(steps if adapting.dynamic else {}),
        **(cache if adapting.cache is not None else {}),
        **(mixture if given["order"] or adapting.cache is not None else {}),
    }
    return Theory(equations, shapes)


def _of_run(run: Run) -> Theory:
    # The equations of the run's model, and the shapes of its parameters.
    cell = run.config.model.cell
    equations = {
        say("cell {cell}", cell=cell): math_of(CELLS[cell]),
        say("logits o_t"): math_of(RNNModel),
    }
    shapes = {name: f"{tuple(p.shape)}" for name, p in run.model.named_parameters()}
    return Theory(equations, shapes)


def _saving(_session: Session, given: Arguments) -> Theory:
    return _of_run(given["run"])


def _loading(_session: Session, given: Arguments) -> Theory:
    try:
        return _of_run(load_run(**given))
    except StorageError as error:  # the call is still shown
        return Theory(shapes={say("refused"): str(error)})


def _resuming(_session: Session, given: Arguments) -> Theory:
    folder = given["folder"]
    newest = kept_runs()[-1:] if folder == "last" else []
    try:
        run = load_run(newest[0].folder if newest else folder)
        batches = batches_for(run, given["corpus"])
    except RNNMagicsError as error:
        return Theory(shapes={say("refused"): str(error)})
    return _trained(batches, run.config.model, run.config.train)


def _looking(_session: Session, given: Arguments) -> Theory:
    view, things = given["view"], given["things"]
    shapes = {}
    for need, thing in zip(INSPECTORS[view].needs, things, strict=False):
        if need == "run":
            shapes[say("states of a layer")] = f"(num_tokens, {thing.model.config.num_hiddens})"
            shapes[say("logits")] = f"(num_tokens, {thing.model.vocab_size})"
        elif need == "runs":
            for run in thing:
                logits = say("logits of {run}", run=run.name)
                shapes[logits] = f"(num_tokens, {run.model.vocab_size})"
        elif need == "batches":
            shapes["X, Y"] = f"({thing.config.batch_size}, {thing.config.num_steps})"
    return Theory({say("view {view}", view=view): math_of(INSPECTORS[view].inspect)}, shapes)


def _counting(_session: Session, given: Arguments) -> Theory:
    orders = (given["config"] or BaselineConfig()).orders
    return Theory(
        {say("interpolated Kneser-Ney, w after the context u"): KNESER_NEY},
        {
            say("orders"): say("{first} to {last}", first=orders[0], last=orders[-1]),
            say("tokens"): f"{len(given['vocab']):,}",
        },
    )


THEORIES: dict[Callable[..., Any], Callable[[Session, Arguments], Theory]] = {
    Corpus.load: _text,
    Corpus.from_text: _text,
    Corpus.from_data: _text,
    Corpus.from_tokens: _text,
    read_series: _numbers,
    task_corpus: _task,
    Vocab.from_corpus: _vocabulary,
    make_batches: _minibatches,
    train: _training,
    train_seeds: _training,
    Form: _forming,
    generate: _writing,
    generate_many: _writing,
    forecast_series: _forecasting,
    score_text: _scoring,
    score_written: _scoring,
    fit_ladder: _counting,
    measure_novelty: _copies,
    evaluate_mixture: _mixing,
    evaluate_text: _evaluating,
    evaluate_texts: _evaluating,
    save_run: _saving,
    load_run: _loading,
    resume_run: _resuming,
    search_settings: _sweeping,
    resume_sweep: _sweeping_on,
    load_sweep: _sweeping_on,
    kept_sweeps: _kept_sweeps,
    inspect_rnn: _looking,
}
"""The theory behind each library function."""
