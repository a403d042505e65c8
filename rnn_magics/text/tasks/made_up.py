"""A made-up task becomes a corpus, with what is known of every token."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.language import say
from rnn_magics.options import check_choice
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.tasks.rules import TASKS
from rnn_magics.text.tasks.stream import MadeUp, TaskConfig, draw_examples

PREFIX = "task:"
MOST_TOKENS = 2_000_000


def task_corpus(
    task: str,
    examples: TaskConfig | None = None,
    config: CorpusConfig | None = None,
    *,
    name: str | None = None,
) -> Corpus:
    r"""Make a corpus of examples of a task, of which the best possible perplexity is known.

    .. math:: \min_q -\frac{1}{n} \sum_t \ln q(x_t \mid x_{<t})
        = -\frac{1}{n} \sum_t \ln p(x_t \mid x_{<t})

    in expectation, where the examples are drawn from the probabilities p of the rule.

    Parameters
    ----------
    task
        A name of `TASKS`.
    examples
        How many examples, and how long.
    config
        The split.
    name
        The name in listings; by default ``task:`` and the name of the task.

    Raises
    ------
    ConfigError
        When there is no such task, or it does not take an option, or its value.
    CorpusError
        When there are more than 2,000,000 tokens.

    Examples
    --------
    >>> task_corpus("parity", TaskConfig(examples=3))
    Corpus('task:parity', 23 tokens, nothing held out)
    """
    check_choice("task", task, TASKS)
    examples, config = examples or TaskConfig(), config or CorpusConfig()
    if config.test:
        msg = say(
            "a made-up task never ends: leave --test out, and score examples of another --seed"
        )
        raise ConfigError(msg)
    most = min(config.max_tokens or MOST_TOKENS + 1, MOST_TOKENS + 1)
    drawn = list(islice(draw_examples(task, examples), most))
    if len(drawn) > MOST_TOKENS:
        msg = say(
            "these examples have more than {most:,} tokens; lower --examples or --length",
            most=MOST_TOKENS,
        )
        raise CorpusError(msg)
    name, tokens = name or f"{PREFIX}{task}", [each.token for each in drawn]
    made = Corpus.from_tokens(tokens, config, name=name, origin=f"{PREFIX}{task}, {examples!r}")
    behind = MadeUp(
        task,
        examples,
        np.array([each.nats for each in drawn]),
        np.array([each.distance for each in drawn], np.int64),
        np.flatnonzero([each.begins for each in drawn]),
    )
    return replace(made, behind=behind)
