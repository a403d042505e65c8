"""The rules of the house, read from the source."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest

import rnn_magics
from rnn_magics.options import describe
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending

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
    {
        "digits",
        "errors",
        "files",
        "foreign",
        "interrupts",
        "language",
        "names",
        "options",
        "results",
        "tables",
    },
    {"text"},
    {"batching", "preview"},
    {"models"},
    {"scores"},
    {"training"},
    {"reports"},
    {"storage"},
    {"cluster"},
    {"sweeps"},
    {"decoding"},
    {"inspection"},
    {"handout"},
    {"exercises"},
    {"plotting"},
    {"notebook"},
]
# The same for the rooms of the notebook: each may import from itself and from those before it.
ROOMS = ["session", "show", "line", "widgets", "page", "live", "panel", "magics", "extension"]
MOST_LINES = 400
MOST_FILES = 13
OPENED_ELSEWHERE = {  # files of the system, which no user names; one in an archive that is open
    "archive.open(info)",
    "Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii')",
    "Path(limit).with_name('memory.stat').read_text(encoding='ascii')",
    "Path(limit).read_text()",
    "Path(used).read_text()",
    "Path(settings, _SETTINGS).read_text(encoding='utf-8')",
}
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


def test_the_roof_imports_the_notebook_and_how_to_import_and_that_lazily() -> None:
    taken = imported_modules("rnn_magics", typing_too=False)
    assert taken == {"rnn_magics.interrupts", "rnn_magics.notebook.extension"}
    at_once = [node for node in parsed("rnn_magics").body if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in at_once} == {"__future__", "typing"}


@pytest.mark.parametrize("name", LIBRARY)
def test_only_the_notebook_knows_of_jupyter(name: str) -> None:
    taken = {imported.split(".")[0] for imported in imports(parsed(name), typing_too=False)}
    assert not taken & NOTEBOOK_ONLY


@pytest.mark.parametrize("name", [n for n in LIBRARY if n != "rnn_magics" and floor(n) < 5])
def test_nothing_below_training_knows_of_events(name: str) -> None:
    assert not any("training" in module for module in imported_modules(name, typing_too=True))


@pytest.mark.parametrize("name", [n for n in LIBRARY if n.startswith("rnn_magics.decoding")])
def test_decoding_takes_nothing_from_training(name: str) -> None:
    assert not any("training" in module for module in imported_modules(name, typing_too=True))


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_neither_prints_nor_asks(name: str) -> None:
    called = {
        node.func.id
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"print", "input", "eval", "exec"}


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"rnn_magics.files"}))
def test_what_a_user_names_is_opened_in_one_place(name: str) -> None:
    opens = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}
    found = {
        ast.unparse(node)
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "open")
            or (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in opens
                and ast.unparse(node.func.value) not in ("files", "os")
            )
        )
    }
    assert found <= OPENED_ELSEWHERE


@pytest.mark.parametrize("name", FILES)
def test_nothing_draws_through_pyplot(name: str) -> None:
    words = FILES[name].read_text(encoding="utf-8")
    assert not any("pyplot" in imported for imported in imports(parsed(name), typing_too=True))
    assert "matplotlib.use" not in words
    assert "mpl.use" not in words


def too_long(files: dict[str, Path]) -> list[str]:
    return [
        name
        for name, path in files.items()
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    ]


def test_no_module_is_longer_than_400_lines() -> None:
    assert too_long(FILES) == []


def too_full(files: Iterable[Path]) -> list[str]:
    counted = Counter(path.parent for path in files)
    return [str(folder) for folder, number in counted.items() if number > MOST_FILES]


def is_an_entry(tree: ast.Module) -> bool:
    """Whether a module is one entry of a registry: a magic, or a view of a model."""
    named = (getattr(node, "name", "") for node in tree.body)
    assigned = (ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign))
    return "MAGIC" in assigned or any(name.startswith("inspect_") for name in named)


def test_no_folder_has_more_than_about_a_dozen_modules() -> None:
    # Of the rooms that have a file for each entry, only the other files count.
    of_entries = {ROOT / "notebook" / "magics", ROOT / "inspection" / "views"}
    counted = [
        path
        for name, path in FILES.items()
        if path.parent not in of_entries or not is_an_entry(parsed(name))
    ]
    assert too_full(counted) == []


def room(module: str) -> int | None:
    _, _, rest = module.partition("rnn_magics.notebook.")
    return ROOMS.index(rest.split(".")[0]) if rest else None


@pytest.mark.parametrize("name", [name for name in FILES if room(name) is not None])
def test_arrows_between_the_rooms_of_the_notebook_point_one_way(name: str) -> None:
    for imported in imported_modules(name, typing_too=True):
        if room(imported) is not None:
            assert room(imported) <= room(name), f"{name} looks up to {imported}"


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that import each other, in whatever roundabout way."""
    reached = {name: reach(name, arrows) for name in arrows}
    found = {frozenset(n for n in reached[name] if name in reached[n]) for name in arrows}
    return [sorted(circle) for circle in found if circle]


