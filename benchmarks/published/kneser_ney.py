"""Kneser-Ney models of the Penn Treebank, beside the published test perplexities.

    python benchmarks/published/kneser_ney.py FOLDER

FOLDER holds ptb.train.txt and ptb.test.txt as Mikolov prepared them: one sentence a line, words
between spaces. Each line begins after `<s>`, which is context and never predicted, and ends with
`</s>`, which is predicted. `fit_ngram` counts running text, so here n-grams reach across the line
ends; counting sentence by sentence will be wired here when it exists.
"""

from __future__ import annotations

import math

import numpy as np
from common import parser, print_head, print_row, print_table_head, read

from rnn_magics import Vocab
from rnn_magics.models.ngram import fit_ngram

PUBLISHED = {1: 668.23, 2: 185.72, 3: 148.29, 4: 142.72, 5: 141.20}


def main() -> None:
    """Count and print."""
    said = parser(__doc__).parse_args()
    train, test = (words(read(said.folder, f"ptb.{part}.txt")) for part in ("train", "test"))
    vocab = Vocab(train)
    ids, test_ids = (np.array(vocab[part]) for part in (train, test))
    print_head(f"{len(train):,} training and {len(test):,} test words", "running text")
    print_table_head("order", "published (sentences)", "ours (running text)")
    for order, published in PUBLISHED.items():
        log_probs = fit_ngram(ids, len(vocab), order).log_probs(test_ids)
        print_row(order, published, f"{math.exp(-log_probs.mean()):.2f}")


def words(text: str) -> list[str]:
    """Return the words of the lines, each line ended by ``</s>``."""
    return [word for line in text.splitlines() for word in [*line.split(), "</s>"]]


if __name__ == "__main__":
    main()
