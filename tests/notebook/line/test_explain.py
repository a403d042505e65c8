"""--explain: the library calls that it prints do what the magics do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics import Corpus, ModelConfig, Score, TrainConfig, Vocab, train
from rnn_magics.batching import Batches
from rnn_magics.notebook.line.call import Call, result_of

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

# A body that would not survive being pasted into quotes, formatted, expanded or unescaped.
AWKWARD_BODY = """\
{vocab} {1+1} {{ $vocab ${x} %vocab !ls ?
'one' "two" '''three''' \"\"\"four\"\"\" f"{x}" \\n \\ \\\\ \\u0041
\ttab, trailing blank \r
<b>&amp;</b> \N{RIGHT-TO-LEFT OVERRIDE}é 語 \x1b[31m# %%corpus
the time traveller, for so it will be convenient to speak of him, said: "don't {panic}"
"""
SERIES = [place % 5 for place in range(120)]
LINES = ["the time traveller\n", "for so it will be", "convenient {to} speak of him 'now'"] * 4
SAMPLE = "%sample --batch-size 2 --num-steps 4"
TRAIN = "%train_rnn --num-hiddens 8 --epochs 1"
GENERATE = '%generate "the " --length 8'

PIPELINES = {
    "a cell with awkward text": [
        f"%%corpus awkward 'name' --valid 0.3\n{AWKWARD_BODY}",
        "%vocab",
        SAMPLE,
        TRAIN,
        GENERATE,
    ],
    "cleaned words": [
        f'%%corpus --name "it\'s {{x}}" --letters-only --lower\n{AWKWARD_BODY}',
        "%vocab --token word --min-freq 1 --max-size 30 --reserved '<bos>,<eos>'",
        "%sample random --batch-size 2 --num-steps 3",
        f"{TRAIN} --cell lstm --num-layers 2 --dropout 0.2 --seed 3",
        '%generate "the time" --length 8 --temperature 1.5 --seed 4 --stop it',
    ],
    "a list of lines": [
        "%corpus --data lines --valid 0.2",
        "%vocab --min-freq 3",
        SAMPLE,
        f"{TRAIN} --cell rnn --scratch --optimizer sgd --lr 0.1 --clip none --name plain",
        '%generate "the {time}" --length 8 --greedy',
    ],
    "tokens": [
        "%corpus --data series --valid 0.2",
        "%vocab",
        SAMPLE,
        f"{TRAIN} --embedding-size 8 --tie --schedule linear --warmup 0.2 --max-tokens 30",
        '%generate "0 1 2" --length 8 --beam 3',
    ],
    "words that are tokens": [
        "%corpus --data lines --as-tokens --max-tokens 11",
        "%vocab --token given",
        "%sample --batch-size 1 --num-steps 2",
        TRAIN,
        "%generate x --length 3 --top-k 2",
    ],
    "a file, a recipe": [
        "%corpus $path --encoding latin-1 --d2l",
        "%vocab --token char",
        SAMPLE,
        "%train_rnn --recipe d2l-deep-lstm --num-hiddens 8 --epochs 2",
        f"{GENERATE} --top-p 0.9",
    ],
    "the built-in text": [
        "%corpus --max-tokens 300 --valid 0",
        "%vocab",
        SAMPLE,
        f"{TRAIN} --weight-decay 0.1 --device cpu",
        f"{GENERATE} --decoder greedy",
    ],
    "scored": ["%corpus --data lines", "%vocab", SAMPLE, TRAIN, "%generate --score 'the {x}'"],
    "several texts": [
        "%corpus --data lines",
        "%vocab",
        SAMPLE,
        TRAIN,
        f"{GENERATE} --num 3 --seed 2",
    ],
}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "a 'quoted' {name}.txt"
    path.write_bytes("the time traveller é for so it will be convenient\n".encode("latin-1") * 4)
    return {"series": SERIES, "lines": LINES, "path": str(path)}


def explained(cell: str) -> str:
    first, newline, body = cell.partition("\n")
    return f"{first} --explain{newline}{body}"


def made_name(cell: str) -> str:
    """Return the variable to which the explained source of a %generate assigns."""
    if "--score" in cell:
        return "score"
    return "texts" if "--num" in cell else "text"


def results(made: Any) -> list[Any]:
    """Return what can be compared of a score, a text or several."""
    if isinstance(made, Score):
        return [made.tokens, made.surprise[1:], made.unknown]  # the first is nan
    return list(made) if isinstance(made, list) else [made]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_printed_calls_give_what_the_magics_give(
    notebook: Notebook, variables: dict[str, Any], name: str
) -> None:
    notebook.run("%config RNNMagics.figures = False")
    notebook.variables.update(variables)
    source = ""
    for cell in PIPELINES[name]:
        with notebook.unchanged():
            source += notebook.printed(explained(cell))
        made = notebook.run(cell)
    session = notebook.session
    (run,) = session.runs.values()
    plain: dict[str, Any] = dict(variables)
    exec(source, plain)
    assert session.corpus == plain["corpus"]
    assert session.vocab == plain["vocab"]
    assert repr(session.batches) == repr(plain["batches"])
    assert run.name == plain["run"].name
    assert run.config == plain["run"].config
    assert run.history.train_perplexity == plain["run"].history.train_perplexity
    assert run.history.valid_perplexity == plain["run"].history.valid_perplexity
    assert results(made) == results(plain[made_name(cell)])


def test_explaining_a_background_run_starts_none(prepared: Notebook) -> None:
    with prepared.unchanged():
        assert "run = train(batches" in prepared.printed(f"{TRAIN} --background --explain")


def test_rnn_has_no_library_call(trained: Notebook) -> None:
    with trained.unchanged():
        assert trained.printed("%rnn --reset --explain").startswith("# ")


def test_explaining_checks_the_line_all_the_same(prepared: Notebook) -> None:
    assert prepared.refused("%train_rnn --clip -1 --explain").startswith("--clip must be above 0")


def test_what_is_said_by_default_is_left_out(batches: Batches) -> None:
    call = Call.of("run", train, batches, ModelConfig(), TrainConfig(), name="")
    assert call.source() == "from rnn_magics import train\n\nrun = train(batches)\n"


def test_what_comes_after_a_gap_is_named(batches: Batches) -> None:
    call = Call.of("run", train, batches, ModelConfig(), TrainConfig(epochs=1))
    assert call.source().endswith("run = train(batches, config=TrainConfig(epochs=1))\n")


def test_the_call_is_made_as_it_is_written() -> None:
    call = Call.of("corpus", Corpus.from_text, "{a}'\n", name='b"')
    plain: dict[str, Any] = {}
    exec(call.source(), plain)
    assert plain["corpus"] == call() == Corpus('b"', "{a}'\n", "text")


def test_a_call_takes_the_result_of_another() -> None:
    read = Call.of("corpus", Corpus.from_text, "the time traveller")
    counted = Call.of("vocab", Vocab.from_corpus, result_of(read))
    assert counted() == Vocab.from_corpus(Corpus.from_text("the time traveller"))
    plain: dict[str, Any] = {}
    exec(read.source() + counted.source(), plain)
    assert plain["vocab"] == counted.value
