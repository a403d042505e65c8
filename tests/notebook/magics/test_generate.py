r"""``%generate``: its seed, its bounds, ``<unk>``, temperature 0 and line breaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.magics.generate import GenerateOptions
from tests.notebook.conftest import SAMPLE, TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

HOT = '%generate "the " --length 40 --temperature 2'


def shown(notebook: Notebook, line: str) -> str:
    return str(notebook.rich(notebook.run(line))["text/plain"])


def test_the_caption_names_the_seed(trained: Notebook) -> None:
    assert ", seed 0)" in shown(trained, HOT)
    assert ", seed 7)" in shown(trained, f"{HOT} --seed 7")
    assert "seed" not in shown(trained, '%generate "the " --greedy')
    assert re.findall(r"seed (\d+)", shown(trained, f"{HOT} --num 3 --seed 5")) == ["5", "6", "7"]


def test_a_random_seed_is_said_and_repeats_the_text(trained: Notebook) -> None:
    first, other = (trained.run(f"{HOT} --seed random") for _ in range(2))
    assert str(first) != str(other)
    (seed,) = re.findall(r", seed (\d+)\)", trained.rich(first)["text/plain"])
    assert str(trained.run(f"{HOT} --seed {seed}")) == str(first)
    assert re.search(r"seed=\d+", trained.printed(f"{HOT} --seed random --explain"))


@pytest.mark.parametrize("options", ["", "--top-k 3", "--top-p 0.5", "--greedy", "--stop e"])
def test_the_first_of_several_is_the_one_alone(trained: Notebook, options: str) -> None:
    line = f'%generate "the " --length 40 --seed 3 {options}'
    alone, several = trained.run(line), trained.run(f"{line} --num 4")
    assert str(several[0]) == str(alone)
    assert several[0].log_probs == alone.log_probs


def test_the_seed_and_its_word_are_completed_and_explained(trained: Notebook) -> None:
    assert "random" in trained.complete("%generate a --seed ")
    assert "--seed N|random" in MagicParser("generate", GenerateOptions).format_help()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--beam 100000", "--beam must be in [1, 1000], not 100000"),
        ("--num 100000", "--num must be in [1, 1000], not 100000"),
        ("--seed rnadom", "--seed must be a whole number or 'random', not 'rnadom'"),
        ("--length 1000000000000", "1,000,000,000,000 tokens are too many for one call, which"),
        ("--length 100000 --num 500", "500 x 100,000 tokens are too many for one call, which"),
        ("--temperature -1", "--temperature must be at least 0, not -1"),
        ("--beam 2 --temperature 0", "beam draws nothing, so temperature has no effect"),
        (r"--stop '\n'", r"--stop '\\n' is not a single char token of the vocabulary; --escapes"),
        (r"--stop '\q' --escapes", r"--stop has \q; --escapes reads \n, \t, \\ and \uXXXX"),
        (r"--stop '\ud83d' --escapes", r"--stop has \ud83d, which is half a character"),
    ],
)
def test_what_is_refused(trained: Notebook, options: str, said: str) -> None:
    assert trained.refused(f"%generate the {options}").startswith(said)
    if "--escapes" in options:
        typed = options.split("'")[1]
        said = said.replace("--stop", "prefix")
        assert trained.refused(f"%generate 'a{typed}' --escapes").startswith(said)


def test_temperature_zero_is_greedy(trained: Notebook) -> None:
    line = '%generate "the " --length 30'
    greedy = str(trained.run(f"{line} --greedy"))
    assert str(trained.run(f"{line} --temperature 0")) == greedy
    assert str(trained.run(f"{line} --temperature 0 --top-k 3 --seed 4")) == greedy
    assert str(trained.run(f"{line} --temperature 0 --greedy")) == greedy


@pytest.fixture
def lines(notebook: Notebook) -> Notebook:
    """A model of a text with line breaks."""
    notebook.variables["text"] = "one line\nanother\n" * 40
    for line in ("%corpus --data text", "%vocab", SAMPLE, TRAIN):
        notebook.run(line)
    return notebook


def test_a_line_break_can_be_typed(lines: Notebook) -> None:
    lines.variables["broken"] = "one\nline"
    line = r"%generate 'one\nline' --escapes --length 60 --temperature 3"
    assert lines.run(line).prefix == "one\nline"
    assert lines.run(line).unknown == ()
    assert str(lines.run(line)) == str(lines.run(line.replace(r"'one\nline' --escapes", "$broken")))
    stopped = lines.run(rf"{line} --stop '\n'")
    assert stopped.tokens.index("\n") == len(stopped.tokens) - 1
    assert stopped.config.stop == "\n"
    score = lines.run(r"%generate --score 'e\na' --escapes")
    assert score.tokens == ["e", "\n", "a"]


def test_without_it_the_caption_says_how(lines: Notebook) -> None:
    caption = r"read as <unk>: '\\'; --escapes reads \n as a line break"
    assert caption in shown(lines, r"%generate 'one\nline' --length 5")
    assert caption in shown(lines, r"%generate --score 'one\nline'")
    assert "--escapes" not in shown(lines, "%generate 'one~' --length 5")


def test_a_vocabulary_without_line_breaks_says_so(notebook: Notebook) -> None:
    notebook.variables["text"] = "abcdef" * 60
    for line in ("%corpus --data text", "%vocab", SAMPLE, TRAIN):
        notebook.run(line)
    said = (
        r"--stop '\n' is not a single char token of the vocabulary, whose text has no line breaks"
    )
    assert notebook.refused(r"%generate a --escapes --stop '\n'").startswith(said)


@pytest.fixture
def rare(notebook: Notebook) -> Notebook:
    """A model of words nearly all of which are unknown."""
    notebook.variables["text"] = " ".join(f"{'abcdefghij'[i % 10]}{i}" for i in range(400)) + " the"
    for line in ("%corpus --data text --valid 0", "%vocab --token word --max-size 3", SAMPLE):
        notebook.run(line)
    notebook.run("%train_rnn --num-hiddens 8 --epochs 5")
    return notebook


@pytest.mark.parametrize(
    "options", ["--temperature 0.1", "--greedy", "--beam 3", "--temperature 0.1 --num 3"]
)
def test_a_text_of_unk_alone_is_written_without_it_and_says_so(
    rare: Notebook, options: str
) -> None:
    line = f"%generate a --length 12 {options}"
    caption = shown(rare, line)
    assert ", without <unk>, which would be the whole text" in caption
    assert "<unk>" not in rare.printed(line)
    written: Any = rare.run(line)
    excluded: Any = rare.run(f"{line} --no-unk")
    first, asked = (written[0], excluded[0]) if "--num" in options else (written, excluded)
    assert first.tokens == asked.tokens
    assert "<unk>" not in first.text
    assert ", without <unk>)" in repr(asked)
