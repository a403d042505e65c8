"""The how-to pages of the site: every line on them runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOW_TO = sorted((ROOT / "docs/howto").glob("[!i]*.md"))


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the language and the body of each block of a page, also one inside of a list."""
    text = path.read_text(encoding="utf-8")
    block = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for indent, language, body in block.findall(text):
        yield language, "\n".join(line.removeprefix(indent) for line in body.splitlines())


@pytest.mark.parametrize("path", HOW_TO, ids=lambda path: path.stem)
def test_every_line_of_a_how_to_runs(path: Path, tmp_path: Path) -> None:
    cells = [body for language, body in blocks(path) if language in ("", "python")]
    assert cells
    runner = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "for cell in sys.stdin.read().split('\\0'):\n"
        "    shell.run_cell(cell).raise_error()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", runner],
        input="\0".join(cells),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "UsageError" not in done.stderr
