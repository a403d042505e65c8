"""Importance: by how much each option decides what a trial reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.sweeps.dimensions import Dimension
from rnn_magics.sweeps.search.past import Past
from rnn_magics.sweeps.search.tpe import optuna_or, study_of

_FEWEST = 4  # trials that say anything


def importance(dimensions: Mapping[str, Dimension], past: Sequence[Past]) -> dict[str, float]:
    """Return the share of each option in the variance of the scores, the largest first.

    It is that of a random forest fitted to the trials that were trained to their end: functional
    ANOVA (Hutter et al. 2014), by Optuna.

    Returns
    -------
    dict
        Shares that sum to 1, by option; empty for fewer than four such trials.

    Raises
    ------
    ConfigError
        If Optuna or scikit-learn is not installed.
    """
    done = [trial for trial in past if trial.nats is not None]
    if len(done) < _FEWEST or len({trial.nats for trial in done}) == 1:
        return {}
    optuna = optuna_or()
    study = study_of(optuna, dimensions, done)
    try:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except ImportError:
        raise ConfigError(
            say("importance needs scikit-learn: pip install 'rnn_magics[sweep]'")
        ) from None
    return {name: float(share) for name, share in shares.items()}
