"""The quickstart without a notebook: each magic of 01_quickstart.ipynb is one library call.

    python examples/02_same_in_python.py

The settings and the seed are those of the notebook, so on the same machine the perplexities are
identical. Add --explain to a magic to see the library call behind it.
"""

from rnn_magics import (
    BatchConfig,
    Corpus,
    DecodingConfig,
    ModelConfig,
    TrainConfig,
    Vocab,
    VocabConfig,
    generate,
    make_batches,
    train,
)

corpus = Corpus.load("python_source")  # %corpus python_source
vocab = Vocab.from_corpus(corpus, VocabConfig("char"))  # %vocab --token char
batches = make_batches(corpus, vocab, BatchConfig(batch_size=32, num_steps=64))  # %sample seq
run = train(batches, ModelConfig("lstm", num_hiddens=256), TrainConfig(epochs=4, clip=1))

print(f"training perplexity {run.train_perplexity:.3f}")
print(f"held-out perplexity {run.valid_perplexity:.3f}; a uniform guess has {len(vocab)}")
print(f"{run.tokens_per_second:,.0f} tokens/s")
print(generate(run, "    def __init__(self, name", DecodingConfig(length=400, temperature=0.5)))
