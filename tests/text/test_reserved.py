"""A reserved token is one token wherever it stands, whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.decoding.limits import stop_index
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.statistics import text_statistics
from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

TEXT = "the end<eos>The <eos>\n<eos>. <pad><eos>x\u4e2d<eos>" * 3
SPECIAL = ["<eos>", "</s>", "[SEP]", "<|end of text|>", "\u3010\u7ed3\u675f\u3011", "\n\n"]


@pytest.fixture(params=["char", "word", "pairs", "lines"])
def token(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a tokenizer, two of them a notebook's own."""
    TOKENIZERS["pairs"] = Tokenizer(lambda t: [t[i : i + 2] for i in range(0, len(t), 2)], max, "")
    TOKENIZERS["lines"] = Tokenizer(lambda t: t.split("\n"), max, "", breaks="\n")
    name: str = request.param
    return name


@pytest.mark.parametrize("reserved", SPECIAL)
def test_a_reserved_token_is_one_token_of_the_text(token: str, reserved: str) -> None:
    text = TEXT.replace("<eos>", reserved)
    vocab = Vocab.from_corpus(
        corpus := Corpus.from_text(text), VocabConfig(token=token, reserved=(reserved, "<pad>"))
    )
    assert dict(vocab.token_freqs)[reserved] == TEXT.count("<eos>")
    assert encode_corpus(corpus, vocab).train.tolist().count(1) == TEXT.count("<eos>")
    assert vocab.split(text) == corpus.tokens(token, (reserved, "<pad>"))
    assert vocab.split(reserved) == [reserved]
    assert stop_index(vocab, reserved) == 1


@pytest.mark.parametrize("name", ["char", "word"])
@pytest.mark.parametrize("reserved", SPECIAL)
def test_tokens_with_a_reserved_one_go_to_a_text_and_back(name: str, reserved: str) -> None:
    text = "(the <eos> end<eos>. It's <eos><eos>\n<eos> \u5317\u4eac<eos>".replace(
        "<eos>", reserved
    )
    vocab = Vocab(["a"], VocabConfig(token=name, reserved=(reserved,)))
    tokens = vocab.split(text)
    assert tokens.count(reserved) == 6
    assert vocab.split(vocab.tokenizer.join(tokens)) == tokens


def test_a_reserved_word_is_not_found_inside_another_word() -> None:
    vocab = Vocab(["a"], VocabConfig(token="word", reserved=("eos", "eos1", "don")))
    text = "videos don't eos videos1 eos1 eos12 \u4e2deos1"
    found = ["videos", "don't", "eos", "videos", "1", "eos1", "eos", "12", "\u4e2d", "eos1"]
    assert vocab.split(text) == found


def test_characters_find_a_reserved_token_anywhere() -> None:
    vocab = Vocab(["a"], VocabConfig(reserved=("sch", "ch", "e")))
    assert vocab.split("schauche") == ["sch", "a", "u", "ch", "e"]


def test_the_longest_reserved_token_is_meant() -> None:
    vocab = Vocab(["a"], VocabConfig(token="word", reserved=("<e", "<eos>")))
    assert vocab.split("<eos> <e>") == ["<eos>", "<e", ">"]


@given(
    st.lists(st.sampled_from(["<", "eos", ">", "<eos>", "a", " ", "\n", "\u4e2d", "1"])),
    st.lists(st.integers(1, 9), min_size=1),
    st.sampled_from(["char", "word"]),
)
@example(["<eos>"] * 9, [1], "char")
def test_no_piece_of_a_text_cuts_a_reserved_token(
    parts: list[str], sizes: list[int], name: str
) -> None:
    text = "".join(parts)
    whole = kept_whole(TOKENIZERS[name], ("<eos>", "eos1", "a 1"))
    assert whole is not None
    pieces, at = [], 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        # A tokenizer of words is never handed a piece that cuts one.
        while name == "word" and at + size < len(text) and text[at + size - 1] not in " \n":
            size += 1
        pieces.append(text[at : at + size])
        at += size
    uncut = list(whole.uncut(pieces))
    assert "".join(uncut) == text
    assert [token for piece in uncut for token in whole.split(piece)] == whole.split(text)


def test_statistics_count_a_reserved_token_as_one_and_rank_it_by_its_count() -> None:
    corpus = Corpus.from_text("b <eos> b c <eos> b\nb d <eos> z", CorpusConfig(valid=0.25))
    statistics = text_statistics(corpus, "word", ("<eos>", "<pad>"))
    assert statistics.ngrams[0].most_common(2, statistics.vocab) == [(("b",), 4), (("<eos>",), 2)]
    # Held out: <eos> and z; of any size, the vocabulary knows the more frequent ones.
    assert statistics.oov_rates == (0.5,)


def test_given_tokens_are_whole_as_they_are() -> None:
    corpus = Corpus.from_tokens(["<eos>", "a", "<eos>"])
    vocab = Vocab.from_corpus(corpus, VocabConfig(reserved=("<eos>", "end of text")))
    assert vocab.split("a <eos> end of text a") == ["a", "<eos>", "end of text", "a"]
