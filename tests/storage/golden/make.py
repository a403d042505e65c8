"""Make the golden files of a format: ``python tests/storage/golden/make.py 2`` in the repository.

They are made once for each format and never again: what was written then must be read for ever.
A new format gets files of its own beside the old ones. The files named ``muon`` were made with an
optimizer that has been removed since.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

HERE = Path(__file__).parent
NASTY = ["\ud800", "\ud83d\ude00", "😀", "\x00", "</script>", '"', "\\", "{x}", "\u202e", "e\u0301"]
NASTY += ["<unk>", " ", "\r\n", "名", "$HOME", "__import__('os')"]
WORDS = "The time-traveller's 3 eyes (grey ones) \u2019shone\u2019 & twinkled; \u4f60\u597d!\n" * 9
BYTES = "the time traveller \u4f60\u597d \U0001f600 he said,\r\n\t9 times\ud800\n" * 9
NAMES = "emma\nolivia\nava\nzo\u00eb\n" * 9
SIZES = {"bpe": 266}
SIZE = BatchConfig(batch_size=2, num_steps=4)
UNFINISHED = ModelConfig(cell="gru", num_hiddens=2, dropout=0.1)
CONFIG = TrainConfig(epochs=2, threads=1)
X = torch.tensor([[1, 2, 3, 0, 2]])


def tokens_as_given(tokens: list[object]) -> Batches:
    corpus = Corpus.from_tokens(tokens * 9, CorpusConfig(valid=0.3), name="nasty </b> \u202e")
    return make_batches(corpus, Vocab.from_corpus(corpus), SIZE)


def words() -> Batches:
    corpus = Corpus.from_text(WORDS, CorpusConfig(valid=0.3, lower=False), name="words")
    config = VocabConfig(token="word", min_freq=1, reserved=("<pad>",))
    return make_batches(corpus, Vocab.from_corpus(corpus, config), SIZE)


def break_off(event: Event) -> None:
    if isinstance(event, StepEnd) and event.epoch == 2 and event.step == 5:
        raise KeyboardInterrupt


def version_1() -> None:
    bare = Batches(torch.arange(90) % 5, SIZE)
    mixed = [1, 2.5, True, None, ("a", 1), float("inf"), "1"]
    made = {
        "rnn-words": (words(), ModelConfig(cell="rnn", num_hiddens=3, num_layers=2, dropout=0.5)),
        "gru-tied-nasty": (
            tokens_as_given(NASTY),
            ModelConfig(cell="gru", num_hiddens=4, tie=True),
        ),
        "lstm-mixed": (tokens_as_given(mixed), ModelConfig(cell="lstm", num_hiddens=3)),
        "lstm-bidirectional-bare": (
            bare,
            ModelConfig(cell="lstm", num_hiddens=2, num_layers=2, bidirectional=True),
        ),
    }
    expected = {}
    for name, (batches, model) in made.items():
        run = train(batches, model, CONFIG, name=name)
        save_run(run, HERE / f"v1-{name}.safetensors")
        expected[f"v1-{name}"] = what_it_says(run, X)
    write("v1", expected)
    folder = HERE / "v1-run"
    watch = Checkpointing(str(folder), every="3steps")
    with suppress(KeyboardInterrupt):
        train(bare, UNFINISHED, CONFIG, watch=watch, listeners=[break_off], name="unfinished")
    for path in list(RunFolder(folder).steps.values())[1:]:
        path.unlink()


def read(token: str, text: str = BYTES, **more: Any) -> Batches:
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.3, **more), name=token)
    vocab = Vocab.from_corpus(corpus, VocabConfig(token, max_size=SIZES.get(token)))
    return make_batches(corpus, vocab, SIZE)


def version_2() -> None:
    small = ModelConfig(cell="gru", num_hiddens=2, embedding_size=2)
    made = {
        "bpe": (read("bpe"), small, "the time \u4f60\u597d\U0001f600"),
        "byte": (read("byte"), small, "the \u4f60\udc80"),
        "documents": (
            read("char", NAMES, documents="line"),
            ModelConfig(cell="lstm", num_hiddens=3),
            "emma<bos>ava\u0301<bos>",
        ),
    }
    expected = {}
    for name, (batches, model, text) in made.items():
        run = train(batches, model, CONFIG, name=name)
        assert run.vocab is not None
        save_run(run, HERE / f"v2-{name}.safetensors")
        ids = run.vocab[run.vocab.split(text)]
        said = what_it_says(run, torch.tensor([ids]))
        expected[f"v2-{name}"] = {**said, "text": text, "ids": ids}
    write("v2", expected)


def what_it_says(run: Run, ids: torch.Tensor) -> dict[str, Any]:
    return {
        "tokens": None if run.vocab is None else [ascii(t) for t in run.vocab._tokens],
        "logits": run.model(ids)[0][0]
        .double()
        .round(decimals=6)
        .tolist(),  # (num_steps, vocab_size)
        "train_perplexity": run.history.train_perplexity,
    }


def write(name: str, expected: dict[str, Any]) -> None:
    text = json.dumps(expected).replace('}, "v', '},\n"v')  # a line for each file
    (HERE / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"1": version_1, "2": version_2}[sys.argv[1]]()
