"""What a form refuses, each in one line: by itself, and for a vocabulary."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.form import CHARACTER_CLASSES, Form
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import ConfigError, DecodingError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.read_as import TextReading
from rnn_magics.text.vocab import Vocab, VocabConfig


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lines": 0}, "lines must be at least 1, not 0"),
        ({"line_length": "5"}, "line_length must be a whole number, not '5'"),
        ({"lines": 1, "starts": ("a", "b")}, "starts has 2 beginnings for 1 line; leave some out"),
        ({"only": ("hna",)}, "only: 'hna' is not one of letters, lower, upper, han, digits, punct"),
        ({"rhymes": {"a": "x"}}, "a rhyme needs lines; add --lines 4"),
        ({"lines": 4, "rhymes": ["a"]}, "rhymes must be a dict of texts, such as {'light': 'ight'"),
        ({"lines": 4, "rhymes": {"a": 1}}, "rhymes must be a dict of texts, such as {'light': 'ig"),
        ({"lines": 4, "rhymes": {3: "x"}}, "rhymes must be a dict of texts, such as {'light': 'ig"),
    ],
)
def test_what_a_form_refuses(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Form(**options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("letters", "aÄωя春é\u0301", "1 ,\n"),
        ("lower", "aéω", "A1春 "),
        ("upper", "AÉΩ", "a1春 "),
        ("han", "春\u3400\U00020000", "aあ，"),
        ("digits", "09٣", "a½"),
        ("punctuation", ".,，。“-", "a $"),
        ("space", " \t\u3000", "\na"),
        ("newline", "\n", "\r "),
    ],
)
def test_what_belongs_to_a_class(name: str, has: str, has_not: str) -> None:
    assert all(map(CHARACTER_CLASSES[name], has))
    assert not any(map(CHARACTER_CLASSES[name], has_not))


def run_of(text: str, token: str = "char", **reading: bool) -> Any:
    vocab = Vocab(text if token == "char" else text.split(" "), VocabConfig(token=token))
    model = RNNModel(ModelConfig(num_hiddens=4), len(vocab), torch.Generator().manual_seed(0))
    read = TextReading(CorpusConfig(**reading)) if reading else None
    return SimpleNamespace(model=model, vocab=vocab, reading=read)


SOUNDS = {"a": "x", "b": "x", "c": "y"}


@pytest.mark.parametrize(
    ("text", "options", "decoding", "said"),
    [
        ("abc", {"lines": 2}, {}, "lines need line breaks, and the vocabulary has none, as its te"),
        ("abc\n", {"only": ("digits", "han")}, {}, "the vocabulary has no token of digits and han"),
        ("\n", {"lines": 2}, {}, "the vocabulary has no token that a line could hold; leave out"),
        (
            "abc\n",
            {"lines": 4, "line_length": 60},
            {},
            "the form takes 245 tokens with its line breaks, and --length allows 200; ask for le",
        ),
        ("abc\n", {"lines": 10**12}, {}, "the form takes 2,000,000,000,001 tokens with its line"),
        ("abc\n", {"line_length": 10**12}, {}, "the form takes 1,000,000,000,002 tokens with its"),
        ("abc\n", {"lines": 3}, {"length": 6}, "the form takes 7 tokens with its line breaks, and"),
        (
            "abc\n",
            {"starts": ("d",)},
            {},
            "the beginning 'd' of --starts needs tokens that are not",
        ),
        (
            "abc\n",
            {"starts": ("<unk>",)},
            {},
            "the beginning '<unk>' of --starts needs tokens that",
        ),
        ("abc\n", {"starts": ("",)}, {}, "the beginning '' of --starts has no char token; choose"),
        (
            "abc\n",
            {"starts": ("a\nb",)},
            {},
            r"the beginning 'a\nb' of --starts needs '\n', which no line can hold; choose another",
        ),
        (
            "ab1\n",
            {"starts": ("a1",), "only": ("lower",)},
            {},
            "the beginning 'a1' of --starts needs '1', which --only lower excludes; choose another",
        ),
        (
            "abc\n",
            {"starts": ("abc",), "line_length": 2},
            {},
            "the beginning 'abc' of --starts has 3 tokens, more than the 2 of --line-length; ch",
        ),
        ("abc\n", {"lines": 2}, {"stop": "a"}, "--stop would end the text before it has its lines"),
        (
            "ab1\n",
            {"only": ("lower", "space")},
            {"stop": "1"},
            "with --only lower,space the token of --stop is never written; leave out one of them",
        ),
        (
            "abc\n",
            {"lines": 3, "rhymes": SOUNDS},
            {},
            "the even lines rhyme, and there are fewer th",
        ),
        (
            "abc\n",
            {"lines": 6, "rhymes": SOUNDS},
            {},
            "no 3 tokens of the vocabulary rhyme (the table has at most 2 of one sound); give",
        ),
        (
            "12\n",
            {"lines": 4, "rhymes": SOUNDS},
            {},
            "no 2 tokens of the vocabulary rhyme (the tab",
        ),
        (
            "abc\n",
            {"line_length": 1, "starts": ("a", "a", "a", "c"), "rhymes": SOUNDS},
            {},
            "no 2 tokens of the vocabulary rhyme with the beginnings that fill their lines",
        ),
        (
            "abc\n",
            {"line_length": 1, "starts": ("a", "b", "a", "b"), "rhymes": SOUNDS},
            {},
            "two rhyming lines would end in the same token; change --starts",
        ),
    ],
)
def test_what_a_vocabulary_cannot_write(
    text: str, options: dict[str, Any], decoding: dict[str, Any], said: str
) -> None:
    written: list[str] = []
    for beam in (None, 2):
        config = DecodingConfig(**decoding, beam=beam)
        with pytest.raises(DecodingError) as caught:
            generate(run_of(text), "a", config, form=Form(**options), write=written.append)
        assert str(caught.value).startswith(said)
        assert "\n" not in str(caught.value)
    assert written == []


def test_given_tokens_have_no_form() -> None:
    run = run_of("a b c", "given")
    with pytest.raises(DecodingError, match="a form is for text, and this model was trained on gi"):
        generate(run, "a", form=Form(only=("letters",)))


def test_the_beginnings_are_read_as_the_text_was() -> None:
    run = run_of("abc\n", lower=True)
    assert generate(run, "A\n", form=Form(starts=("AB", "C"), line_length=2)).text[2:6] == "ab\nc"


def test_a_form_says_what_differs_from_the_free_one() -> None:
    form = Form(lines=4, starts=("a",), rhymes={"a": "x"})
    assert repr(form) == "Form(lines=4, starts=('a',), rhymes={'a': 'x'})"
    assert not Form().changed()
    assert not Form(only=("han",)).has_lines


def test_the_length_of_lines_counts_words_with_the_tokenizer_of_words() -> None:
    run = run_of("the cat , saw \n", "word")
    text = generate(run, "cat", form=Form(lines=3, line_length=2, starts=("the cat",)))
    assert text.tokens[:4] == ["\n", "the", "cat", "\n"]
    assert [len(line.split()) for line in text.text.replace(",", " ,").splitlines()] == [1, 2, 2, 2]
