"""The first part of a script makes the tokens of the run, whatever the text and the options."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError, RNNMagicsError
from rnn_magics.handout.text import text_lines
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.splitting.bpe import NAMES
from rnn_magics.text.splitting.bytewise import as_token
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

SNIPPETS = [
    *("a", "Don't", "\u2019s", " ", "\n", "9", "_", ".", "<unk>", "<eos>", "x1 y", "\u00e9"),
    *("हिन्दी", "السَّلَامُ", "می\u200cخواهم", "re\u0301", "\u0301", "\u0130", "ภาษาไทยที่", "ක්\u200dෂ"),
    *("\U0001f468\u200d\U0001f469", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "\U0001f600"),
    *("1\ufe0f\u20e3", "\U00011103\U00011127", '"', "\\", "\t", "\u2028", "#"),
]
texts = st.lists(st.sampled_from(SNIPPETS), min_size=3, max_size=30).map("".join)
cleanings = st.builds(
    CorpusConfig,
    lower=st.booleans(),
    letters_only=st.booleans(),
    d2l=st.booleans(),
    valid=st.sampled_from([0.0, 0.3]),
    max_tokens=st.none() | st.integers(2, 30),
)
reserved = st.sampled_from([(), ("<eos>",), ("x1", "1 ", '"'), ("\n", "<eos>", "\u0301a", "on")])


def as_ours(token: Any, kind: str, whole: tuple[str, ...]) -> Any:
    """Return a token of a script as the package has it; only those of bytes differ."""
    if isinstance(token, int):
        return as_token(bytes([token]))
    if kind != "bpe" or token in ("<unk>", *whole):
        return token
    return as_token(bytes(NAMES.index(letter) for letter in token))


def run_part(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"re": re, "ast": ast, "Counter": Counter, "Path": Path, "torch": torch}
    exec("from tokenizers import *", names)
    exec(source, names)
    return names


@pytest.mark.parametrize("token", ["char", "word", "bpe", "grapheme", "byte"])
@given(texts, cleanings, reserved, st.booleans())
@example("re\u0301 <eos>! <eos>\U0001f3fdx" * 3, CorpusConfig(), ("<eos>",), False)
@example("the end of it\nThe end\nof" * 3, CorpusConfig(d2l=True), ("end of", "\nof", "the"), True)
@example("\u0130x1 a\u03021 \u0302x1 <eos>" * 3, CorpusConfig(lower=True), ("x1",), True)
def test_a_script_has_the_tokens_of_the_run(
    tmp_path_factory: pytest.TempPathFactory,
    token: str,
    text: str,
    cleaning: CorpusConfig,
    whole: tuple[str, ...],
    is_file: bool,  # noqa: FBT001  (hypothesis hands it in)
) -> None:
    config = VocabConfig(token, reserved=whole)
    try:
        corpus = Corpus.from_text(text, cleaning)
        if is_file:
            path = tmp_path_factory.mktemp("read") / "text.txt"
            path.write_bytes(text.encode())
            corpus = Corpus.load(str(path), cleaning)
        vocab = Vocab.from_corpus(corpus, config)
    except RNNMagicsError:
        return  # too little is left of it
    encoded = encode_corpus(corpus, vocab)
    try:
        source = text_lines(corpus, vocab, None).source
    except CorpusError as error:
        assert "reserved token that was learnt, too" in str(error)  # noqa: PT017
        assert vocab.learnt is not None
        return
    found = run_part(source)
    ours = [as_ours(each, token, whole) for each in found["vocab"]]
    assert ours == vocab.to_tokens(list(range(len(vocab))))
    assert found["train_ids"].tolist() == encoded.train.tolist()
    if len(encoded.valid):
        assert found["valid_ids"].tolist() == encoded.valid.tolist()


def test_a_text_without_marks_reads_as_before() -> None:
    corpus = Corpus.from_text("The time's machine, \u2018the end\u2019.\n" * 5)
    source = text_lines(corpus, Vocab.from_corpus(corpus, VocabConfig("word")), None).source
    assert 'words = r"[^\\W\\d_]+(?:[\'\\u2019][^\\W\\d_]+)*|\\d+|\\n|[^\\w\\s]|_"' in source
    assert "re.findall(words, text)" in source


def test_a_script_has_a_simplified_text_as_it_was_simplified(tmp_path: Path) -> None:
    pytest.importorskip("opencc", reason="needs OpenCC: pip install 'rnn_magics[chinese]'")
    file = tmp_path / "verse.txt"
    file.write_text("函谷壯皇居\n" * 3, encoding="utf-8")
    corpus = Corpus.load(str(file), CorpusConfig(simplified=True))
    vocab = Vocab.from_corpus(corpus)
    names = run_part(text_lines(corpus, vocab, None).source)
    assert names["tokens"] == list("函谷壮皇居\n" * 3)
    assert names["train_ids"].tolist() == encode_corpus(corpus, vocab).train.tolist()
