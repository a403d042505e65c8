"""Settings: the configurations of one trial, and the minibatches that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.options import Options, describe
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.dimensions import written
from rnn_magics.sweeps.space import Space, flag_in, owned_fields
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig


@dataclass(frozen=True)
class Base:
    """What every trial of a sweep has, unless its space says otherwise.

    Parameters
    ----------
    batching
        How its minibatches are cut.
    vocab
        How its vocabulary was made; None for bare indices.
    every
        How many tokens lie between two scores of the held-out text.
    """

    batching: BatchConfig
    vocab: VocabConfig | None
    every: int

    @classmethod
    def of(cls, space: Space, given: Batches) -> Base:
        """Return what the trials of a space over these minibatches have."""
        vocab = None if given.vocab is None else given.vocab.config
        return cls(given.config, vocab, tokens_between(space, given))


RUNGS = 9
"""How often a trial is scored for pruning: powers of three are rungs of Hyperband."""
_C = TypeVar("_C", bound=Options)


@dataclass(frozen=True)
class Settings:
    """The configurations of one trial.

    Parameters
    ----------
    model, train, batching
        Of its model, its training and its minibatches.
    vocab
        Of a vocabulary of its own; None if it has that of the minibatches of the sweep.
    """

    model: ModelConfig
    train: TrainConfig
    batching: BatchConfig
    vocab: VocabConfig | None = None

    def batches(self, given: Batches) -> Batches:
        """Return the minibatches of the trial, from those of the sweep."""
        if self.vocab is not None and given.corpus is not None:
            vocab = Vocab.from_corpus(given.corpus, self.vocab)
            return make_batches(given.corpus, vocab, self.batching)
        if self.batching == given.config:
            return given
        return Batches(
            given.ids,
            self.batching,
            vocab=given.vocab,
            corpus=given.corpus,
            valid=given.valid,
            test=given.test,
        )


def settings_of(
    space: Space, config: SweepConfig, base: Base, params: Mapping[str, Any]
) -> Settings:
    """Return the settings of a trial.

    Parameters
    ----------
    space, config
        Those of the sweep.
    base
        What an option is that the space leaves out.
    params
        The swept options of the trial, by name.

    Raises
    ------
    ConfigError
        If they do not fit together.
    """
    values = {**space.fixed, **params}
    train = _filled(TrainConfig(score_every=base.every), values)
    if config.objective == "time":
        train = replace(train, max_time=config.within)
    before = base.vocab or VocabConfig()
    vocab, batching = _filled(before, values), _filled(base.batching, values)
    return Settings(
        _filled(ModelConfig(), values), train, batching, None if vocab == before else vocab
    )


def _filled(options: _C, values: Mapping[str, Any]) -> _C:
    names = {field.name for field in describe(type(options))}
    return replace(options, **{name: value for name, value in values.items() if name in names})


def tokens_between(space: Space, given: Batches) -> int:
    """Return how many tokens lie between two scores: a ninth of the shortest training."""
    asked = space.fixed.get("score_every")
    if asked is not None:
        return int(asked)
    epochs = min(_values(space, "epochs", TrainConfig().epochs))
    planned = int(epochs * len(given.ids))
    limits = [limit for limit in _values(space, "max_tokens", None) if limit is not None]
    return int(max(min([planned, *limits]) // RUNGS, 1))


def _values(space: Space, name: str, default: Any) -> list[Any]:
    if name in space.dimensions:
        return space.dimensions[name].points(2)
    return [space.fixed.get(name, default)]


def require_tokens(space: Space, given: Batches) -> None:
    """Refuse a space of vocabularies where there is no text to split.

    Raises
    ------
    ConfigError
        With what is missing.
    """
    names = {field.name for field in describe(VocabConfig)}
    typed = names & {*space.fixed, *space.dimensions}
    if typed and (given.corpus is None or given.vocab is None):
        flag = flag_in(owned_fields()[min(typed)][1])
        raise ConfigError(
            say("{flag} needs the text, and there are only its indices; leave it out", flag=flag)
        )


def lines_of(settings: Settings, base: Base) -> list[str]:
    """Return the lines to type for these settings, those that change nothing left out."""
    lines = []
    if settings.vocab is not None:
        lines.append(_line("%vocab", settings.vocab, VocabConfig()))
    if settings.vocab is not None or settings.batching != base.batching:
        lines.append(_line("%sample", settings.batching, BatchConfig()))
    train = settings.train
    if train.patience is None:  # else how often it is scored decides when training ends
        train = replace(train, score_every=None)
    words = [_line("%train_rnn", settings.model, ModelConfig()), _line("", train, TrainConfig())]
    return [*lines, "".join(words)]


def _line(magic: str, options: Options, usual: Options) -> str:
    words = [magic]
    for field in describe(type(options)):
        value = options.to_dict()[field.name]
        if value == usual.to_dict()[field.name]:
            continue
        if not field.flag:
            words.append(written(value))
        else:
            words.append(field.flag if value is True else f"{field.flag} {written(value)}")
    return " ".join(words) if magic or len(words) > 1 else ""