def reach(start: str, arrows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = arrows[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def test_no_modules_import_each_other() -> None:
    # The roof imports the extension when it is loaded, and gives away its version.
    names = [name for name in FILES if name != "rnn_magics"]
    arrows = {n: imported_modules(n, typing_too=True) & {*names} - {n} for n in names}
    assert circles(arrows) == []


def asked_by_name(tree: ast.AST) -> list[int]:
    """Return the lines in which options are read by a name that nobody checks."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"getattr", "hasattr"}
        and ast.unparse(node.args[0]).split(".")[-1] in {"options", "opts", "args"}
    ]


@pytest.mark.parametrize("name", FILES)
def test_options_are_read_as_they_are_declared(name: str) -> None:
    assert asked_by_name(parsed(name)) == []


# Of the endings these are options, too, and `epochs` is a view besides.
ALSO_OPTIONS = {field.name for field in describe(TrainConfig)} & {*Ending}


def bare_reasons(tree: ast.AST) -> list[int]:
    """Return the lines in which the ending of a run is written as a string.

    The name of an ending that is nothing else is one wherever it stands. The name of an option
    is one where a reason is: compared with it, put into it, or handed on instead of it.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):  # words for a reader
            continue
        of_reason = _is_about_a_reason(node)
        for text in chain.from_iterable(map(_constants, ast.iter_child_nodes(node))):
            if text.value in {*Ending} and (of_reason or text.value not in ALSO_OPTIONS):
                found.add(text.lineno)
    return sorted(found)


def _constants(node: ast.AST) -> Iterator[ast.Constant]:
    # Those that may become the value of an expression, or that it is compared with.
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.Tuple | ast.List | ast.Set | ast.BoolOp | ast.IfExp):
        for part in ast.iter_child_nodes(node):
            yield from _constants(part)


def _is_about_a_reason(node: ast.AST) -> bool:
    match node:
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.BoolOp(values=parts):
            pass
        case ast.Assign(targets=parts):
            pass
        case ast.AnnAssign(target=part):
            parts = [part]
        case ast.keyword(arg=name):
            return name == "reason"
        case ast.Call(func=ast.Attribute(attr="stop") | ast.Name(id="TrainEnd")):
            return True
        case _:
            return False
    return any(_is_reason(part) for part in parts)


def _is_reason(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.split("_")[-1] == "reason"


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"rnn_magics.training.endings"}))
def test_an_ending_is_never_a_bare_string(name: str) -> None:
    assert bare_reasons(parsed(name)) == []


