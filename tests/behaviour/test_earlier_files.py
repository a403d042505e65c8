"""What an earlier version wrote is read, and means what it meant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import ConfigError, StorageError
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import FORMAT, save_run
from rnn_magics.storage.resume import reopen
from rnn_magics.storage.run_folder import checkpoint_epochs, kept_runs
from rnn_magics.training.loop import iter_train, train

HERE = Path(__file__).parents[1] / "storage" / "golden"
EXPECTED: dict[str, Any] = {
    name: said
    for path in sorted(HERE.glob("v*.json"))
    for name, said in json.loads(path.read_text(encoding="utf-8")).items()
}
X = torch.tensor([[1, 2, 3, 0, 2]])


def test_there_are_golden_files() -> None:
    assert sorted(path.stem for path in HERE.glob("*.safetensors")) == sorted(EXPECTED)
    assert {name.partition("-")[0] for name in EXPECTED} == {f"v{n + 1}" for n in range(FORMAT)}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_golden_file_is_read_as_it_was_written(name: str) -> None:
    run, said = load_run(HERE / f"{name}.safetensors"), EXPECTED[name]
    ids = X
    if "text" in said:
        assert run.vocab is not None
        assert run.vocab[run.vocab.split(said["text"])] == said["ids"]
        ids = torch.tensor([said["ids"]])
    logits = run.model(ids)[0][0]  # (num_steps, vocab_size)
    torch.testing.assert_close(logits, torch.tensor(said["logits"]), atol=1e-5, rtol=1e-5)
    assert run.history.train_perplexity == said["train_perplexity"]
    tokens = None if run.vocab is None else [ascii(token) for token in run.vocab._tokens]
    assert tokens == said["tokens"]
    if not run.config.model.bidirectional:
        assert len(generate(run, "1").tokens) > 0


def test_a_golden_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for path in (HERE / "v1-run").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert checkpoint_epochs(folder) == [1]
    assert [kept.name for kept in kept_runs(folder)] == ["unfinished"]
    batches = Batches(torch.arange(90) % 5, BatchConfig(batch_size=2, num_steps=4))
    run, state, _ = reopen(folder, batches)
    assert (state.epoch, state.step) == (1, 4)
    whole = train(batches, run.config.model, run.config.train)
    for _ in iter_train(run, state):
        pass
    for mine, theirs in zip(run.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_golden_run_whose_optimizer_has_been_removed_is_read_and_not_trained_further(
    tmp_path: Path,
) -> None:
    folder = HERE / "v1-muon-run"
    run, batches = load_run(folder), Batches(torch.arange(90) % 5, BatchConfig("seq", 2, 4))
    assert (run.config.train.optimizer, run.config.train.peak_lr) == ("muon", 0.005)
    assert len(run.history) == len(load_run(folder, epoch=1).history) == 1
    again = load_run(save_run(run, tmp_path / "again.safetensors"))
    assert again.config == run.config
    removed = "optimizer: 'muon' has been removed; use adamw"
    others = Batches(torch.arange(90) % 5, BatchConfig("seq", 3, 4))
    with pytest.raises(StorageError) as refused:
        reopen(folder, others)  # said before the minibatches are compared
    assert str(refused.value) == f"run 'muon' can be loaded, but not trained further: {removed}"
    with pytest.raises(ConfigError) as unfit:
        train(batches, run.model, run.config.train)
    assert str(unfit.value) == removed
    taken = replace(run.config.train, optimizer="adamw", epochs=1)
    assert train(batches, run.model, taken).reason == "epochs"
