"""The extension: what loading registers, unloading takes back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.notebook.extension import MAGICS, load_magic
from rnn_magics.notebook.line.completion import IDENTIFIER
from rnn_magics.notebook.show.formatters import _FORMS

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

LINE_MAGICS = tuple(name for name, kinds in MAGICS.items() if "line" in kinds)


def registered(shell: InteractiveShell) -> dict[str, object]:
    """List everything that the extension may register."""
    formatters = shell.display_formatter.formatters
    rich, plain = (
        {*formatters[mime].deferred_printers, *map(full_name, formatters[mime].type_printers)}
        for mime in ("text/html", "text/plain")
    )
    return {
        "line": set(shell.magics_manager.magics["line"]),
        "cell": set(shell.magics_manager.magics["cell"]),
        "groups": set(shell.magics_manager.registry),
        "configurables": sorted(type(thing).__name__ for thing in shell.configurables),
        "checkers": [type(c).__name__ for c in shell.prefilter_manager.checkers],
        "matchers": [m.matcher_identifier for m in shell.Completer.custom_matchers],
        "html": rich,
        "plain": plain,
    }


def full_name(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__name__


def test_loading_registers_and_unloading_takes_everything_back(shell: InteractiveShell) -> None:
    before = registered(shell)
    shell.extension_manager.load_extension("rnn_magics")
    loaded = registered(shell)
    assert loaded["line"] - before["line"] == set(LINE_MAGICS)
    assert loaded["cell"] - before["cell"] == {"corpus", "evaluate_rnn"}
    assert IDENTIFIER in loaded["matchers"]
    assert "RNNMagics" in loaded["configurables"]
    assert loaded["html"] - before["html"] == set(_FORMS["text/html"])
    shell.run_cell("%corpus --max-tokens 100").raise_error()  # whose formatter is now in use
    shell.extension_manager.unload_extension("rnn_magics")
    assert registered(shell) == before


@pytest.mark.parametrize(
    "cell",
    [
        "%load_ext rnn_magics",
        "%reload_ext rnn_magics",
        "import rnn_magics\nrnn_magics.load_ipython_extension(get_ipython())",
    ],
)
def test_loading_again_registers_nothing_twice(trained: Notebook, cell: str) -> None:
    before = registered(trained.shell)
    with trained.unchanged():
        trained.shell.run_cell(cell, silent=True).raise_error()
        trained.variables.pop("rnn_magics", None)
    assert registered(trained.shell) == before
    assert trained.complete("%train_rnn --cell g") == ["gru"]
    trained.run("%generate the --length 2")


def test_the_session_survives_unloading(trained: Notebook) -> None:
    trained.run("%unload_ext rnn_magics")
    with pytest.raises(UsageError, match=r"Line magic function `%rnn` not found"):
        trained.run("%rnn")
    trained.run("%load_ext rnn_magics")
    assert trained.run("%rnn").runs[0][0] == "gru-1"


def test_unloading_twice_is_harmless(trained: Notebook) -> None:
    trained.run("%unload_ext rnn_magics")
    before = registered(trained.shell)
    trained.run("import rnn_magics\nrnn_magics.unload_ipython_extension(get_ipython())")
    assert registered(trained.shell) == before


def test_two_shells_share_no_session(trained: Notebook) -> None:
    first = trained.session
    other = InteractiveShell(config=trained.shell.config, ipython_dir=trained.shell.ipython_dir)
    other.run_cell("%load_ext rnn_magics").raise_error()
    assert other._rnn_magics_session is not first
    assert other._rnn_magics_session.runs == {}


@pytest.mark.parametrize("name", LINE_MAGICS)
def test_the_question_mark_shows_help_and_options(notebook: Notebook, name: str) -> None:
    magic = notebook.shell.find_line_magic(name)
    pages: list[dict[str, str]] = []
    notebook.shell.set_hook("show_in_pager", lambda _shell, page, **_screen: pages.append(page))
    notebook.run(f"%{name}?")
    text = pages[0]["text/plain"]
    for action in magic.parser().actions:
        for flag in action.option_strings:
            assert flag in text
    assert load_magic(name).run.__doc__.splitlines()[0] in text


LOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
shell.run_cell("%load_ext rnn_magics").raise_error()
assert "numpy" not in sys.modules
shell.run_cell("%corpus --max-tokens 100").raise_error()
shell.run_cell("%vocab").raise_error()
heavy = {"torch", "matplotlib", "pandas", "ipywidgets", "jieba"}
print("imported:", sorted(heavy & set(sys.modules)))
"""


def test_loading_imports_neither_torch_nor_matplotlib() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOOK], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported: []"
