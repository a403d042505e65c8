"""The notebook behind the launcher card does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[2] / "labextension" / "src" / "lab" / "begin" / "quickstart.ts"


def test_every_cell_of_the_quickstart_runs(notebook: Any) -> None:
    cells = [
        cell.replace("\\n", "\n")
        for cell in re.findall(
            r"^    code\('(.*)'\),?$", SOURCE.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert cells[0] == "%load_ext rnn_magics"
    for cell in cells:
        notebook.run(cell.replace("--epochs 4", "--epochs 4 --max-tokens 2048 --threads 1"))
    assert notebook.variables["run"].reason == "max_tokens"
    assert len(notebook.variables["vocab"]) > 50
