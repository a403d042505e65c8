"""The magics: what each returns, keeps and says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rnn_magics import Corpus, Generation, Run, Score, Vocab

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

EPOCH_LISTS = (
    "train_perplexity",
    "valid_perplexity",
    "seconds",
    "tokens_per_second",
    "grad_norm",
    "clipped",
)


def test_the_whole_pipeline_in_one_cell(notebook: Notebook) -> None:
    notebook.variables["lines"] = notebook.text.splitlines()
    notebook.run(
        "%corpus --data lines --valid 0.4\n"
        "%vocab\n"
        "%sample random --batch-size 4 --num-steps 8\n"
        "run = %train_rnn --cell lstm --num-hiddens 8 --epochs 2\n"
        'text = %generate "the time " --length 12\n'
    )
    assert notebook.variables["run"].reason == "epochs"
    assert str(notebook.variables["text"]).startswith("the time ")


def test_corpus_returns_the_corpus_of_the_session(notebook: Notebook) -> None:
    corpus = notebook.run("%%corpus two words --valid 0.5\nabcd")
    assert isinstance(corpus, Corpus)
    assert corpus is notebook.session.corpus
    assert (corpus.name, corpus.data, corpus.origin) == ("two words", "abcd\n", "cell")


def test_corpus_reads_several_files(notebook: Notebook, tmp_path: Path) -> None:
    for name in ("a b", "c"):
        (tmp_path / f"{name}.txt").write_text(f"text of {name}")
    corpus = notebook.run(f"%corpus '{tmp_path / 'a b.txt'}' '{tmp_path / 'c.txt'}'")
    assert corpus.data == "text of a b\ntext of c"
    assert corpus.name == "a b+c"


def test_corpus_without_a_word_is_built_in(notebook: Notebook) -> None:
    assert notebook.run("%corpus --max-tokens 1000").name == "python_docs"


@pytest.mark.parametrize(
    ("options", "data", "tokens"),
    [
        ("", "a b", ["a", " ", "b"]),
        ("", ["a b\n", "c"], ["a", " ", "b", "\n", "c"]),
        ("--as-tokens", ["a b", "c"], ["a b", "c"]),
        ("", [3, 1, 3], [3, 1, 3]),
        ("", np.array([3, 1, 3]), [3, 1, 3]),
    ],
)
def test_corpus_takes_a_variable(
    notebook: Notebook, options: str, data: Any, tokens: list[Any]
) -> None:
    notebook.variables["data"] = data
    assert notebook.run(f"%corpus --data data {options}").tokens() == tokens


def test_corpus_reads_another_encoding(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Fräulein".encode("latin-1"))
    notebook.variables["path"] = str(tmp_path / "latin.txt")
    assert notebook.run("%corpus $path --encoding latin-1 --name old").data == "Fräulein"
    assert notebook.session.corpus is not None
    assert notebook.session.corpus.name == "old"


def test_vocab_maps_tokens_to_indices(notebook: Notebook) -> None:
    notebook.run("%%corpus\nb a a\na")
    notebook.run("vocab = %vocab --token word")
    vocab = notebook.variables["vocab"]
    assert isinstance(vocab, Vocab)
    assert vocab is notebook.session.vocab
    assert len(vocab) == 4
    assert vocab["a"] == 1
    assert vocab[["a", "b", "never seen"]] == [1, 3, 0]  # 2 is the line end, seen twice
    assert vocab.to_tokens(0) == "<unk>"
    assert vocab.token_freqs[0] == ("a", 3)


def test_vocab_tells_the_share_of_unknown_tokens(notebook: Notebook) -> None:
    notebook.run("%%corpus --valid 0.5\naaabcaabz")
    assert notebook.printed("%vocab --min-freq 2") == (
        "<unk> is 40.00% of training, 60.00% of held-out tokens\n"
    )


def test_zipf_shows_counts_slopes_and_a_picture(
    prepared: Notebook, shown: list[dict[str, Any]]
) -> None:
    prepared.run("%vocab --token word --zipf")
    (output,) = (output["data"] for output in shown)  # one result, one output
    assert "and 5" in output["text/plain"]
    assert "the-time 2" in output["text/plain"]
    assert "slope -" in output["text/plain"]
    assert "held-out unknown" in output["text/plain"]
    assert output["image/png"].startswith(b"\x89PNG")


def test_iterating_the_minibatches_once_is_one_epoch(prepared: Notebook) -> None:
    batches = prepared.run("%sample random --batch-size 4 --num-steps 8")
    assert batches is prepared.session.batches
    pairs = list(batches)
    assert len(pairs) == 10
    for X, Y in pairs:
        assert X.shape == Y.shape == (4, 8)
        assert X.dtype == Y.dtype == torch.int64
        assert torch.equal(X[:, 1:], Y[:, :-1])


def test_show_prints_the_first_minibatches(prepared: Notebook, shown: list[dict[str, Any]]) -> None:
    batches = prepared.run("%sample seq --batch-size 2 --num-steps 4 --show 2")
    (output,) = shown
    text = output["data"]["text/plain"]
    assert text.count("X and Y of shape (2, 4):") == 2
    assert "left over" in text
    corpus, vocab = prepared.session.corpus, prepared.session.vocab
    assert corpus is not None
    assert vocab is not None
    at, tokens = next(
        (int(line.split()[0]), line.rpartition("  ")[2])
        for line in text.splitlines()
        if line[:1].isdigit()
    )
    assert tokens == repr(corpus.data[at : at + 4])
    assert str(vocab[list(corpus.data[at : at + 4])]) in text
    assert "minibatches in an epoch" in prepared.rich(batches)["text/plain"]


def test_a_run_has_what_notebooks_rely_on(trained: Notebook) -> None:
    run = trained.run("%train_rnn --num-hiddens 8 --epochs 3 --name mine")
    assert isinstance(run, Run)
    assert run is trained.session.runs["mine"]
    assert isinstance(run.model, nn.Module)
    assert (run.config.model.num_hiddens, run.config.train.epochs) == (8, 3)
    assert run.reason == "epochs"
    assert run.tokens_per_second > 0
    for name in EPOCH_LISTS:
        assert len(getattr(run.history, name)) == 3
    assert run.history.train_perplexity[-1] < run.history.train_perplexity[0]


def test_a_run_shows_a_table_of_its_epochs(trained: Notebook) -> None:
    run = trained.session.runs["gru-1"]
    forms = trained.rich(run)
    assert f"training perplexity {run.train_perplexity:.3f}" in forms["text/plain"]
    assert (
        f"<td style='text-align:left;white-space:pre-wrap'>{run.valid_perplexity:.3f}</td>"
        in (forms["text/html"])
    )
    assert "all 224 predicted tokens of the held-out text, state carried" in forms["text/html"]


def test_a_bidirectional_run_says_that_it_sees_the_future(trained: Notebook) -> None:
    out = trained.printed("%train_rnn --bidirectional --num-hiddens 8 --epochs 1")
    assert "sees the tokens it has to predict" in out


def test_a_diverging_run_ends_with_advice(trained: Notebook) -> None:
    out = trained.printed(
        "%train_rnn --num-hiddens 8 --optimizer sgd --lr 1e38 --clip none --schedule constant"
    )
    assert trained.run("%rnn").runs[-1][2] == "non-finite values"
    assert "try --clip 1 or --lr 1e+37" in out


@pytest.mark.parametrize(
    "options",
    ["", "--greedy", "--decoder greedy", "--top-k 3", "--top-p 0.5", "--beam 3", "--stop e"],
)
def test_generate_returns_text_tokens_and_log_probs(trained: Notebook, options: str) -> None:
    text = trained.run(f'%generate "the " --length 9 {options}')
    assert isinstance(text, Generation)
    assert text.text == str(text) == "the " + "".join(text.tokens)
    assert len(text.tokens) == len(text.log_probs) == 9 or text.tokens[-1] == "e"
    assert all(value <= 0 for value in text.log_probs)
    assert "e" not in text.tokens[:-1] or "--stop" not in options


def test_the_text_is_streamed_while_it_grows(trained: Notebook) -> None:
    out = trained.printed('%generate "the " --length 9')
    assert out == str(trained.run('%generate "the " --length 9')) + "\n"


def test_the_same_seed_writes_the_same_text(trained: Notebook) -> None:
    texts = [str(trained.run(f'%generate "the " --length 40 --seed {seed}')) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_the_same_seed_trains_the_same_model(trained: Notebook) -> None:
    for seed in (1, 1, 2):
        trained.run(f"%train_rnn --num-hiddens 8 --epochs 1 --seed {seed}")
    first, again, other = list(trained.session.runs.values())[1:]
    assert first.history.train_perplexity == again.history.train_perplexity
    assert first.history.train_perplexity != other.history.train_perplexity


def test_num_gives_as_many_texts(trained: Notebook) -> None:
    texts = trained.run('%generate "the " --length 9 --num 3')
    assert len(texts) == 3
    assert len({str(text) for text in texts}) == 3
    assert all(str(text) in trained.rich(texts)["text/plain"] for text in texts)


def test_score_tells_the_surprise_of_each_token(trained: Notebook) -> None:
    score = trained.run('%generate --score "the Q"')
    assert isinstance(score, Score)
    assert score.tokens == list("the Q")
    assert score.unknown == ("Q",)
    assert np.isnan(score.surprise[0])
    bits = torch.tensor(score.surprise[1:])
    assert score.perplexity == pytest.approx(2 ** bits.mean().item())
    assert f"{score.surprise[1]:.2f}" in trained.rich(score)["text/plain"]


def test_unknown_tokens_of_the_prefix_are_named(trained: Notebook) -> None:
    shown = trained.rich(trained.run('%generate "the Qé" --length 3'))["text/plain"]
    assert "not in the vocabulary and read as <unk>: 'Q', 'é'" in shown


def test_run_chooses_whose_model_writes(trained: Notebook) -> None:
    trained.run("%train_rnn --num-hiddens 8 --epochs 1 --seed 5 --name other")
    say = '%generate "the " --length 40 --run'
    assert str(trained.run(f"{say} gru-1")) != str(trained.run(f"{say} other"))
    assert str(trained.run('%generate "the " --length 40')) == str(trained.run(f"{say} other"))


def test_rnn_says_where_the_session_stands(trained: Notebook) -> None:
    status = repr(trained.run("%rnn"))
    run = trained.session.runs["gru-1"]
    told = ("tiny: 564 characters", "26 different tokens (char)", "seq: minibatches of 4 x ")
    for said in (*told, "cpu", "gru-1", "1/1"):
        assert said in status
    assert f"{run.valid_perplexity:.3f}" in status


def test_rnn_says_what_to_type_in_an_empty_session(notebook: Notebook) -> None:
    status = repr(notebook.run("%rnn"))
    for magic in ("%corpus", "%vocab", "%sample", "%train_rnn"):
        assert f"none yet ({magic})" in status


def test_a_large_file_goes_through_all_steps_and_a_damaged_cache_is_said_once(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.text.reading.sources.STREAM_BYTES", 0)
    monkeypatch.setattr("rnn_magics.text.indexing.on_disk.cache_folder", lambda: tmp_path / "cache")
    path = tmp_path / "large.txt"
    path.write_text(notebook.text, encoding="utf-8")
    for damaged in (False, True, True):
        for cached in tmp_path.glob("cache/indices/*.ids") if damaged else ():
            cached.write_bytes(b"")
        notebook.run(f"%corpus {path} --valid 0.4")
        assert "on disk" in repr(notebook.session.corpus)
        said = "the cached indices of 'large' were damaged and have been rebuilt"
        assert notebook.printed("%vocab").splitlines()[0:1] == (
            [said] if damaged else ["<unk> is 0.00% of training, 0.00% of held-out tokens"]
        )
        assert said not in notebook.printed("%vocab")
        assert notebook.printed("%sample seq --batch-size 4 --num-steps 8") == ""
    assert "the time traveller" in notebook.rich(notebook.session.corpus)["text/html"]
    assert notebook.run("%train_rnn --num-hiddens 8 --epochs 1").history.valid_perplexity[0] > 1
