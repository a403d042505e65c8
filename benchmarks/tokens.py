"""Train on characters, on learnt pieces and on words, and compare the bits of a byte.

    python benchmarks/tokens.py [--seconds 600 | --tokens N] [--seeds 3] [--texts NAME ...]
    python benchmarks/tokens.py --seconds 3 --seeds 1 --num-hiddens 64 --order 3

One model for each tokenizer, text and seed, with the same cell, width, steps and limit of time (or
of tokens). Each prints its held-out perplexity for each token, which cannot be compared, and its
bits for each byte of the held-out text, which can: what words do not give back (white space,
unknown words) is spelled, see `rnn_magics.text.indexing.sizes`. Beside them stands the best n-gram
model of the same tokens. The last score of a run counts, not the best one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from rnn_magics import (
    BaselineConfig,
    BatchConfig,
    Corpus,
    ModelConfig,
    TrainConfig,
    Vocab,
    VocabConfig,
    fit_ladder,
    make_batches,
    train,
)
from rnn_magics.digits import rounded
from rnn_magics.reports.run_report import report_run
from rnn_magics.reports.seeds import Spread

TOKENS = {
    "char": VocabConfig("char"),
    "bpe 512": VocabConfig("bpe", max_size=512),
    "word": VocabConfig("word", min_freq=2),
}
HEAD = (
    *("text", "tokens", "vocabulary", "held-out perplexity", "bits per byte"),
    *("spelled", "best n-gram, bits per byte"),
)


def rows(options: argparse.Namespace, name: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each tokenizer."""
    corpus = Corpus.load(name)
    for tokens, config in TOKENS.items():
        vocab = Vocab.from_corpus(corpus, config)
        batches = make_batches(corpus, vocab, BatchConfig("seq", options.batch_size))
        ladder = fit_ladder(corpus, vocab, BaselineConfig(order=f"1-{options.order}"))
        perplexities, bits, spelled = [], [], 0.0
        for seed in range(options.seeds):
            limit = {"max_tokens": options.tokens} if options.tokens else {}
            limit = limit or {"max_time": options.seconds}
            settings = TrainConfig(epochs=options.epochs, seed=seed, **limit)
            run = train(batches, ModelConfig(options.cell, options.num_hiddens), settings)
            found = report_run(run).valid
            if found is None or found.size is None:
                continue
            perplexities.append(found.perplexity)
            bits.append(found.bits_per_byte)
            spelled = found.size.lost_bits / found.size.num_bytes
            print(f"  {name}, {tokens}, seed {seed}: {found.numbers}", flush=True)
        best = ladder.best.valid_perplexity
        counted = "" if best is None else rounded(ladder.bits_per_byte(best))
        yield (
            *(name, tokens, f"{len(vocab):,}"),
            *(str(Spread.of(perplexities) or ""), str(Spread.of(bits) or "")),
            *(rounded(spelled), f"{counted} ({ladder.best.order}-gram)"),
        )


def main() -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", nargs="+", default=["tiny_shakespeare", "python_docs"])
    parser.add_argument("--seconds", type=float, default=600.0, help="of each training")
    parser.add_argument("--tokens", type=int, help="of each training, instead of seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30, help="at most")
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--num-hiddens", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--order", type=int, default=6, help="the longest n-grams")
    options = parser.parse_args()
    begun = time.perf_counter()
    lines = [HEAD, ("---",) * len(HEAD)]
    lines += [row for name in options.texts for row in rows(options, name)]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
