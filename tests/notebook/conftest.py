"""A real IPython shell for each test, with the magics loaded and every error raised."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from IPython.core.completer import provisionalcompleter
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rnn_magics.notebook.session.session import Session

TEXT = (
    "the time traveller for so it will be convenient to speak of him\n"
    "was expounding a recondite matter to us his grey eyes shone and\n"
    "twinkled and his usually pale face was flushed and animated\n"
) * 3
SAMPLE = "%sample seq --batch-size 4 --num-steps 8"
TRAIN = "%train_rnn --num-hiddens 8 --epochs 1"


class Notebook:
    """A shell, and what tests ask of it.

    Parameters
    ----------
    shell
        With the extension loaded.
    capsys
        Of the test.
    """

    text = TEXT

    def __init__(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        self.shell = shell
        self._capsys = capsys

    @property
    def session(self) -> Session:
        return self.shell._rnn_magics_session

    @property
    def variables(self) -> dict[str, Any]:
        return self.shell.user_ns

    def run(self, cell: str) -> Any:
        """Run a cell, raise what it raised, and return the value of its last line."""
        result = self.shell.run_cell(cell)
        result.raise_error()
        return result.result

    def printed(self, cell: str) -> str:
        """Run a cell and return what it wrote to stdout, the value of its last line left out."""
        self._capsys.readouterr()
        is_line_magic = cell.startswith("%") and not cell.startswith("%%")
        self.run(f"_shown_nowhere = {cell}" if is_line_magic else cell)
        return self._capsys.readouterr().out

    def refused(self, cell: str) -> str:
        """Return the one line that a cell is refused with; nothing else may have happened."""
        self._capsys.readouterr()
        with self.unchanged():
            error = self.shell.run_cell(cell).error_in_exec
        out, err = self._capsys.readouterr()
        assert type(error) is UsageError  # IPython prints a traceback for its subclasses
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("UsageError: ")
        return err.removeprefix("UsageError: ").rstrip("\n")

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check that the session and the variables are the same afterwards."""
        before = self._state()
        yield
        assert is_same(before, self._state())

    def _state(self) -> list[Any]:
        session = self.session
        mine = {
            name: value
            for name, value in self.variables.items()
            if not name.startswith("_") and name not in ("In", "Out")
        }
        parameters = [p.detach().clone() for r in session.runs.values() for p in _weights(r)]
        told = [(r.name, r.reason, len(r.history)) for r in session.runs.values()]
        held = [session.corpus, session.vocab, session.batches]
        return [held, dict(session.runs), dict(session.jobs), mine, told, parameters]

    def rich(self, thing: Any) -> dict[str, Any]:
        """Return the forms in which a front end may show a result."""
        forms, _metadata = self.shell.display_formatter.format(thing)
        return forms

    def complete(self, before: str, after: str = "") -> list[str]:
        """Return the texts that TAB offers at the end of `before`, as front ends ask for them."""
        with provisionalcompleter():
            found = list(self.shell.Completer.completions(before + after, len(before)))
        return [completion.text for completion in found]


def _weights(run: Any) -> Iterator[torch.Tensor]:
    return run.model.parameters()


def is_same(before: list[Any], after: list[Any]) -> bool:
    """Whether two states hold the very same objects and the same numbers."""
    held, runs, jobs, mine, told, parameters = zip(before, after, strict=True)
    return (
        all(a is b for a, b in zip(*held, strict=True))
        and all(list(a) == list(b) and _identical(a, b) for a, b in (runs, jobs, mine))
        and told[0] == told[1]
        and len(parameters[0]) == len(parameters[1])
        and all(torch.equal(a, b) for a, b in zip(*parameters, strict=True))
    )


def _identical(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(value is b[name] for name, value in a.items())


@pytest.fixture(scope="session")
def ipython_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ipython")


@pytest.fixture
def shell(ipython_folder: Path) -> Iterator[InteractiveShell]:
    """A fresh shell without our extension; no history, no colours, nothing left behind."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=config, ipython_dir=str(ipython_folder))
    yield made
    session = getattr(made, "_rnn_magics_session", None)
    for job in session.jobs.values() if session else ():
        job.stop()
        job.wait()
    atexit.unregister(made.atexit_operations)  # there is nothing to clean up, and it takes long
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> Notebook:
    made = Notebook(shell, capsys)
    made.run("%load_ext rnn_magics")
    return made


@pytest.fixture
def shown(notebook: Notebook) -> list[dict[str, Any]]:
    """What is displayed from now on, instead of being printed: data, transient, update."""
    publisher = CapturingDisplayPublisher(shell=notebook.shell)
    notebook.shell.display_pub = publisher
    return publisher.outputs


@pytest.fixture
def prepared(notebook: Notebook) -> Notebook:
    """With a corpus, a vocabulary of characters, and minibatches; no figures, which cost time."""
    notebook.run("%config RNNMagics.figures = False")
    notebook.run(f"%%corpus tiny --valid 0.4\n{TEXT}")
    notebook.run("%vocab")
    notebook.run(SAMPLE)
    return notebook


@pytest.fixture
def trained(prepared: Notebook) -> Notebook:
    """With a run as well, ``gru-1``."""
    prepared.run(TRAIN)
    return prepared
