"""``%baseline``: fits n-gram models on the same split."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, part
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.scores.ladder import BaselineConfig, Ladder, fit_ladder
from rnn_magics.text.series.levels import Series


@dataclass(frozen=True, kw_only=True, repr=False)
class BaselineOptions(LineOptions):
    """The options of ``%baseline``."""

    baseline: BaselineConfig = part(BaselineConfig)


def ladder_call(desk: Desk, options: BaselineOptions) -> Call[Ladder]:
    """Return the library call behind ``%baseline``.

    Raises
    ------
    ConfigError
        If an option has no effect on this corpus.
    """
    corpus, vocab = desk.session.require_corpus(), desk.session.require_vocab()
    if "lags" in options.line.typed and not isinstance(corpus.behind, Series):
        msg = say(
            "--lags is for a series of numbers, and {corpus!r} is none; leave it out",
            corpus=corpus.name,
        )
        raise ConfigError(msg)
    return Call.of("ladder", fit_ladder, corpus, vocab, options.baseline)


def baseline(desk: Desk, options: BaselineOptions) -> Ladder:
    """Fit n-gram models on the training text, to see what counting alone achieves.

    Of a series of numbers, the errors of simple rules are told as well: the mean, the last value
    again (persistence), and a linear model of the last values.

    ::

        %baseline
        ladder = %baseline --order 1-8
        %baseline --lags 16            of a series
    """
    return ladder_call(desk, options)()


MAGIC = Magic(BaselineOptions, baseline, lambda desk, options: [ladder_call(desk, options)])
