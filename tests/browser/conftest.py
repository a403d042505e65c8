"""A Jupyter server with folders of its own, and a Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
START = 90  # seconds a server may take to answer
# The kernel's status alone does not say so: a question of the debugger is answered while a cell
# runs, with a status of its own.
IDLE = """() => {
  const { sessionContext, content } = window.jupyterapp?.shell.currentWidget ?? {};
  return sessionContext?.session?.kernel?.status === 'idle'
    && content.widgets.every(cell => cell.model.executionState !== 'running');
}"""


PLACE: pytest.StashKey[int] = pytest.StashKey()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Remember where a browser test stands in its file."""
    item.stash[PLACE] = item.config.stash.setdefault(PLACE, 0)
    item.config.stash[PLACE] += 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep browser tests in the order in which they are written, behind all others.

    The tests of a file share a page, which each leaves as a reader would, and a server.
    """
    mine = sorted((i for i in items if PLACE in i.stash), key=lambda item: item.stash[PLACE])
    items[:] = [*(item for item in items if PLACE not in item.stash), *mine]


def without(reason: str) -> None:
    """Skip for want of a browser, or fail where one is required."""
    if os.environ.get("RNN_MAGICS_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Lab:
    """A running server: its address and its folder of notebooks."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells and return its address."""
        notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.folder / name)  # type: ignore[no-untyped-call]
        return f"{self.url}/lab/tree/{name}?reset"


@dataclass
class Page:
    """A tab, with what its console said."""

    tab: Any
    errors: list[str] = field(default_factory=list)
    folder: Path = Path()  # of its notebooks
    opened: list[str] = field(default_factory=list)  # the addresses of its notebooks

    def open(self, url: str) -> None:
        """Open a notebook and wait until its kernel is there."""
        self.opened.append(url)
        self.tab.goto(url)
        self.tab.wait_for_selector(".jp-Notebook .jp-Cell", timeout=20_000)
        self.idle()

    def run(self, command: str) -> None:
        """Run a command of JupyterLab, and do not wait for what it starts."""
        self.tab.evaluate("id => void window.jupyterapp.commands.execute(id)", command)

    def run_all(self, url: str) -> None:
        """Open a notebook, run all cells and wait until the kernel rests."""
        self.open(url)
        self.run("notebook:run-all-cells")
        self.idle()

    def idle(self) -> None:
        """Wait until no cell of the notebook runs and the kernel rests."""
        self.tab.wait_for_function(IDLE, timeout=240_000)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the tab."""
        self.picture(self.tab, name)

    def picture(self, what: Any, name: str) -> None:
        """Keep a picture of a part of the tab."""
        ARTEFACTS.mkdir(exist_ok=True)
        what.screenshot(path=ARTEFACTS / f"{name}.png")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    found = os.environ.get("RNN_MAGICS_CHROMIUM") or shutil.which("chromium")
    if not found:
        without("no Chromium on PATH; install one or name it in RNN_MAGICS_CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        without("playwright is not installed; pip install '.[dev]'")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def paging(browser: Any, width: int, height: int) -> Iterator[Page]:
    """Open a tab, and end the kernels of its notebooks with it.

    Also of one that a test left as it failed: a kernel that goes on training slows down all
    tests after it, and then they fail, too.
    """
    context = browser.new_context(viewport={"width": width, "height": height})
    page = Page(context.new_page())
    page.tab.on("pageerror", lambda error: page.errors.append(str(error)))
    try:
        yield page
    finally:
        context.close()
        for url in page.opened:
            end_kernels(url)


def wait_until_written(view: Any) -> None:
    """Wait for the last token of a model that is played with; it writes in several slices."""
    view.locator(".rnn-branches[aria-busy=false]").wait_for()


def end_kernels(url: str) -> None:
    """End the kernels of a notebook; those of a server that has ended are gone."""
    there = urllib.parse.urlsplit(url)
    sessions = f"{there.scheme}://{there.netloc}/api/sessions"
    with suppress(urllib.error.URLError):
        with urllib.request.urlopen(sessions, timeout=20) as answer:
            running = json.load(answer)
        for session in running:
            if there.path.endswith(f"/{session['path']}"):
                order = urllib.request.Request(f"{sessions}/{session['id']}", method="DELETE")
                urllib.request.urlopen(order, timeout=20).close()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    with paging(browser, 1280, 900) as made:
        made.tab.on("console", lambda said: said.type == "error" and made.errors.append(said.text))
        yield made
        made.screenshot(f"{request.node.name}-end")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(START * 5):
        try:
            urllib.request.urlopen(f"{url}/api/status", timeout=1).close()
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, "the server ended before it answered"
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not answer in {START} s")


def installed(home: Path) -> Path:
    """Return a folder of Jupyter data that has the extension as it was built in this tree."""
    built = ROOT / "rnn_magics" / "labextension"
    if not (built / "package.json").is_file():
        without("the labextension is not built; type: pip install .")
    there = home / "share" / "labextensions" / "rnn-magics"
    there.mkdir(parents=True)
    for path in (*built.iterdir(), ROOT / "labextension" / "install.json"):
        (there / path.name).symlink_to(path)
    (there / "lessons").symlink_to(ROOT / "examples")  # as pyproject.toml puts them into a wheel
    return home / "share"


@contextmanager
def serving(home: Path, application: str, *, extension: bool = True, **more: str) -> Iterator[Lab]:
    """Serve JupyterLab or Notebook 7 from folders of its own, with our extension or without."""
    folder = home / "notebooks"
    folder.mkdir()
    port = free_port()
    config = home / "config.py"
    config.write_text(
        "from jupyterlab.galata import configure_jupyter_server\n"
        "configure_jupyter_server(c)\n"
        "c.JupyterNotebookApp.expose_app_in_browser = True\n"
        f"c.ServerApp.port = {port}\nc.ServerApp.ip = '127.0.0.1'\n"
        f"c.ServerApp.allow_root = True\nc.ServerApp.root_dir = {str(folder)!r}\n",
        encoding="utf-8",
    )
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(home / name.lower()) for name in (*names, "JUPYTERLAB_SETTINGS_DIR")}
    own["JUPYTER_PATH"] = str(installed(home))
    if not extension:
        settings = home / "jupyter_config_dir" / "labconfig"
        settings.mkdir(parents=True)
        off = '{"disabledExtensions": {"rnn-magics": true}}'
        (settings / "page_config.json").write_text(off, encoding="utf-8")
    log = (home / "log").open("wb")
    command = [sys.executable, "-m", application, "--config", str(config)]
    environment = {**os.environ, **own, **more}
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait(f"http://127.0.0.1:{port}", server)
        yield Lab(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with serving(tmp_path_factory.mktemp("lab"), "jupyterlab") as made:
        yield made


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if find_spec("notebook") is None:
        without("Notebook 7 is not installed; pip install '.[dev]'")
    with serving(tmp_path_factory.mktemp("notebook7"), "notebook") as made:
        yield made


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Lab]]:
    """Serve JupyterLab or Notebook 7 with other settings."""
    return serving


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site, with the gallery executed and the lessons without their outputs."""
    made = tmp_path_factory.mktemp("site")
    build = ["-W", "--keep-going", "-n", "-q", "-c", "docs", "-d", str(made / "doctrees")]
    cache = f"nb_execution_cache_path={made / 'executed'}"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *build, "-D", cache, ".", str(made / "html")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(made / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return made / "html"
