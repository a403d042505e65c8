"""A run on documents begins one and writes to its end."""

from __future__ import annotations

import math

import pytest
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.decoding import decode
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.form import Form
from rnn_magics.decoding.from_ngram import write_ngram
from rnn_magics.decoding.generate import Generation, generate, generate_many
from rnn_magics.decoding.score import score_text, score_written
from rnn_magics.inspection.inspectors import inspect_rnn
from rnn_magics.inspection.novelty import known_documents, measure_novelty
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.models.sentences import fit_text
from rnn_magics.notebook.live.sample_text import sample_text
from rnn_magics.notebook.show.decoded import Generations
from rnn_magics.notebook.show.rich.decoded import generations_html
from rnn_magics.scores.evaluation import token_log_probs
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import BOS, EOS
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

NAMES = [f"{a}{b}{c}" for a in ("an", "bo", "cle") for b in ("na", "b", "r") for c in ("a", "us")]
CORPUS = Corpus.from_text("\n".join(NAMES * 12), CorpusConfig(documents="line", valid=0.2, seed=1))
LONG = DecodingConfig(length=40)


def trained(token: str, corpus: Corpus = CORPUS, epochs: int = 6) -> Run:
    vocab = Vocab.from_corpus(corpus, VocabConfig(token))
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=8, num_steps=12))
    config = TrainConfig(epochs=epochs, lr=0.02, device="cpu", threads=1)
    return train(batches, ModelConfig("gru", 24), config)


@pytest.fixture(scope="module")
def run() -> Run:
    return trained("char")


def vocab_of(run: Run) -> Vocab:
    assert run.vocab is not None
    return run.vocab


def test_without_a_prefix_a_document_is_written_to_its_end(run: Run) -> None:
    for text in generate_many(run, "", LONG, num=30):
        assert text.tokens[-1] == EOS
        assert EOS not in text.tokens[:-1]
        assert BOS not in text.tokens
        assert str(text) == text.shown == "".join(text.tokens[:-1])
        assert text.prefix == ""
        assert text.prefix_perplexity is None


def test_a_prefix_is_the_beginning_of_a_document(run: Run) -> None:
    text = generate(run, "cl", LONG)
    assert str(text).startswith("cl")
    assert text.tokens[-1] == EOS
    ids = torch.tensor(vocab_of(run)[[BOS, *"cl", *text.tokens[:-1], BOS]])
    expected = token_log_probs(run.model, ids)
    assert text.log_probs == pytest.approx(expected[2:].tolist(), abs=1e-5)
    assert text.prefix_perplexity == pytest.approx(math.exp(-expected[:2].mean()), rel=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        LONG,
        DecodingConfig(length=40, greedy=True),
        DecodingConfig(length=40, temperature=1.5, top_k=4),
        DecodingConfig(length=40, no_unk=True, top_p=0.9),
    ],
    ids=repr,
)
def test_both_paths_write_the_same(
    run: Run, config: DecodingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = generate_many(run, "", config, num=4)
    monkeypatch.setattr(decode, "is_compiled", lambda *_: False)
    plain = generate_many(run, "", config, num=4)
    assert [text.tokens for text in plain] == [text.tokens for text in compiled]
    for mine, other in zip(plain, compiled, strict=True):
        assert mine.log_probs == pytest.approx(other.log_probs, abs=1e-5)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_beginning_of_a_document_is_never_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, *, compiled: bool
) -> None:
    vocab, bias = vocab_of(run), run.model.output.bias
    before = bias.detach().clone()
    monkeypatch.setattr(decode, "is_compiled", lambda *_: compiled)
    try:
        with torch.no_grad():
            bias[vocab[BOS]] += 50  # what no training does
        for config in (LONG, DecodingConfig(length=40, greedy=True)):
            assert BOS not in generate(run, "", config).tokens
        assert BOS not in generate(run, "", DecodingConfig(length=40, beam=3)).tokens
    finally:
        with torch.no_grad():
            bias.copy_(before)


def test_a_beam_search_ends_with_the_document(run: Run) -> None:
    text = generate(run, "", DecodingConfig(length=40, beam=4))
    assert text.tokens[-1] == EOS
    assert str(text) in NAMES


def test_what_is_told_piece_by_piece_has_no_marks(run: Run) -> None:
    pieces: list[str] = []
    text = generate(run, "", LONG, write=pieces.append)
    assert "".join(pieces) == str(text)
    stopped = generate(run, "", DecodingConfig(length=40, stop="e"))
    assert stopped.tokens[-1] in ("e", EOS)


