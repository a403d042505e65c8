"""不用笔记本的快速入门：01_quickstart.ipynb 里的每个魔法命令都是一次库函数的调用。

    python examples/zh/02_same_in_python.py

设置和随机种子与笔记本相同，所以在同一台机器上得到的困惑度完全一样。给魔法命令加上 --explain，
就能看到它背后的调用。
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

print(f"训练困惑度 {run.train_perplexity:.3f}")
print(f"留出困惑度 {run.valid_perplexity:.3f}；均匀猜测为 {len(vocab)}")
print(f"{run.tokens_per_second:,.0f} 词元/秒")
print(generate(run, "    def __init__(self, name", DecodingConfig(length=400, temperature=0.5)))
