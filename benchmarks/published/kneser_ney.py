"""Compare Kneser-Ney models of the Penn Treebank with the published test perplexities.

    python benchmarks/published/kneser_ney.py FOLDER

FOLDER holds ptb.train.txt and ptb.test.txt as Mikolov prepared them: one sentence per line, words
separated by spaces. Each line begins after `<s>`, which is context and never predicted, and ends
with `</s>`, which is predicted (82,430 words and sentence ends in the test part).
"""

from __future__ import annotations

import math

from common import parser, print_head, print_row, print_table_head, read

from rnn_magics import Vocab
from rnn_magics.models.sentences import fit_sentences, sentence_log_probs

PUBLISHED = {1: 668.23, 2: 185.72, 3: 148.29, 4: 142.72, 5: 141.20}


def main() -> None:
    """Count the n-grams and print the table."""
    said = parser(__doc__).parse_args()
    train, test = (sentences(read(said.folder, f"ptb.{part}.txt")) for part in ("train", "test"))
    vocab = Vocab(word for sentence in train for word in sentence)
    ids, test_ids = ([vocab.indices(sentence) for sentence in part] for part in (train, test))
    sizes = [sum(len(sentence) + 1 for sentence in part) for part in (train, test)]
    print_head(f"{sizes[0]:,} training and {sizes[1]:,} test words and ends")
    print_table_head("order", "published", "ours")
    for order, published in PUBLISHED.items():
        log_probs = sentence_log_probs(fit_sentences(ids, len(vocab), order), test_ids)
        print_row(order, published, f"{math.exp(-log_probs.mean()):.2f}")


def sentences(text: str) -> list[list[str]]:
    """Return the words of each line."""
    return [line.split() for line in text.splitlines()]


if __name__ == "__main__":
    main()