def test_a_document_in_a_form_may_end_but_not_before_its_lines(run: Run) -> None:
    text = generate(run, "", LONG, form=Form(only=("letters",)))
    assert text.tokens[-1] == EOS
    poems = "\n\n".join(["ab\ncd\nef", "cd\nab\nef", "ef\nab\ncd"] * 20)
    corpus = Corpus.from_text(poems, CorpusConfig(documents="blank", valid=0.2))
    written = generate(trained("char", corpus), "", LONG, form=Form(lines=5, line_length=2))
    assert [len(line) for line in str(written).strip("\n").split("\n")] == [2] * 5
    assert EOS not in written.tokens


def test_words_of_a_document_are_joined_as_in_any_text() -> None:
    lines = ["the cat sat.", "a dog ran, too.", "the dog sat."] * 30
    corpus = Corpus.from_text("\n".join(lines), CorpusConfig(documents="line", valid=0.2))
    run = trained("word", corpus, epochs=40)
    texts = generate_many(run, "", DecodingConfig(length=20, temperature=0.5), num=9)
    assert {str(text) for text in texts} <= {*lines}
    known = known_documents(texts, corpus, vocab_of(run))
    assert all(known)
    assert str(generate(run, "the", DecodingConfig(length=20, greedy=True))).startswith("the ")


def test_a_score_counts_the_first_token_of_a_document(run: Run) -> None:
    score = score_text(run, "anna")
    assert score.tokens == [BOS, *"anna"]
    assert "".join(score.pieces) == "anna"
    assert not math.isnan(score.surprise[1])
    written = generate(run, "an", LONG)
    again = score_written(run, written)
    assert again.tokens == [BOS, *"an", *written.tokens]
    assert "".join(again.pieces) == str(written)


def test_a_view_reads_a_text_as_a_document(run: Run) -> None:
    hidden = inspect_rnn("hidden", run, "anna")
    assert hidden.tokens == [BOS, *"anna"]


def test_known_are_the_documents_of_the_training_part(run: Run) -> None:
    vocab = vocab_of(run)
    train = encode_corpus(CORPUS, vocab).train
    trained_on = set("".join(vocab.to_tokens(train.tolist())).split(BOS)) - {""}
    texts = generate_many(run, "", DecodingConfig(length=40, temperature=1.3), num=60)
    known = known_documents(texts, CORPUS, vocab)
    assert known == tuple(str(text) in trained_on for text in texts)
    assert 0 < sum(known) < 60
    cut = generate(run, "", DecodingConfig(length=2))
    assert known_documents([cut], CORPUS, vocab) == (False,)
    half = generate(run, "ann", LONG)
    assert known_documents([half], CORPUS, vocab) == (str(half) in trained_on,)


def test_what_is_copied_has_no_marks(run: Run) -> None:
    pytest.importorskip("pydivsufsort")
    found = measure_novelty(generate(run, "", LONG), CORPUS, vocab_of(run))
    assert "".join(piece for piece, _ in found.pieces) == str(generate(run, "", LONG))


def listed(*texts: str, known: tuple[bool, ...] = (), is_cut: bool = False) -> Generations:
    config = DecodingConfig()
    made = Generations(
        (
            Generation(text, "", [*text] if is_cut else [*text, EOS], [-1.0], None, (), config)
            for text in texts
        ),
        are_documents=True,
    )
    made.known = known
    return made


def test_short_documents_are_a_list_with_those_that_are_known_marked() -> None:
    several = listed("anna", "bob\x1b", known=(True, False))
    assert repr(several) == (
        "2 documents, of which 1 is in the training text (*)\n  anna *\n  bob\\x1b"
    )
    assert "anna *\nbob" in generations_html(several)
    assert repr(listed("anna", "b")) == "2 documents\n  anna\n  b"
    assert repr(listed("anna", "b", is_cut=True)) == "2 documents\n  anna ...\n  b ..."
    # Longer ones are shown as any texts.
    for other in (listed("a\nb", "c"), listed("a" * 100, "c"), Generations(listed("a", "b"))):
        assert repr(other).startswith("[1] ")


def test_while_it_trains_a_run_shows_several_documents(run: Run) -> None:
    names = sample_text(run).split("\n")
    assert len(names) == 5
    assert {*names} & {*NAMES}


def test_counting_writes_documents_too() -> None:
    vocab = Vocab.from_corpus(CORPUS)
    model = fit_text(encode_corpus(CORPUS, vocab).train, len(vocab), 4, vocab.marks)
    texts = [write_ngram(model, vocab, "", DecodingConfig(seed=s)) for s in range(20)]
    assert all(text.tokens[-1] == EOS for text in texts)
    assert sum(str(text) in NAMES for text in texts) > 10
