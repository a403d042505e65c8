"""The rules of the house, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnn_magics

ROOT = Path(rnn_magics.__file__).parent
FILES = {
    ".".join(("rnn_magics", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
LIBRARY = [name for name in FILES if not name.startswith("rnn_magics.notebook")]

# From the ground up. A module may import from its own floor and from those below.
FLOORS = [
    {"errors", "names", "options"},
    {"text"},
    {"batching"},
    {"models"},
    {"training"},
    {"storage"},
    {"decoding"},
    {"inspection"},
    {"handout"},
    {"plotting"},
    {"notebook"},
]
NOTEBOOK_ONLY = {"IPython", "ipywidgets", "anywidget", "ipykernel", "comm", "traitlets"}


def floor(module: str) -> int:
    room = module.split(".")[1]
    # A room without a floor fails `test_every_room_has_a_floor`; here it stands on the roof.
    return next((place for place, rooms in enumerate(FLOORS) if room in rooms), len(FLOORS))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(tree: ast.AST, *, typing_too: bool) -> Iterator[str]:
    """Yield the names that a module imports, wherever it does."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the house imports by full names"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif is_type_checking(node) and not typing_too:
            assert isinstance(node, ast.If)
            for branch in node.orelse:
                yield from imports(branch, typing_too=typing_too)
        else:
            yield from imports(node, typing_too=typing_too)


def parsed(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def imported_modules(name: str, *, typing_too: bool) -> set[str]:
    """Return the modules of the house that a module imports."""
    found = set()
    for imported in imports(parsed(name), typing_too=typing_too):
        if imported.split(".")[0] == "rnn_magics":
            owner = imported if imported in FILES else imported.rpartition(".")[0]
            assert owner in FILES, f"{name} imports {imported}, which is nowhere"
            found.add(owner)
    return found


def test_every_room_has_a_floor() -> None:
    rooms = {name.split(".")[1] for name in FILES if "." in name}
    assert rooms <= set.union(*FLOORS)


@pytest.mark.parametrize("name", [name for name in FILES if name != "rnn_magics"])
def test_arrows_point_down(name: str) -> None:
    for imported in imported_modules(name, typing_too=True) - {"rnn_magics"}:
        assert floor(imported) <= floor(name), f"{name} looks up to {imported}"


@pytest.mark.parametrize("name", [name for name in LIBRARY if name != "rnn_magics"])
def test_only_the_version_is_taken_from_the_roof(name: str) -> None:
    taken = {
        imported
        for imported in imports(parsed(name), typing_too=True)
        if imported.rpartition(".")[0] == "rnn_magics" and imported not in FILES
    }
    assert taken <= {"rnn_magics.__version__"}


def test_the_roof_imports_nothing_but_the_notebook_and_that_lazily() -> None:
    assert imported_modules("rnn_magics", typing_too=False) == {"rnn_magics.notebook.extension"}
    at_once = [node for node in parsed("rnn_magics").body if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in at_once} == {"__future__", "typing"}


@pytest.mark.parametrize("name", LIBRARY)
def test_only_the_notebook_knows_of_jupyter(name: str) -> None:
    taken = {imported.split(".")[0] for imported in imports(parsed(name), typing_too=False)}
    assert not taken & NOTEBOOK_ONLY


@pytest.mark.parametrize("name", [n for n in LIBRARY if n != "rnn_magics" and floor(n) < 4])
def test_nothing_below_training_knows_of_events(name: str) -> None:
    assert not any("training" in module for module in imported_modules(name, typing_too=True))


@pytest.mark.parametrize("name", [n for n in LIBRARY if n.startswith("rnn_magics.decoding")])
def test_decoding_takes_only_evaluation_from_training(name: str) -> None:
    taken = {
        module
        for module in imported_modules(name, typing_too=True)
        if module.startswith("rnn_magics.training")
    }
    assert taken <= {"rnn_magics.training.evaluation"}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_neither_prints_nor_asks(name: str) -> None:
    called = {
        node.func.id
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"print", "input", "eval", "exec"}


@pytest.mark.parametrize("name", FILES)
def test_nothing_draws_through_pyplot(name: str) -> None:
    words = FILES[name].read_text(encoding="utf-8")
    assert not any("pyplot" in imported for imported in imports(parsed(name), typing_too=True))
    assert "matplotlib.use" not in words
    assert "mpl.use" not in words


@pytest.mark.parametrize("name", FILES)
def test_no_module_is_longer_than_400_lines(name: str) -> None:
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= 400
