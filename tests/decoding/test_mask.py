"""A text in a form: it keeps the form whatever the model is, and says what the form cost."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnn_magics.decoding.decode import is_compiled
from rnn_magics.decoding.decoders import DECODERS, DecodingConfig
from rnn_magics.decoding.form import CHARACTER_CLASSES, Form
from rnn_magics.decoding.generate import Generation, generate, generate_many
from rnn_magics.decoding.mask import masked
from rnn_magics.decoding.prefix import read_prefix, read_tokens
from rnn_magics.errors import DecodingError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.results import PARTS
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab, VocabConfig

# Letters of three scripts, digits, marks, spaces, and characters that begin a line unasked.
CHARACTERS = "aAbBzé春夏秋冬19 ,.\t\r\u2028\x0b"
WORDS = ["春", "sun", "Moon", "12", "夜", ",", "light", "night", "bright", "."]
INSIDE = {"char": [c for c in CHARACTERS if c not in "\r\u2028\x0b"], "word": WORDS}
DECODED: list[dict[str, Any]] = [
    {},
    {"temperature": 0.0},
    {"temperature": 3.0},
    {"greedy": True},
    {"top_k": 1},
    {"top_k": 3, "top_p": 0.3},
    {"top_p": 0.01},
    {"no_unk": True},
    {"beam": 1},
    {"beam": 3},
]


def run_of(vocab: Vocab, seed: int, scale: float, cell: str = "gru") -> Any:
    """Return a model of random weights."""
    config = ModelConfig(cell=cell, num_hiddens=4)
    model = RNNModel(config, len(vocab), torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale).clamp_(-1e30, 1e30)
    return SimpleNamespace(model=model, vocab=vocab)


@st.composite
def fitting(draw: st.DrawFn) -> tuple[str, Form, int, list[str]]:
    """Draw a form, by way of a text that has it: a tokenizer, the form, its tokens, the vocabulary.

    So a form that is drawn can be kept; to refuse it is wrong.
    """
    token = draw(st.sampled_from(["char", "word"]))
    pool = draw(st.lists(st.sampled_from(INSIDE[token]), min_size=2, max_size=9, unique=True))
    num = draw(st.integers(1, 6))
    length = draw(st.none() | st.integers(1, 5))
    sizes = [length or draw(st.integers(1, 5)) for _ in range(num)]
    lines = [draw(st.lists(st.sampled_from(pool), min_size=n, max_size=n)) for n in sizes]
    rhymes = None
    if num > 3 and len(pool) >= num // 2 and draw(st.booleans()):
        ends = draw(st.permutations(pool))
        for line, end in zip(lines[1::2], ends, strict=False):
            line[-1] = end
        rhymes = dict.fromkeys(ends[: num // 2], "one") | dict.fromkeys(ends[num // 2 :], "two")
    glue = "" if token == "char" else " "
    # The whole beginning of a line may be asked for, or less of it.
    starts = [
        glue.join(line[: draw(st.integers(1, len(line)))])
        for line in lines[: draw(st.integers(0, num))]
    ]
    only = ()
    if draw(st.booleans()):
        used = "".join(map("".join, lines))
        only = tuple(n for n, has in CHARACTER_CLASSES.items() if any(map(has, used)))
    says_lines = draw(st.booleans()) or not (length or len(starts) == num)
    says_lines = says_lines or (len(starts) not in (0, num))
    form = Form(
        lines=num if says_lines else None,
        line_length=length,
        starts=tuple(starts),
        only=only,
        rhymes=rhymes,
    )
    least = sum(len(line) + 1 for line in lines)
    others = draw(st.lists(st.sampled_from([*WORDS, *CHARACTERS]), max_size=6))
    known = ["\n", *pool, *others]
    return token, form, least, known


def check(text: Generation, form: Form, token: str, num: int | None) -> None:
    """Check a text against its form, without what decoding knows of it."""
    written, of_lines = text.text[len(text.prefix) :], text.tokens
    if not text.prefix.endswith("\n"):
        assert written.startswith("\n")
        written, of_lines = written[1:], of_lines[1:]
    assert written.endswith("\n")
    rows = written[:-1].split("\n")
    assert len(rows) == len(written.splitlines())  # no other character begins a line
    assert UNK not in of_lines
    assert num is None or len(rows) == num
    inside: list[list[Any]] = [[]]
    for each in of_lines:
        inside.append([]) if each == "\n" else inside[-1].append(each)
    assert inside.pop() == []
    assert all(inside)  # no line is empty
    assert len(inside) == len(rows)
    if form.line_length:
        assert {len(line) for line in inside} == {form.line_length}
    for line, start in zip(inside, form.starts, strict=False):
        asked = list(start) if token == "char" else start.split()
        assert line[: len(asked)] == asked
    if form.only:
        has = [CHARACTER_CLASSES[name] for name in form.only]
        assert all(any(h(c) for h in has) for line in inside for each in line for c in each)
    if form.rhymes:
        ends = [line[-1] for line in inside[1::2]]
        assert len({form.rhymes[end] for end in ends}) == 1
        assert len(set(ends)) == len(ends)


@settings(max_examples=150)
@given(
    fitting(),
    st.sampled_from(DECODED),
    st.integers(0, 99),
    st.sampled_from([1.0, 30.0, 1e20, 1e38]),
    st.sampled_from(["rnn", "gru", "lstm", "mingru", "minlstm"]),
    st.sampled_from(["\n", "a", "a\n"]),
    st.integers(0, 7),
)
def test_every_text_keeps_its_form(
    drawn: tuple[str, Form, int, list[str]],
    decoded: dict[str, Any],
    seed: int,
    scale: float,
    cell: str,
    prefix: str,
    more: int,
) -> None:
    # The states of the input-gated cells have no bound, so their logits are not finite then.
    assume(scale <= 30 or not cell.startswith("min"))
    token, form, least, known = drawn
    vocab = Vocab(known, VocabConfig(token=token))
    run = run_of(vocab, seed, scale, cell)
    begun = not prefix.endswith("\n")
    # A beginning that does not rhyme is followed by a token that does, so the least may be more.
    rhyming = len(form.starts) if form.rhymes and not form.line_length else 0
    length = least + begun + rhyming + more
    config = DecodingConfig(length=length, seed=seed, **decoded)
    num = form.lines or len(form.starts) or None
    texts = [generate(run, prefix, config, form=form)]
    if not config.beam:
        texts = generate_many(run, prefix, config, num=3, form=form)
    for text in texts:
        check(text, form, token, num)
        assert len(text.tokens) <= length
        assert text.form_nats >= 0


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(CHARACTER_CLASSES)),
    st.sampled_from(DECODED),
    st.integers(0, 99),
    st.sampled_from([1.0, 1e38]),
)
def test_only_characters_of_a_class_are_written(
    name: str, decoded: dict[str, Any], seed: int, scale: float
) -> None:
    vocab = Vocab([*CHARACTERS, "\n"])
    config = DecodingConfig(length=12, **decoded)
    text = generate(run_of(vocab, seed, scale), "a", config, form=Form(only=(name,)))
    assert len(text.tokens) == 12
    assert all(map(CHARACTER_CLASSES[name], text.tokens))


def test_the_cost_is_what_the_model_puts_on_the_tokens_that_are_excluded() -> None:
    vocab = Vocab("abc12\n")
    run = run_of(vocab, 1, 3.0)
    text = generate(run, "a", DecodingConfig(length=20), form=Form(only=("digits",)))
    read = read_prefix(run, "a")
    after, _ = read_tokens(run.model, torch.tensor([vocab[text.tokens]]), read.state)
    probs = torch.cat((read.logits, after[0, :-1])).double().softmax(dim=-1)  # (20, 7)
    kept = probs[:, vocab[["1", "2"]]].sum(dim=-1)
    assert text.form_nats == pytest.approx(-kept.log().sum().item(), rel=1e-6)
    assert text.form_nats > 0
    log_probs = probs.log().gather(-1, torch.tensor(vocab[text.tokens])[:, None])[:, 0]
    assert text.log_probs == pytest.approx(log_probs.tolist(), rel=1e-5)  # those of the model


@pytest.mark.parametrize("beam", [None, 2])
def test_a_text_that_the_form_says_whole_costs_all_of_its_probability(beam: int | None) -> None:
    vocab = Vocab("abc\n")
    config = DecodingConfig(beam=beam)
    form = Form(line_length=2, starts=("ab", "ca"))
    text = generate(run_of(vocab, 2, 3.0), "b", config, form=form)
    assert text.text == "b\nab\nca\n"
    assert text.form_nats == pytest.approx(-sum(text.log_probs), rel=1e-6)
    assert f"the form cost {text.form_nats:.1f} nats" in repr(text)


def test_top_k_takes_from_what_is_allowed() -> None:
    vocab = Vocab("abc12\n")
    run = run_of(vocab, 1, 3.0)
    with torch.no_grad():
        run.model.output.bias[vocab["a"]] += 50  # the only token that top-k 1 would leave
        run.model.output.bias[vocab["2"]] += 10
    form = Form(only=("digits",))
    assert generate(run, "a", DecodingConfig(top_k=1, length=5), form=form).tokens == ["2"] * 5
    assert generate(run, "a", DecodingConfig(top_p=0.1, length=5), form=form).tokens == ["2"] * 5


def test_a_form_takes_the_plain_path_and_no_form_the_compiled_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vocab = Vocab("abc\n")
    run = run_of(vocab, 1, 3.0)
    assert is_compiled(run.model, DecodingConfig())
    free = generate(run, "a", DecodingConfig(length=9, no_unk=True))
    every = Form(only=tuple(CHARACTER_CLASSES))
    formed = generate(run, "a", DecodingConfig(length=9), form=every)
    assert formed.tokens == free.tokens  # the same draws
    monkeypatch.setattr("rnn_magics.decoding.compiled.Writer", None)
    generate(run, "a", DecodingConfig(length=9), form=every)


def test_a_text_can_be_written_again_alone_and_as_it_grows() -> None:
    run = run_of(Vocab("abcde\n"), 5, 2.0)
    form = Form(lines=3, starts=("b",))
    pieces: list[str] = []
    texts = generate_many(
        run, "a", DecodingConfig(length=40), num=4, form=form, write=pieces.append
    )
    assert "".join(pieces) == texts[0].text
    for text in texts:
        assert generate(run, "a", text.config, form=text.form).text == text.text


def test_a_decoder_that_takes_what_it_was_not_offered_is_told() -> None:
    DECODERS["last"] = lambda logits, _config, _u: torch.full((len(logits),), logits.shape[-1] - 1)
    run = run_of(Vocab("12a\n"), 1, 1.0)
    with pytest.raises(DecodingError, match="a token whose logit is -inf, which the form excludes"):
        generate(run, "a", DecodingConfig(decoder="last"), form=Form(only=("digits",)))


def test_an_empty_form_is_none() -> None:
    run = run_of(Vocab("12a\n"), 1, 1.0)
    text = generate(run, "a", DecodingConfig(length=5), form=Form())
    assert text == generate(run, "a", DecodingConfig(length=5))
    assert math.isclose(text.form_nats, 0)
    assert "form" not in repr(text)


@pytest.mark.parametrize("decoder", ["draw", "greedy"])
def test_a_token_that_is_allowed_comes_before_one_that_is_not_even_at_probability_zero(
    decoder: str,
) -> None:
    masks = torch.tensor([[False, True, False]])
    left = masked(torch.tensor([[0.0, -math.inf, 3e38]]), masks)
    for u in (0.0, 0.5, 1 - 2**-53):
        chosen = DECODERS[decoder](left, DecodingConfig(), torch.tensor([u], dtype=torch.float64))
        assert chosen.tolist() == [1]


PIECES = Vocab.from_corpus(
    Corpus.from_text("The end \u4f60\u597d, they think.\r\n" * 30, CorpusConfig(valid=0)),
    VocabConfig(token="bpe", max_size=290),
)
BYTES = Vocab("ab", VocabConfig(token="byte"))


@pytest.mark.parametrize("vocab", [PIECES, BYTES], ids=["bpe", "byte"])
@pytest.mark.parametrize("seed", range(3))
def test_no_part_of_a_character_is_written_in_a_form(vocab: Vocab, seed: int) -> None:
    run = run_of(vocab, seed, 1.0)
    free = generate(run, "The", DecodingConfig(length=60, seed=seed))
    assert any(PARTS.search(str(token)) for token in free.tokens)  # a model that knows nothing
    form = Form(lines=3)
    text = generate(run, "The", DecodingConfig(length=60, seed=seed), form=form)
    assert not any(PARTS.search(str(token)) for token in text.tokens)
    lines = text.text.splitlines()
    assert text.text.count("\n") == 4  # the line of the prefix ends first
    assert all(lines[1:])
    assert text.form_nats > 0


def test_lines_of_pieces_begin_as_they_must_and_have_only_letters() -> None:
    form = Form(starts=("The", "th"), only=("letters", "space"))
    text = generate(run_of(PIECES, 0, 1.0), "end", DecodingConfig(length=40), form=form)
    first, second = text.text.splitlines()[1:]
    assert first.startswith("The")
    assert second.startswith("th")
    assert all(each.isalpha() or each.isspace() for each in first + second)
    assert max(map(len, map(str, text.tokens))) > 1  # pieces of several characters


def test_a_line_of_bytes_has_as_many_characters() -> None:
    form = Form(lines=2, line_length=7)
    text = generate(run_of(BYTES, 0, 1.0), "a", DecodingConfig(length=40), form=form)
    assert [len(line) for line in text.text.split("\n")[1:3]] == [7, 7]


@pytest.mark.parametrize(
    ("vocab", "form", "why"),
    [
        (PIECES, Form(lines=2, line_length=5), "--line-length counts tokens, and those of bpe are"),
        (BYTES, Form(starts=("\u6625",)), "needs '.xe6', '.x98', '.xa5', which no line can hold"),
        (BYTES, Form(only=("han",)), "no token of han alone"),
    ],
)
def test_a_form_that_these_tokens_cannot_keep_is_refused(
    vocab: Vocab, form: Form, why: str
) -> None:
    with pytest.raises(DecodingError, match=why):
        generate(run_of(vocab, 0, 1.0), "a", DecodingConfig(length=40), form=form)
