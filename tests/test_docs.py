"""The documents: what they name exists, what they link to is there, what they show runs."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

from rnn_magics import ModelConfig, TrainConfig, Vocab
from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.numbering import numberer_for
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.training.gradients import Gradients
from rnn_magics.training.loop import begin
from rnn_magics.training.state import EpochState, TrainState
from rnn_magics.training.steps.step import EagerStep, Step

ROOT = Path(__file__).parent.parent
TOP = [ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCS = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
# What is dated stays as it was written, names and all.
PRESENT = [p for p in DOCS if p.name != "CHANGELOG.md" and p.parent.name != "decisions"]
FOLDERS = ["benchmarks", "docs", "examples", "rnn_magics", "tests", "tools"]
FOLDERS += ["labextension/src", "labextension/tests"]
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*"))
    if "__pycache__" not in path.parts
] + [path.name for path in ROOT.iterdir()]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fenced(text: str, language: str = "") -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [body for kind, body in blocks if kind == language]


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(text))


def named_paths(text: str) -> list[str]:
    """Return the files and folders of the repository that a document names in backquotes."""
    of_source = re.compile(r"(?:[\w.-]+/)*(?:[\w.-]+\.(?:py|ts|mjs|md|ipynb)|[\w-]+/)")
    words = [word for each in quoted(text) for word in each.split()]
    return [word for word in words if of_source.fullmatch(word)]


def named_modules(text: str) -> list[str]:
    return [each for each in quoted(text) if re.fullmatch(r"rnn_magics(\.\w+)+", each)]


def missing_paths(text: str) -> list[str]:
    known = [f"/{path}" for path in FILES]
    return [
        name
        for name in named_paths(text)
        if not any(path.endswith("/" + name.rstrip("/")) for path in known)
    ]


def missing_links(text: str, folder: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    inside = [link.partition("#")[0] for link in links if "://" not in link]
    return [link for link in inside if not (folder / link).exists()]


def found(name: str) -> Any:
    """Return a module, or what it holds."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, last = name.rpartition(".")
        return getattr(found(module), last)


@pytest.mark.parametrize("path", PRESENT, ids=name_of)
def test_every_path_that_is_named_is_there(path: Path) -> None:
    assert missing_paths(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PRESENT, ids=name_of)
def test_every_module_that_is_named_is_there(path: Path) -> None:
    for name in named_modules(path.read_text(encoding="utf-8")):
        assert found(name) is not None


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_link_leads_to_a_file(path: Path) -> None:
    assert missing_links(path.read_text(encoding="utf-8"), path.parent) == []


def test_what_is_missing_is_found() -> None:
    text = "`rnn_magics/nowhere.py`, `gone/`, `cells.py`, [a](nowhere.md), [b](README.md#x)"
    assert missing_paths(text) == ["rnn_magics/nowhere.py", "gone/"]
    assert missing_links(text, ROOT) == ["nowhere.md"]
    assert named_modules("`rnn_magics.nowhere` and `rnn_magics.text`")[0] == "rnn_magics.nowhere"
    with pytest.raises(AttributeError):
        found("rnn_magics.nowhere")


