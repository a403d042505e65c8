r"""Train with several settings and seeds on so many tokens each, to compare settings by tokens.

    python benchmarks/settings.py "lr=0.012 warmup=0.05" "lr=0.012 warmup=0.1" \
        --corpus python_docs --tokens 3600000 --seeds 2 3 5 6

A setting is a list of ``name=value``, with names of `ModelConfig`, `TrainConfig` and `BatchConfig`.
What it does not name is as in the recipes of so many minutes, with a GRU of two layers of 256
units. The text is split as in `quality.py`, and the weights of the best held-out score are kept.

Two trainings run at a time, with one thread each, since the compiled engine gives the same bits for
any number of threads; no figure depends on the time. A *rise* is how far the loss, as the mean of
20 steps, was above the lowest such mean before: a run that takes a wrong turn has a large one.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from quality import BATCHES, SPLIT, scores

from rnn_magics import RECIPES, Corpus, Vocab, make_batches, train
from rnn_magics.training.events import StepEnd

RECIPE = RECIPES["one-minute"]
SMOOTH = 20  # steps


@dataclass(frozen=True)
class Outcome:
    """Nats per token of the held-out part and the whole last tenth, and the largest rise."""

    held: float
    tenth: float
    rise: float
    seconds: float


def largest_rise(losses: list[float]) -> float:
    """Return how far the smoothed loss was ever above its lowest value until then."""
    means = np.convolve(losses, np.full(SMOOTH, 1 / SMOOTH), "valid")
    return float((means - np.minimum.accumulate(means)).max())


def read(word: str) -> object:
    """Return the value of a setting: a number, true, false, null, or a name."""
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word


def trained(job: tuple[str, str, int, int]) -> Outcome:
    """Train with one setting and one seed."""
    name, setting, tokens, seed = job
    given = {key: read(value) for key, value in (part.split("=", 1) for part in setting.split())}
    limits = replace(RECIPE.train, max_time=None, max_tokens=tokens, seed=seed, threads=1)
    configs = []
    for config in (BATCHES, RECIPE.model, limits):
        names = {field.name for field in dataclasses.fields(config)} & set(given)
        configs.append(replace(config, **{key: given.pop(key) for key in names}))
    if given:
        msg = f"no such setting: {', '.join(given)}"
        raise SystemExit(msg)
    batching, model, how = configs
    corpus = Corpus.load(name, SPLIT)
    batches = make_batches(corpus, Vocab.from_corpus(corpus), batching)
    losses: list[float] = []

    def listen(event: object) -> None:
        if isinstance(event, StepEnd):
            losses.append(float(event.loss))

    run = train(batches, model, how, listeners=[listen])
    held, _, tenth = scores(run, batches)
    return Outcome(held, tenth, largest_rise(losses), sum(run.history.seconds))


def main() -> None:
    """Print the table, a row as soon as its seeds are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="+")
    parser.add_argument("--corpus", default="tiny_shakespeare")
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    jobs = [
        (given.corpus, setting, given.tokens, seed)
        for setting in given.settings
        for seed in given.seeds
    ]
    print(f"{given.corpus}, {given.tokens / 1e6:g} million tokens, seeds {given.seeds}\n")
    print("| setting | last tenth | held out | each seed, held out | largest rise | seconds |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with ProcessPoolExecutor(given.at_once, mp_context=get_context("spawn")) as pool:
        outcomes = pool.map(trained, jobs)
        for setting in given.settings:
            own = [next(outcomes) for _ in given.seeds]
            cells = (
                setting,
                f"{statistics.mean(one.tenth for one in own):.3f}",
                f"{statistics.mean(one.held for one in own):.3f}",
                ", ".join(f"{one.held:.3f}" for one in own),
                ", ".join(f"{one.rise:.2f}" for one in own),
                f"{statistics.mean(one.seconds for one in own):.0f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
