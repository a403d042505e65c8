"""The documents: what they name exists, what they link to is there, what they show runs."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics import ModelConfig, TrainConfig, Vocab
from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.numbering import CharNumberer
from rnn_magics.training.loop import begin
from rnn_magics.training.machine.precision import forward_loss
from rnn_magics.training.steps.step import EagerStep

ROOT = Path(__file__).parent.parent
TOP = [ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCS = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
# What is dated stays as it was written, names and all.
PRESENT = [p for p in DOCS if p.name != "CHANGELOG.md" and p.parent.name != "decisions"]
FOLDERS = (".ci", "benchmarks", "docs", "examples", "labextension/src", "rnn_magics", "tests", "tools")
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
            paths += ["".join(above) + name for name in re.findall(r"\b\w+\.py\b", said)]
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


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_lines_can_be_pasted(path: Path) -> None:
    blocks = fenced(path.read_text(encoding="utf-8"))
    magics = [block for block in blocks if "%load_ext rnn_magics" in block]
    assert len(magics) == 1
    assert "#" not in magics[0]
    assert len(magics[0].splitlines()) == 6


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_python_of_the_readme_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = fenced(path.read_text(encoding="utf-8"), "python")
    small = block.replace("num_hiddens=256", "num_hiddens=8").replace("epochs=6", "epochs=1")
    assert small.count("num_hiddens=8)") == small.count("epochs=1,") == 1
    exec(compile(small, path.name, "exec"), {})
    numbers, text = capsys.readouterr().out.split("\n", 1)
    assert len([float(number) for number in numbers.split()]) == 3
    assert text.startswith("The statement ")


def test_the_readmes_show_the_same() -> None:
    english, chinese = (path.read_text(encoding="utf-8") for path in READMES)
    assert fenced(english, "python") == fenced(chinese, "python")
    assert fenced(english)[1] in fenced(chinese)


def test_the_walk_of_a_character() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    cell = next(block for block in fenced(text) if block.startswith("%%corpus walk\n"))
    corpus = Corpus.from_text(cell.removeprefix("%%corpus walk\n"), name="walk", origin="cell")
    assert (len(corpus), corpus.data[9:16], ord(corpus.data[9])) == (36, "machine", 109)
    assert corpus.held_out_share == 0
    numberer = CharNumberer()
    assert numberer.feed(str(corpus.data))[9] == 5
    assert numberer.types[:6] == ["t", "h", "e", " ", "i", "m"]
    vocab = Vocab.from_corpus(corpus)
    assert vocab.to_tokens(list(range(7))) == ["<unk>", "e", "t", " ", "h", "i", "m"]
    assert [dict(vocab.token_freqs)[token] for token in "him"] == [3, 3, 3]
    batches = make_batches(corpus, vocab, BatchConfig(batch_size=2, num_steps=4))
    assert (len(vocab), tuple(batches.ids.shape), batches.ids.dtype) == (14, (36,), torch.uint8)

    model = ModelConfig("gru", num_hiddens=8)
    run, state = begin(batches, model, TrainConfig(epochs=1, clip=1, threads=1))
    step = EagerStep(state)
    epoch = step.begin_epoch()
    assert epoch.plan.offset == 3
    assert epoch.plan.starts.T.tolist() == [[3, 7, 11, 15], [19, 23, 27, 31]]
    X, Y = batches.batch(epoch.plan, 1)
    assert ["".join(vocab.to_tokens(row)) for row in X.tolist()] == ["e ma", "me t"]
    assert (X.shape, X.dtype, X[0, 2], Y[0, 2], vocab["a"]) == ((2, 4), torch.int64, 6, 7, 7)
    assert (X == 6).nonzero().tolist() == [[0, 2], [1, 0]]

    trained = state.model
    weight = trained.rnn.cells[0].weight_ih
    assert (trained.engine, weight.shape, weight[:, 6].numel()) == ("compiled", (24, 14), 24)
    logits, hidden = trained(X)
    assert (logits.shape, hidden.shape) == ((2, 4, 14), (1, 2, 8))
    losses = -torch.log_softmax(logits, -1).gather(2, Y[..., None])
    loss, _ = forward_loss(trained, X, Y, epoch.hidden, "float32")
    assert loss.item() == pytest.approx(losses.mean().item())
    loss.backward()
    assert weight.grad is not None
    read = weight.grad.abs().sum(0) > 0
    assert read[6]
    assert not read[0]
    assert sorted(read.nonzero().flatten().tolist()) == sorted(set(X.flatten().tolist()))

    trained.zero_grad()
    before = weight.detach()[:, 6].clone()
    for _ in range(2):  # minibatches 0 and 1
        assert step.take(epoch, run.config.train) is not None
    assert not torch.equal(before, weight[:, 6])
    assert not any(part.requires_grad for part in epoch.hidden)
    assert all(part.abs().sum() > 0 for part in epoch.hidden)
