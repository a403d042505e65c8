"""Write docs/page.html: the page of the quickstart's model, with fewer units so that it is small.

    python tools/example_page.py [FILE]

Text, tokens, minibatches and training are those of examples/01_quickstart.ipynb, but for the 256
units of its LSTM. It takes a minute or two on two cores.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rnn_magics import (
    BatchConfig,
    Checkpointing,
    Corpus,
    ModelConfig,
    PageConfig,
    TrainConfig,
    Vocab,
    fit_ladder,
    inspect_rnn,
    make_batches,
    train,
    write_page,
)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "page.html"
TEXT = "    def __init__(self, name="


def main(path: Path) -> None:
    """Train, and write the page."""
    corpus = Corpus.load("python_source")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig(num_steps=64))
    with tempfile.TemporaryDirectory() as kept:  # for what it wrote after its epochs
        run = train(
            batches,
            ModelConfig("lstm", num_hiddens=96),
            TrainConfig(epochs=4, clip=1),
            name="quickstart",
            watch=Checkpointing(f"{kept}/run", keep=None),
        )
        run.ladder = fit_ladder(corpus, vocab)
        traces = [inspect_rnn("ablate", run, corpus)]
        page = write_page(run, path, corpus, PageConfig(text=TEXT, overwrite=True), traces)
    sys.stdout.write(f"{page!r}\n")


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if sys.argv[1:] else PAGE)
