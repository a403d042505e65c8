"""Make the golden files of a format: ``python tests/storage/golden/make.py`` in the repository.

They are made once for each format and never again: what was written then must be read for ever.
A new format gets files of its own beside the old ones. The files named ``muon`` were made with an
optimizer that has been removed since.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.model_file import FORMAT, save_run
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train

HERE = Path(__file__).parent
NASTY = ["\ud800", "\ud83d\ude00", "😀", "\x00", "</script>", '"', "\\", "{x}", "\u202e", "e\u0301"]
NASTY += ["<unk>", " ", "\r\n", "名", "$HOME", "__import__('os')"]
WORDS = "The time-traveller's 3 eyes (grey ones) \u2019shone\u2019 & twinkled; \u4f60\u597d!\n" * 9
SIZE = BatchConfig(batch_size=2, num_steps=4)
UNFINISHED = ModelConfig(cell="gru", num_hiddens=2, dropout=0.1)
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


def main() -> None:
    torch.set_num_threads(1)
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
    config = TrainConfig(epochs=2, threads=1)
    for name, (batches, model) in made.items():
        run = train(batches, model, config, name=name)
        save_run(run, HERE / f"v{FORMAT}-{name}.safetensors")
        expected[f"v{FORMAT}-{name}"] = {
            "tokens": None if run.vocab is None else [ascii(t) for t in run.vocab._tokens],
            "logits": run.model(X)[0][0].tolist(),  # (num_steps, vocab_size)
            "train_perplexity": run.history.train_perplexity,
        }
    folder = HERE / f"v{FORMAT}-run"
    watch = Checkpointing(str(folder), every="3steps")
    with suppress(KeyboardInterrupt):
        train(bare, UNFINISHED, config, watch=watch, listeners=[break_off], name="unfinished")
    for path in list(RunFolder(folder).steps.values())[1:]:
        path.unlink()
    text = json.dumps(expected, indent=1)
    (HERE / f"v{FORMAT}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
