"""What a line of the panel shows, in an output widget.

An output widget of ipywidgets ignores later forms of what is displayed, so a text that grows would
stay at its first word. Here the kernel keeps the outputs itself and replaces the one that is meant.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell


class _Shown(DisplayPublisher):
    # Puts what is displayed into a widget; a later form takes the place of the earlier one.

    def __init__(self, output: widgets.Output, behind: DisplayPublisher) -> None:
        super().__init__()
        self._output, self._behind = output, behind
        self._ids: list[str | None] = []

    def publish(  # type: ignore[override]
        self,
        data: Any,
        metadata: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **more: Any,
    ) -> None:
        name = (transient or {}).get("display_id")
        shown = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        if not update:
            self.add(shown, name)
        elif name in self._ids:
            outputs = list(self._output.outputs)
            outputs[self._ids.index(name)] = shown
            self._output.outputs = tuple(outputs)
        else:  # it belongs to another cell, such as a run that still trains
            self._behind.publish(data, metadata, transient=transient, update=True, **more)

    def print(self, text: str) -> None:
        printed = {"output_type": "stream", "name": "stdout", "text": text}
        outputs = list(self._output.outputs)
        if outputs and outputs[-1]["output_type"] == "stream":
            printed["text"] = outputs.pop()["text"] + text
            self._output.outputs = (*outputs, printed)
        else:
            self.add(printed)

    def add(self, shown: dict[str, Any], name: str | None = None) -> None:
        self._ids.append(name)
        self._output.outputs = (*self._output.outputs, shown)


class _Printed(io.TextIOBase):
    # Where `print` writes to.

    def __init__(self, shown: _Shown) -> None:
        super().__init__()
        self._shown = shown

    def write(self, text: str) -> int:
        self._shown.print(text)
        return len(text)


@contextlib.contextmanager
def shown_in(output: widgets.Output, shell: InteractiveShell) -> Iterator[None]:
    """Show in `output`, instead of what it shows now, all that is displayed or printed inside."""
    output.outputs = ()
    behind: Any = shell.display_pub
    shown = _Shown(output, behind)
    shell.display_pub = shown
    try:
        with contextlib.redirect_stdout(_Printed(shown)):
            yield
    finally:
        shell.display_pub = behind