@pytest.mark.parametrize(
    "line",
    [
        "run.reason == 'failed'",
        "run.reason != 'epochs'",
        "'max_time' == run.reason",
        "run.reason in ('epochs', 'max_time')",
        "GOES_ON = ('epochs', 'non_finite')",
        "run.reason = 'epochs'",
        "self._stop_reason = reason or 'max_tokens'",
        "reason: str | None = 'epochs'",
        "return run.reason or 'epochs'",
        "TrainEnd('max_time')",
        "job.stop('epochs')",
        "job.stop('interrupted')",
        "replace(run, reason='max_tokens')",
        "entry |= {'reason': 'failed'}",
        "def stop(self, reason: str = 'stopped') -> None: ...",
        "match run.reason:\n    case 'out_of_memory': ...",
    ],
)
def test_a_bare_reason_is_seen(line: str) -> None:
    assert bare_reasons(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "payload['epochs']",
        "{'view': 'epochs', 'max_tokens': 3}",
        "fields = ('cell', 'epochs', 'lr')",
        "name == 'epochs'",
        "read.take('max_time')",
        "run.reason == Ending.EPOCHS",
        "msg = f'the run has failed: {run.reason}'",
        "f'{name} failed'",
        "reason = read.text('reason')",
        "reason = found['epochs']",
        "reason == by_option['max_time'] or reason == read.text('max_tokens')",
    ],
)
def test_what_is_no_bare_reason_is_left_alone(line: str) -> None:
    assert bare_reasons(ast.parse(line)) == []


def test_the_rules_see_what_breaks_them(tmp_path: Path) -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    long = tmp_path / "long.py"
    long.write_text("x = 1\n" * (MOST_LINES + 1))
    assert too_long({"long": long}) == ["long"]
    assert too_full([tmp_path / f"{i}.py" for i in range(MOST_FILES + 1)]) == [str(tmp_path)]
    assert asked_by_name(ast.parse("x = 1\ny = getattr(options, 'run', None)")) == [2]
    assert asked_by_name(ast.parse("hasattr(self.options, 'run')")) == [1]


TESTS = Path(__file__).parent
NOT_MIRRORED = {"behaviour", "browser", "contract", "kernel"}  # folders of tests of no one module
OF_THE_PROJECT = {
    "avx2",
    "bench",
    "scale",
    "build",
    "catalogue",
    "device_checks",
    "docs",
    "docstrings",
    "examples",
    "house",
    "jax_scan",
    "public_names",
    "published",
    "release_check",
    "site",
    "versions",
}  # at the root


def is_in_its_place(test: Path, modules: Iterable[str]) -> bool:
    """Whether a module or a package stands in the house where its test does among the tests.

    A test of a part of a module says which part behind its name: ``test_forms_quoted.py``.
    """
    *folders, name = test.with_suffix("").parts
    words = name.removeprefix("test_").split("_")
    places = ["_".join(words[: i + 1]) for i in range(len(words))]
    return any(".".join(("rnn_magics", *folders, place)) in modules for place in places)


def mirrored_tests() -> list[Path]:
    found = (path.relative_to(TESTS) for path in sorted(TESTS.rglob("test_*.py")))
    return [test for test in found if test.parts[0] not in NOT_MIRRORED]


@pytest.mark.parametrize("test", mirrored_tests(), ids=str)
def test_a_test_lies_where_its_module_lies(test: Path) -> None:
    of_the_project = test.parent == Path() and test.stem.removeprefix("test_") in OF_THE_PROJECT
    assert of_the_project or is_in_its_place(test, FILES)


@pytest.mark.parametrize(
    "test", sorted((TESTS / "behaviour").glob("test_*.py")), ids=lambda p: p.name
)
def test_a_test_of_a_behaviour_says_which(test: Path) -> None:
    assert ast.get_docstring(ast.parse(test.read_text(encoding="utf-8")))


def test_the_rule_sees_a_test_in_the_wrong_place() -> None:
    assert is_in_its_place(Path("scores/test_evaluation.py"), FILES)
    assert is_in_its_place(Path("notebook/panel/test_forms_quoted.py"), FILES)
    assert not is_in_its_place(Path("training/test_evaluation.py"), FILES)
    assert not is_in_its_place(Path("notebook/magics/test_bad_input.py"), FILES)


def test_nothing_is_committed_that_git_ignores_and_no_links() -> None:
    """A committed link to a folder of one machine breaks the build on every other."""
    if not (ROOT.parent / ".git").exists():
        pytest.skip("not a checkout: there is no git to ask")
    staged = git("ls-files", "--stage")
    links = [line for line in staged if line.startswith("120000")]
    assert staged
    assert links == []
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard") == []


def git(*arguments: str) -> list[str]:
    command = ["git", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