def drawn() -> list[str]:
    """Return every path of the map, whose indentation says in which folder a name stands."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    paths: list[str] = []
    above: list[str] = []
    for line in fenced(text)[0].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names, said = re.match(r"((?:[\w./-]+, )*[\w./-]+) *(.*)", line.strip()).groups()  # type: ignore[union-attr]
        listed = names.split(", ")
        inside = listed[0] if listed[0].endswith("/") else ""
        paths += ["".join(above[:depth]) + name for name in listed]
        above[depth:] = [inside]
        if inside:  # a room may have its files in its own line
            paths += ["".join(above) + name for name in re.findall(r"\b\w+\.(?:py|ts)\b", said)]
    return paths


def test_the_map_is_that_of_the_house() -> None:
    paths = drawn()
    assert len(paths) > 100
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_room_is_on_the_map() -> None:
    rooms = {
        path.relative_to(ROOT).as_posix() + "/"
        for path in (ROOT / "rnn_magics").rglob("*")
        if (path / "__init__.py").exists()
    }
    assert rooms <= set(drawn())


def magic_lines(path: Path) -> list[str]:
    (block,) = [b for b in fenced(path.read_text(encoding="utf-8")) if "%load_ext" in b]
    return block.splitlines()


def test_the_six_lines_are_those_of_the_quickstart() -> None:
    # Which `tests/test_examples.py` runs.
    path = ROOT / "examples/01_quickstart.ipynb"
    quickstart = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    code = [cell.source for cell in quickstart.cells if cell.cell_type == "code"]
    lines = magic_lines(ROOT / "README.md")
    assert len(lines) == 6
    assert [line for line in lines if not any(line in source for source in code)] == []


def test_the_readmes_show_the_same() -> None:
    english, chinese = READMES
    assert magic_lines(english) == magic_lines(chinese)
    python = [fenced(path.read_text(encoding="utf-8"), "python") for path in READMES]
    assert python[0] == python[1]


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = fenced((ROOT / "README.md").read_text(encoding="utf-8"), "python")
    small = block.replace("num_hiddens=256", "num_hiddens=8").replace(
        "epochs=4", "epochs=1, max_tokens=9_000"
    )
    assert small.count("num_hiddens=8)") == small.count("epochs=1, max_tokens=") == 1
    exec(compile(small, "README.md", "exec"), {})
    numbers, text = capsys.readouterr().out.split("\n", 1)
    assert len([float(number) for number in numbers.split()]) == 3
    assert text.startswith("    def __init__(self, name")


def the_walk() -> str:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    return text[text.index("## A walk") : text.index("## Choices")]


def walked_text() -> str:
    return fenced(the_walk())[0].removeprefix("%%corpus walk\n")


def walked_batches() -> tuple[Vocab, Batches]:
    corpus = Corpus.from_text(walked_text(), name="walk", origin="cell")
    vocab = Vocab.from_corpus(corpus)
    return vocab, make_batches(corpus, vocab, BatchConfig(batch_size=2, num_steps=4))


def says(words: str) -> bool:
    return words in " ".join(the_walk().split())


def test_the_walk_of_a_character_to_its_index() -> None:
    text = walked_text()
    place = text.index("machine")
    corpus = Corpus.from_text(text, name="walk", origin="cell")
    assert (corpus.data, corpus.held_out_share) == (text, 0)
    assert says(f"| a character, at position {place} of {len(corpus)} |")
    assert says(f"| a code point, {ord(text[place])} |")
    numberer = numberer_for(TOKENIZERS["char"], None, line_ends=True)
    assert says(f"| a number, {numberer.feed(text)[place]} |")
    assert numberer.types[:6] == ["t", "h", "e", " ", "i", "m"]
    vocab, batches = walked_batches()
    assert says(f"| an index, {vocab['m']} |")
    assert vocab.to_tokens(list(range(7))) == ["<unk>", "e", "t", " ", "h", "i", "m"]
    assert [dict(vocab.token_freqs)[token] for token in "him"] == [3, 3, 3]
    assert batches.ids.dtype == torch.uint8
    assert says(f"array of shape {tuple(batches.ids.shape)} |")
    assert says(f"{len(vocab)} indices fit into uint8")


def walked_training() -> tuple[TrainConfig, TrainState, Step, EpochState]:
    config = TrainConfig(epochs=1, clip=1, threads=1)
    _, state = begin(walked_batches()[1], ModelConfig("gru", num_hiddens=8), config)
    step = EagerStep(state)
    return config, state, step, step.begin_epoch()


def test_the_walk_of_an_index_to_its_minibatch() -> None:
    _, state, _, epoch = walked_training()
    vocab, plan = walked_batches()[0], epoch.plan
    assert says(f"an offset, with seed 0 here {plan.offset}.")
    first, second = (", ".join(map(str, row)) for row in plan.starts.T.tolist())
    assert says(f"start at {first} and at {second} |")
    X, Y = state.batches.batch(plan, 1)
    assert (tuple(X.shape), X.dtype) == ((2, 4), torch.int64)
    assert says(f"| `X[0, 2]` of minibatch 1, its label `Y[0, 2]` = {Y[0, 2]}, an `a` |")
    assert [X[0, 2].item(), Y[0, 2].item()] == [vocab["m"], vocab["a"]]
    rows = ["".join(vocab.to_tokens(row)).replace(" ", "\u2423") for row in X.tolist()]
    assert says(f"X is `{rows[0]}`, `{rows[1]}`")
    assert torch.eq(X, vocab["m"]).nonzero().tolist() == [[0, 2], [1, 0]]


def test_the_walk_of_a_column_to_its_gradient() -> None:
    config, state, step, epoch = walked_training()
    X, Y = state.batches.batch(epoch.plan, 1)
    m, model = int(X[0, 2]), state.model
    cell = model.rnn.cells[0]
    weight = cell.weight_ih
    assert model.engine == "compiled"
    assert says(f"| column {m} of `weight_ih`, {len(weight)} numbers |")
    assert (tuple(weight.shape), cell.num_gates) == ((3 * 8, 14), 3)
    logits, hidden = model(X)
    assert says(f"(num_steps * batch_size, vocab_size) = {(X.numel(), logits.shape[-1])}")
    assert says(f"| a state, {hidden.shape[-1]} numbers |")
    losses = -torch.log_softmax(logits, -1).gather(2, Y[..., None])
    gradients = Gradients(model)
    assert not gradients.need_autograd()
    loss, _ = gradients.add(X, Y, epoch.hidden, "float32")
    assert loss.item() == pytest.approx(losses.mean().item())
    assert weight.grad is not None
    columns = weight.grad.abs().sum(0).nonzero().flatten().tolist()
    assert columns == sorted({*X.flatten().tolist()})
    assert Vocab.unk not in columns

    model.zero_grad()
    before = weight.detach()[:, m].clone()
    for _ in range(2):  # minibatches 0 and 1
        assert step.take(epoch, config) is not None
    assert not torch.equal(before, weight[:, m])
    assert not any(part.requires_grad for part in epoch.hidden)
    assert all(part.abs().sum() > 0 for part in epoch.hidden)


def test_each_figure_of_the_paper_stands_in_a_report() -> None:
    reports = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("performance.md", "fidelity.md", "reliability.md")
    )
    text = (ROOT / "docs/paper.md").read_text(encoding="utf-8").partition("## How it was tested")
    measured = text[0].partition("**Written from the equations")[2] + text[2]
    told = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|## References.*", "", measured, flags=re.DOTALL)
    figures = set(re.findall(r"\d[\d,]*\.\d+|\d{3,}|\d+,\d{3}", told))
    assert len(figures) >= 15
    assert {figure for figure in figures if figure not in reports} == set()
