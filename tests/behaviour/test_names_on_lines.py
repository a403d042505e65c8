"""A name is one line of text, wherever one is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

ENDS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", [*ENDS, "\x1b[31m", "\u202e"])
@pytest.mark.parametrize(
    "line",
    [
        "%train_rnn --name $bad",
        "%train_rnn --checkpoint $bad",
        "%load_rnn x.safetensors --name $bad",
        "%corpus --name $bad",
        "%%corpus --name $bad\ntext",
    ],
)
def test_a_name_of_two_lines_is_refused(
    prepared: Notebook, line: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepared.variables["bad"] = f"x?{end}!touch pwned{end}#"
    assert "names are one line of text" in prepared.refused(line)
    assert list(tmp_path.iterdir()) == []
