"""Train with the recipes of so many minutes and score held-out text, to see how good they are.

    python benchmarks/quality.py [--quick]
    python benchmarks/quality.py --corpus tiny_shakespeare --recipes ten-minutes --seeds 0 1 2
    python benchmarks/quality.py --corpus python_docs --recipes ten-minutes --tokens 17000000
    python benchmarks/quality.py --recipes one-minute --seeds 1 2 --alone

The setting is that of ``%corpus NAME --test 0.05``, ``%sample seq --num-steps 64`` and
``%train_rnn --recipe NAME``, then ``%evaluate_rnn --ngram 8``: the recurrent model alone, and mixed
with n-gram counts of the same training text; and ``%evaluate_rnn --dynamic --cache 2000
--ngram 8``: as it goes on learning from what it reads, and with all of it. The
time is that of the training: the short measurement that chooses the model, all that the loop
does, also the scoring of the held-out text after each epoch, and the counting; the reading that
adapts comes after it, takes a minute or two a model, and is left out by ``--alone``, and without
``--recipes`` wherever it has no goal. On a machine
that is busy, ``--tokens`` says how many the model would read in the time if it were quiet.

The first nine tenths are trained on, as in nanoGPT. Half of the last tenth is held out: the recipes
were chosen by it. The other half is the test part. Others publish the score of the whole tenth,
which is given, too. For comparison: nanoGPT's README gives 1.88 nats
after three minutes on a CPU and 1.47 after three minutes on an A100, and the best n-gram model
reaches 1.517 (`%baseline`).
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from report import Row, table

from rnn_magics import (
    RECIPES,
    AdaptConfig,
    BatchConfig,
    Batches,
    Corpus,
    CorpusConfig,
    Run,
    Vocab,
    evaluate,
    evaluate_mixture,
    fit_ngram,
    make_batches,
    train,
)
from rnn_magics.errors import RNNMagicsError
from rnn_magics.training.recipes.budget import suited

SEEDS = (0, 1, 2)
NAMES = ("one-minute", "three-minutes", "ten-minutes")
TEXTS = ("tiny_shakespeare", "python_docs")
TARGET = {
    ("tenth", "tiny_shakespeare", "three-minutes"): "< 1.42 nats",
    ("together", "tiny_shakespeare", "three-minutes"): "< 1.33 nats",
    ("tenth", "tiny_shakespeare", "ten-minutes"): "< 1.41 nats",
}
TEST = 0.05
SPLIT = CorpusConfig(valid=TEST / (1 - TEST), test=TEST)  # each a twentieth of the whole text
BATCHES = BatchConfig(num_steps=64)
ORDER = 8
ADAPTS = AdaptConfig(dynamic=True, cache=2000)


@dataclass(frozen=True)
class Found:
    """Nats per token, and what was trained.

    Parameters
    ----------
    held, test, tenth
        Of the held-out part, of the test part, and of both.
    model
        The model, its dropout, and how much it read.
    counts, mixed, learning, together
        Of the held-out part: counts alone, mixed with the model, the model as it learns, and all;
        None where only the model was to be scored.
    """

    held: float
    test: float
    tenth: float
    model: str
    counts: float | None = None
    mixed: float | None = None
    learning: float | None = None
    together: float | None = None


def scores(run: Run, batches: Batches) -> tuple[float, float, float]:
    """Return the nats per token of the held-out part, of the test part, and of both."""
    held = evaluate(run.model, batches.valid).nats
    test = math.nan if run.test is None else run.test.nats
    sizes = len(batches.valid), len(batches.test)
    return held, test, (held * sizes[0] + test * sizes[1]) / sum(sizes)


def trained(
    name: str,
    recipe_name: str,
    seed: int,
    tokens: int | None,
    *,
    brief: bool = False,
    alone: bool = False,
) -> Found:
    """Train with a recipe, and return its scores."""
    recipe = RECIPES[recipe_name]
    corpus = Corpus.load(name, SPLIT)
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BATCHES)
    seconds = 20.0 if brief else recipe.train.max_time
    begun = time.perf_counter()
    fit_ngram(batches.ids.numpy(), len(vocab), ORDER)
    limits = replace(recipe.train, seed=seed, max_time=seconds)
    if tokens is not None:
        limits = replace(limits, max_time=None, max_tokens=tokens)
    found = suited(batches, limits)
    limits = replace(limits, lr=found.lr)
    if tokens is None:
        limits = replace(limits, max_time=seconds - (time.perf_counter() - begun))
    run = train(batches, found.model, limits)
    held, test, tenth = scores(run, batches)
    model = found.model
    told = (
        f"{model.num_layers} x {model.num_hiddens}, dropout {model.dropout:g}, "
        f"{run.tokens / 1e6:.1f} million tokens at {run.tokens_per_second:,.0f}/s"
    )
    scored = Found(held, test, tenth, told)
    if alone:
        return scored
    counted, adapting = (evaluate_mixture(run, corpus, ORDER, how) for how in (None, ADAPTS))
    rest = *counted.rows[1:], adapting.rows[1], adapting.mixture
    counts, mixed, learning, together = (row.score.nats for row in rest)
    return replace(scored, counts=counts, mixed=mixed, learning=learning, together=together)


def rows(
    name: str,
    recipe: str,
    seeds: Sequence[int],
    tokens: int | None = None,
    *,
    brief: bool = False,
    alone: bool = False,
) -> list[Row]:
    """Return the rows of one text and one recipe."""
    what = f"{name}, `{recipe}`"
    told = {
        "tenth": f"{what}: the last tenth",
        "test": f"{what}: the test part",
        "held": f"{what}: the held-out part",
        "mixed": f"{what}: held out, mixed with an {ORDER}-gram",
        "learning": f"{what}: held out, learning as it reads",
        "together": f"{what}: held out, learning, a cache of {ADAPTS.cache:,} and an {ORDER}-gram",
    }
    if alone:
        told = {each: told[each] for each in ("tenth", "test", "held")}
    targets = {each: TARGET.get((each, name, recipe), "") for each in told}
    try:
        found = [trained(name, recipe, seed, tokens, brief=brief, alone=alone) for seed in seeds]
    except RNNMagicsError as error:
        failed = "not measured", "", None
        return [Row(head, *failed, targets[each], str(error)) for each, head in told.items()]
    notes = {"tenth": f"; {'; '.join(one.model for one in found)}"}
    if found[0].counts is not None:
        notes["mixed"] = f"; the {ORDER}-gram alone: {found[0].counts:.3f}"
    values = {each: [getattr(one, each) for one in found] for each in told}
    return [
        Row(
            head,
            f"{statistics.mean(values[each]):.3f} nats",
            "",
            None,
            targets[each],
            f"seeds {', '.join(map(str, seeds))}: {', '.join(f'{n:.3f}' for n in values[each])}"
            + notes.get(each, ""),
        )
        for each, head in told.items()
    ]


def measure(quick: bool) -> list[Row]:  # noqa: FBT001  (all benchmarks are asked alike)
    """Return the rows of the table.

    Parameters
    ----------
    quick
        Whether to train for twenty seconds with one seed, to check that it works.
    """
    if quick:
        return rows("tiny_shakespeare", "one-minute", SEEDS[:1], brief=True)
    return [
        row
        for recipe in NAMES
        for name in TEXTS
        for row in rows(name, recipe, SEEDS, alone=("together", name, recipe) not in TARGET)
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--corpus", nargs="+", default=TEXTS)
    parser.add_argument("--recipes", nargs="+", choices=NAMES)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--tokens", type=int, help="train on so many instead of for the time")
    parser.add_argument("--alone", action="store_true", help="score only the model by itself")
    given = parser.parse_args()
    if given.recipes is None:
        found = measure(given.quick)
    else:
        found = [
            row
            for recipe in given.recipes
            for name in given.corpus
            for row in rows(name, recipe, given.seeds, given.tokens, alone=given.alone)
        ]
    print(table(found))


if __name__ == "__main__":
    main()
