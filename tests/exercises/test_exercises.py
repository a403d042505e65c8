"""Every exercise: a right answer, three typical wrong ones, and what is no answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from rnn_magics import (
    CELLS,
    EXERCISES,
    BatchConfig,
    Cell,
    Choice,
    Corpus,
    Made,
    ModelConfig,
    Number,
    RNNModel,
    TrainConfig,
    Vocab,
    check_exercise,
    make_batches,
    read_series,
    solution_of,
    task_corpus,
    train,
)
from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.attempts import TRIES
from rnn_magics.exercises.lessons import gates, inside, minibatches, rnn, sequences, texts
from rnn_magics.exercises.work import Work
from rnn_magics.inspection import inspect_hidden
from rnn_magics.text.corpus import CorpusConfig
from rnn_magics.text.series.levels import LevelsConfig
from rnn_magics.text.tasks.stream import TaskConfig

QUOTED = ('she said "all of it is so" and he saw The Red door "of it all" then ' * 9).strip()


@pytest.fixture(scope="module")
def works() -> dict[str, Work]:
    """The work of several learners, each trained for a moment."""
    text = Corpus.from_text(QUOTED, CorpusConfig(valid=0.2), name="quoted")
    batches = make_batches(text, Vocab.from_corpus(text), BatchConfig(batch_size=2, num_steps=8))

    def run(cell: str, layers: int, **more: Any) -> Any:
        config = TrainConfig(**{"epochs": 1, "threads": 1, **more})
        return train(batches, ModelConfig(cell, 6, num_layers=layers), config, name=cell)

    wave = [math.sin(t / 8) + 0.1 * math.cos(3.7 * t) for t in range(900)]
    copy = task_corpus("copy", TaskConfig(length=4, delay=2, examples=40))
    made = {
        "text": Work(text, batches, run("rnn", 1)),
        "deep": Work(text, batches, run("lstm", 2)),
        "series": Work(read_series(wave, LevelsConfig(levels=7), CorpusConfig(valid=0.3))),
        "copy": Work(copy),
    }
    lines = Corpus.from_text("Go\nAt\nTo\nEat\n" * 30, CorpusConfig(valid=0.2), name="lines")
    batches = make_batches(lines, Vocab.from_corpus(lines), BatchConfig(batch_size=2, num_steps=8))
    made["lines"] = Work(lines, batches, run("gru", 1))
    batches = made["text"].need_batches()
    made["learnt"] = Work(run=run("rnn", 1, epochs=30, lr=0.05, clip=None))
    return made


class TwoStates(Cell):
    num_gates, num_states = 2, 2

    def forward(self, x: Any, state: Any) -> Any:
        hidden, memory = state
        gate, new = x.chunk(2, dim=-1)
        memory = torch.sigmoid(gate) * memory + new
        return torch.tanh(memory) + 0 * hidden, memory

    def gates(self, x: Any, state: Any) -> Any:
        del state
        return {"gate": torch.sigmoid(x.chunk(2, dim=-1)[0])}


class Twice(TwoStates):
    def forward(self, x: Any, state: Any) -> Any:
        return (super().forward(x, state)[0],) * 2

    def gates(self, x: Any, state: Any) -> Any:
        del state
        return {"gate": x}


class One(TwoStates):
    def forward(self, x: Any, state: Any) -> Any:
        return super().forward(x, state)[0]

    def gates(self, x: Any, state: Any) -> Any:
        del x, state
        return {"gate": 0.5}


class Broken(TwoStates):
    def forward(self, x: Any, state: Any) -> Any:
        raise KeyError(state, x)


Wrong = Callable[[dict[str, Work]], Any]
# Answers that are objects: the work, a right one, and wrong ones with words of their hints.
OBJECTS: dict[str, tuple[str, Wrong, list[tuple[Wrong, str]]]] = {
    "06.1": (
        "text",
        lambda works: works["learnt"].run,
        [
            (lambda _: 1, "no run"),
            (lambda works: works["text"].run, "was clipped"),
            (lambda works: works["deep"].run, "was clipped"),
        ],
    ),
    "08.3": (
        "text",
        lambda _: TwoStates,
        [
            (lambda _: CELLS["gru"], "num_states = 2"),
            (lambda _: Twice, "are the same"),
            (lambda _: One, "a tuple of two tensors"),
            (lambda _: TwoStates(3, 4), "without brackets"),
        ],
    ),
    "10.3": (
        "text",
        lambda _: lambda tokens: [float(token == ",") for token in tokens],
        [
            (lambda _: [1.0, 2.0], "no function"),
            (lambda _: lambda tokens: [1.0, 2.0] * len(tokens), "one number for each token"),
            (lambda _: lambda tokens: [1.0] * len(tokens), "the same number everywhere"),
            (lambda _: lambda tokens: [math.nan] * len(tokens), "must be finite"),
        ],
    ),
    "09.4": (
        "text",
        lambda _: TwoStates,
        [
            (lambda _: CELLS["rnn"], "names no gate yet"),
            (lambda _: Twice, "between 0 and 1"),
            (lambda _: One, "must be a tensor"),
        ],
    ),
}
NEEDS = {"03.1": "series", "03.6": "copy", "07.1": "copy", "07.4": "deep", "07.6": "lines"}


def work_of(number: str, works: dict[str, Work]) -> Work:
    return works[NEEDS.get(number, "text")]


def given(work: Work) -> dict[str, Any]:
    return {"corpus": work.corpus, "batches": work.batches, "run": work.run}


def test_there_are_as_many_as_the_lessons_ask() -> None:
    assert len(EXERCISES) == 40
    assert list(EXERCISES) == sorted(EXERCISES)


NUMBERS = [n for n, each in EXERCISES.items() if isinstance(each.kind, Number)]
CHOICES = [n for n, each in EXERCISES.items() if isinstance(each.kind, Choice)]


def test_every_exercise_is_of_one_kind() -> None:
    assert sorted([*NUMBERS, *CHOICES, *OBJECTS, "09.2"]) == list(EXERCISES)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_right_and_three_others_get_hints_of_their_own(
    number: str, works: dict[str, Work]
) -> None:
    work, kind = work_of(number, works), EXERCISES[number].kind
    assert isinstance(kind, Number)
    right = kind.value(work)
    assert check_exercise(number, right, **given(work))
    assert check_exercise(number, str(right), **given(work))
    wrong = [mistake.value(work) for mistake in kind.mistakes]
    assert len(wrong) == 3
    said = [check_exercise(number, each, **given(work)).said for each in wrong]
    for each, mistake, words in zip(wrong, kind.mistakes, said, strict=True):
        if abs(each - right) > 0.01 * abs(right):  # of a text so small, two may agree
            assert words.startswith("Not yet. ")
            assert mistake.hint in words or any(m.hint in words for m in kind.mistakes)
    too_large = check_exercise(number, 1e9, **given(work))
    assert too_large.said == "Not yet. 1000000000.0 is too large"
    assert "too small" in check_exercise(number, -1e9, **given(work)).said


@pytest.mark.parametrize("number", CHOICES)
def test_a_word_is_right_and_each_other_gets_its_hint(number: str, works: dict[str, Work]) -> None:
    work, kind = work_of(number, works), EXERCISES[number].kind
    assert isinstance(kind, Choice)
    right = kind.value(work)
    assert check_exercise(number, right.upper(), **given(work))
    for word in set(kind.hints) - {right}:
        verdict = check_exercise(number, word, **given(work))
        assert not verdict
        assert verdict.said == f"Not yet. {kind.hints[word]}"
        assert kind.hints[word]
    with pytest.raises(ExerciseError, match="one of"):
        check_exercise(number, "neither", **given(work))


@pytest.mark.parametrize("number", OBJECTS)
def test_an_object_is_right_and_others_get_hints(number: str, works: dict[str, Work]) -> None:
    name, right, wrong = OBJECTS[number]
    work = works[name]
    assert isinstance(EXERCISES[number].kind, Made)
    assert check_exercise(number, right(works), **given(work)).said == "Right."
    assert len(wrong) >= 3
    for make, words in wrong:
        verdict = check_exercise(number, make(works), **given(work))
        assert not verdict
        assert words in verdict.said


def test_a_unit_that_is_high_inside_of_quotes(works: dict[str, Work]) -> None:
    work = works["text"]
    order = inside.differences(work).argsort()
    assert check_exercise("09.2", str(order[-1]), **given(work))
    assert check_exercise("09.2", int(order[-3]), **given(work))
    assert "low inside quotes" in check_exercise("09.2", int(order[0]), **given(work)).said
    with pytest.raises(ExerciseError, match="a unit, 0 to 5"):
        check_exercise("09.2", 6, **given(work))
    plain = Corpus.from_text("no marks at all " * 9)
    with pytest.raises(ExerciseError, match="too few quotation marks"):
        check_exercise("09.2", 1, corpus=plain, run=work.run)


@pytest.mark.parametrize("number", EXERCISES)
def test_a_solution_is_shown_whole(number: str, works: dict[str, Work]) -> None:
    said = solution_of(number, **given(work_of(number, works)))
    assert said
    assert "{" not in said.replace('{"forget": forget}', "").replace("h_{t-1}", "")


def test_the_answers_are_those_of_the_work(works: dict[str, Work]) -> None:
    copy, text = works["copy"], works["text"]
    assert sequences.copy_distance(copy) == max(copy.need_task("copy").distances)
    words = QUOTED[: math.ceil(len(QUOTED) * 0.8)].split()
    assert texts._types(text) == pytest.approx(len(set(words)), abs=12)  # marks are tokens, too
    assert texts._types(text) - texts._lower_types(text) == 0
    assert rnn.BITS.kind.right(text) == f"{math.log2(text.run.valid_perplexity):.3f}"  # type: ignore[union-attr]
    plans = [left for _, left in minibatches._left_over(text)]
    drawn = {text.batches.plan(torch.Generator().manual_seed(s)).left_over for s in range(40)}  # type: ignore[union-attr]
    assert drawn == set(plans)


def test_the_kept_words_are_enough_and_one_fewer_is_not() -> None:
    corpus = Corpus.from_text("a a a a a b b b c c d e f " * 30, CorpusConfig(valid=0))
    size = texts._size(Work(corpus), 0.1)
    words = corpus.tokens("word")

    def unknown(max_size: int) -> float:
        from rnn_magics import VocabConfig

        vocab = Vocab(words, VocabConfig("word", max_size=max_size))
        return sum(vocab[word] == 0 for word in words) / len(words)

    assert unknown(size) < 0.1 <= unknown(size - 1)


@pytest.mark.parametrize("answer", ["two", "nan", "inf", "", True, None, [2], object(), "２x"])
def test_what_is_no_number_is_no_answer(answer: Any) -> None:
    with pytest.raises(ExerciseError, match="the answer is a number, not "):
        check_exercise("06.2", answer)


def test_a_number_may_be_of_any_kind(works: dict[str, Work]) -> None:
    assert check_exercise("06.2", torch.tensor(0.25))
    assert check_exercise("06.2", torch.tensor([0.25]).numpy()[0])
    with pytest.raises(ExerciseError, match="no number"):
        check_exercise("06.2", torch.ones(2))
    del works


def test_code_of_an_answer_that_fails_is_one_line() -> None:
    with pytest.raises(ExerciseError, match="'Broken' cannot take a step \\(KeyError"):
        check_exercise("08.3", Broken)


@pytest.mark.parametrize(
    ("number", "typed"),
    [
        ("03.1", "%corpus --data x --levels 20"),
        ("03.6", "%corpus task:copy"),
        ("04.1", "%corpus"),
        ("05.1", "%sample seq"),
        ("06.3", "%train_rnn"),
        ("07.1", "%corpus task:copy"),
        ("07.3", "%train_rnn"),
        ("12.1", "%sample seq"),
        ("12.2", "%train_rnn"),
    ],
)
def test_work_that_is_missing_is_named_with_what_to_type(number: str, typed: str) -> None:
    corpus = None if number == "04.1" else Corpus.from_text(QUOTED)
    with pytest.raises(ExerciseError) as refused:
        check_exercise(number, "1", corpus=corpus)
    assert typed in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_series_of_which_nothing_is_held_out_has_no_errors() -> None:
    series = read_series([float(t % 7) for t in range(99)], LevelsConfig(levels=7))
    with pytest.raises(ExerciseError, match=r"--valid 0\.1"):
        check_exercise("03.1", "4", corpus=series)


@pytest.mark.parametrize(
    "more", [{}, {"embedding_size": 5}, {"tie": True}, {"num_layers": 2, "bidirectional": True}]
)
def test_weights_are_counted_without_the_model(
    more: dict[str, Any], works: dict[str, Work]
) -> None:
    batches = works["text"].need_batches()
    model = ModelConfig("gru", 6, **more)
    work = Work(run=train(batches, model, TrainConfig(epochs=1, threads=1)))

    def counted(cell: str, num_hiddens: int) -> int:
        size = None if model.tie else model.embedding_size
        config = replace(model, cell=cell, num_hiddens=num_hiddens, embedding_size=size)
        return RNNModel(config, len(batches.vocab)).num_parameters  # type: ignore[arg-type]

    assert gates.weights(work, "lstm", 31) == counted("lstm", 31)
    size = gates.same_size(work)
    assert counted("rnn", size - 1) < counted("lstm", 6) <= counted("rnn", size)


def test_the_faster_layer_is_measured(works: dict[str, Work]) -> None:
    work = works["deep"]
    run, text = work.need_run(), QUOTED[:1000]
    states = inspect_hidden(run, text).states
    first, second = gates.changes(work)
    assert first == pytest.approx(abs(states[0, 1:] - states[0, :-1]).mean())
    assert second == pytest.approx(abs(states[1, 1:] - states[1, :-1]).mean())
    with pytest.raises(ExerciseError, match="--num-layers 2"):
        check_exercise("07.4", "first", **given(works["text"]))


def test_the_dearest_letter_is_that_of_the_run(works: dict[str, Work]) -> None:
    run, bits = works["lines"].need_run(), gates.bits_after_a_break(works["lines"])
    assert run.vocab is not None
    with torch.no_grad():
        logits, _ = run.model(torch.tensor([[run.vocab["\n"]]]))
    chances = logits[0, 0].softmax(0)
    for letter, cost in bits.items():
        assert cost == pytest.approx(-math.log2(chances[run.vocab[letter.upper()]]), rel=1e-4)
    with pytest.raises(ExerciseError, match="the letters G, A, T and E"):
        check_exercise("07.6", "g", **given(works["text"]))


def test_a_probe_whose_function_fails_is_one_line() -> None:
    with pytest.raises(ExerciseError, match="cannot read the tokens of a text \\(ZeroDivision"):
        check_exercise("10.3", lambda _: 1 / 0)


def test_the_run_of_another_cell_is_refused(works: dict[str, Work]) -> None:
    with pytest.raises(ExerciseError, match="--cell rnn, not lstm"):
        check_exercise("06.4", 1, **given(works["deep"]))


def test_an_exercise_that_does_not_exist() -> None:
    with pytest.raises(ExerciseError, match=r"no exercise '06.22'; did you mean '06.2'\?"):
        check_exercise("06.22", 1)


def test_hints_come_one_after_the_other() -> None:
    first, second, third = (check_exercise("06.2", 4, tries=n).said for n in (1, 2, TRIES))
    assert first == "Not yet. Upside down: the norm must come down to the bound, not grow."
    assert second == f"{first} The factor is min(1, theta / norm)."
    assert third == f"{second} %exercise 06.2 --solution shows the answer."
