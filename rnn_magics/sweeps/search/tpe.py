"""The tree-structured Parzen estimator of Optuna, asked anew for each trial.

The study lives in memory and is built from the trials of the sweep, so nothing of it can be left
behind half done (optuna#1532).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.sweeps.dimensions import Dimension, Interval, Listed
from rnn_magics.sweeps.search.past import Past

_STARTUP = 6  # trials drawn at random first
_SEEDS = 2**32


def optuna_or() -> ModuleType:
    """Return Optuna, an optional extra.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        import optuna  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise ConfigError(
            say(
                "--search tpe needs Optuna: pip install 'rnn_magics[sweep]', or use --search random"
            )
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def study_of(optuna: Any, dimensions: Mapping[str, Dimension], past: Sequence[Past]) -> Any:
    """Return a study in memory that holds the trials which have ended.

    One that diverged or was not possible counts as pruned before its first score, the worst.
    """
    seed = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(direction="minimize", sampler=seed)
    distributions = {name: _distribution(optuna, each) for name, each in dimensions.items()}
    states = optuna.trial.TrialState
    for trial in past:
        is_done = trial.nats is not None
        told = {
            "state": states.COMPLETE if is_done else states.PRUNED,
            "value": trial.nats,
            "params": {n: _code(dimensions[n], v) for n, v in trial.params.items()},
            "distributions": distributions,
            "intermediate_values": {
                rung: nats
                for rung, nats in trial.curve.items()
                if math.isfinite(nats) and (is_done or trial.is_pruned)
            },
        }
        study.add_trial(optuna.trial.create_trial(**told))
    return study


def propose(
    dimensions: Mapping[str, Dimension], past: Sequence[Past], generator: np.random.Generator
) -> dict[str, Any]:
    """Return settings that are likely to be good, after what was good so far.

    Raises
    ------
    ConfigError
        If Optuna is not installed.
    """
    optuna = optuna_or()
    study = study_of(optuna, dimensions, past)
    seed = int(generator.integers(_SEEDS))
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
    distributions = {name: _distribution(optuna, each) for name, each in dimensions.items()}
    asked = study.ask(distributions).params
    return {name: _value(each, asked[name]) for name, each in dimensions.items()}


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    kinds = optuna.distributions
    if isinstance(dimension, Interval):
        if dimension.is_whole:
            return kinds.IntDistribution(int(dimension.low), int(dimension.high))
        return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.is_log)
    return kinds.CategoricalDistribution(list(range(dimension.size or 0)))


def _code(dimension: Dimension, value: Any) -> Any:
    # Optuna knows a listed value by its place, since it takes no tuples.
    return dimension.values.index(value) if isinstance(dimension, Listed) else value


def _value(dimension: Dimension, code: Any) -> Any:
    if isinstance(dimension, Listed):
        return dimension.values[code]
    return dimension.fitted(code) if isinstance(dimension, Interval) else code
