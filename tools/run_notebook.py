"""Execute notebooks without a browser, showing in the terminal what a reader would see.

    python tools/run_notebook.py examples/01_quickstart.ipynb

The executed copies are written to build/notebooks/, from where `make docs` takes them. A lesson in
Chinese is executed by a kernel that speaks Chinese.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path("build/notebooks")
CHINESE = "zh"  # the folder of the lessons in Chinese
_SECONDS_BETWEEN_LINES = 5  # if the output is no terminal, progress is one line now and then


class Terminal:
    """Writes the outputs of a notebook as text; an output that is rewritten stays on its line."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._last = 0.0
        self._rewriting = False

    def stream(self, text: str) -> None:
        """Write text unchanged, as it arrives."""
        if self._rewriting:
            print()
            self._rewriting = False
        print(text, end="", flush=True)

    def text(self, text: str) -> None:
        """Write text that stays, on its own lines."""
        self.stream(text if text.endswith("\n") else f"{text}\n")

    def update(self, text: str) -> None:
        """Show the last line of an output that is rewritten."""
        line = text.rstrip().rpartition("\n")[2]
        if self._live:
            print(f"\r\x1b[2K{line}", end="", flush=True)
            self._rewriting = True
        elif time.monotonic() - self._last > _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            print(line, flush=True)


class ShowingClient(NotebookClient):
    """A notebook client that shows the messages of the kernel as they arrive."""

    terminal = Terminal()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Show a message, then keep it in the notebook as usual."""
        content = msg["content"]
        match msg["msg_type"]:
            case "stream":
                self.terminal.stream(content["text"])
            case "display_data" | "execute_result":
                self.terminal.text(content["data"].get("text/plain", ""))
            case "update_display_data":
                self.terminal.update(content["data"].get("text/plain", ""))
            case "execute_input":
                code = content["code"].rstrip().replace("\n", "\n    ")
                self.terminal.text(f"\nIn:  {code}")
        return super().process_message(msg, cell, cell_index)


def run(path: Path) -> Path:
    """Execute one notebook and return the path of the executed copy."""
    notebook = nbformat.read(path, as_version=4)
    # The kernel of this environment, not the one that the notebook was saved with.
    client = ShowingClient(
        notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    is_chinese = path.parent.name == CHINESE
    speaks = {"LANGUAGE": "zh_CN"} if is_chinese else {}
    written = (FOLDER / CHINESE if is_chinese else FOLDER) / path.name
    written.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.execute(env={**os.environ, **speaks})
    finally:
        nbformat.write(notebook, written)
    return written


def main(paths: list[str]) -> int:
    """Execute the named notebooks; return 1 if one fails."""
    begun = time.monotonic()
    for name in paths:
        try:
            written = run(Path(name))
        except CellExecutionError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"\nExecuted notebook: {written.resolve()}")
    print(f"Took {time.monotonic() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
