"""A text, a series or a form that cannot be: one line, and a session as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

NAMES = "%%corpus names --documents line --valid 0.3\n" + "emma\nolivia\nava\nzoe\n" * 9


@pytest.fixture
def here(trained: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """With a run, and in a folder of files."""
    records = [{"text": "one", "scores": [1, 2.5]}, {"text": "two", "scores": [3]}]
    (tmp_path / "scores.jsonl").write_text("\n".join(map(json.dumps, records)))
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    monkeypatch.chdir(tmp_path)
    trained.variables.update(rising=list(range(99)), same=[2.0] * 99)
    return trained


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "%vocab --token bpe --max-size 200",
            (
                "--max-size 200 has no room for the 256 tokens that bpe always has; with <unk> and"
                " the reserved tokens they need 257: --max-size 257"
            ),
        ),
        (
            "%vocab --token byte --reserved a,bc --max-size 258",
            (
                "--max-size 258 has no room for the 256 tokens that byte always has; with <unk> and"
                " the reserved tokens they need 259: --max-size 259"
            ),
        ),
        (
            "%%corpus poem --documents line --valid 0.1\nb\n" + "a" * 2000,
            (
                "every document of 'poem' is in its training part: the last of 2 has 2,000 of 2,001"
                " characters, and begins before the last 10% of them; hold out more with --valid,"
                " or nothing with --valid 0"
            ),
        ),
        (
            "%corpus --data rising --levels 1",
            "--levels must be in [2, 10000], not 1",
        ),
        (
            "%corpus --data same --levels 5",
            (
                "'same' is constant: every value to train on is 2, so there is nothing to predict;"
                " give a series that changes"
            ),
        ),
        (
            "%corpus scores.jsonl --field scores",
            (
                "record 1 of 'scores.jsonl': the field 'scores' holds a number, not text; name"
                " another with --field, or make a sequence of tokens in Python and use --data"
            ),
        ),
        (
            '%generate "the" --lines 4 --line-length 60',
            (
                "the form takes 245 tokens with its line breaks, and --length allows 200; ask for"
                " less, or for --length 245"
            ),
        ),
        (
            '%generate "the" --starts zz,a',
            (
                "the beginning 'zz' of --starts needs tokens that are not in the vocabulary"
                ": 'z'; choose another"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused(here: Notebook, line: str, said: str) -> None:
    assert here.refused(line) == said


def test_a_document_longer_than_what_is_kept_of_its_corpus(here: Notebook) -> None:
    here.run("%%corpus names --documents line --valid 0.3 --max-tokens 5\n" + "isabella\nava\n" * 9)
    assert here.refused("%vocab") == (
        "the first document of 'names' has 10 tokens with its marks, more than --max-tokens 5;"
        " keep more tokens"
    )


def test_a_table_whose_reader_is_not_installed(
    here: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    assert here.refused("%corpus table.parquet --field text") == (
        "reading 'table.parquet' needs pyarrow: pip install 'rnn_magics[parquet]'"
    )


@pytest.mark.parametrize("line", ["%rnn page run.html", '%inspect_rnn play "em"'])
@pytest.mark.parametrize(
    ("corpus", "token", "said"),
    [
        (None, "bpe", "a page splits text at spaces or into characters, not into tokens of bpe;"),
        (None, "byte", "a page splits text at spaces or into characters, not into tokens of byte;"),
        (NAMES, "char", "a page does not begin and end documents, and this model was trained on"),
    ],
)
def test_a_page_does_not_play_bytes_pieces_or_documents(
    here: Notebook, line: str, corpus: str | None, token: str, said: str
) -> None:
    for step in (
        *filter(None, [corpus]),
        f"%vocab --token {token}",
        "%sample seq --batch-size 2 --num-steps 4",
        "%train_rnn --num-hiddens 4 --max-tokens 8 --no-baseline",
    ):
        here.run(step)
    assert here.refused(line).startswith(said)
    assert not Path("run.html").exists()
