"""Models of other people's files, whatever their numbers, through the magics that read a model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from IPython.core.error import UsageError

from rnn_magics.decoding.decoders import DECODERS
from rnn_magics.models.rnn_model import copy_model
from rnn_magics.storage.model_file import save_run
from rnn_magics.training.run import copy_run
from tests.notebook.magics.test_inspect_rnn import LINES

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

VIEWS = {view: line for view, line in LINES.items() if view != "batches"}
VIEWS["diff"] = '%inspect_rnn diff "the time"'  # with the run that was loaded
READING = [
    *VIEWS.values(),
    *(f"%generate the --length 5 --decoder {decoder}" for decoder in DECODERS),
    "%generate the --length 5 --beam 2",
    "%generate --score 'the time'",
    "%evaluate_rnn",
    "%evaluate_rnn --ngram 2",
    "%evaluate_rnn --dynamic --cache 9",
    "%rnn doctor",
]
WRITING = ["%rnn code", "%save_rnn again.safetensors"]


def load(
    notebook: Notebook, dtype: torch.dtype = torch.float32, spoil: float | None = None
) -> None:
    """Load a file with the model of the session, in another precision or with one number spoilt."""
    run = copy_run(notebook.session.require_run())
    run.model = copy_model(run.model).to(dtype)
    if spoil is not None:
        with torch.no_grad():
            run.model.output.bias[2] = spoil
    save_run(run, "other.safetensors")
    notebook.run("_loaded = %load_rnn other.safetensors --name other")
    assert notebook.session.require_run().name == "other"
    assert notebook.session.require_run().model.output.bias.dtype == dtype


@pytest.fixture
def reader(trained: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.chdir(tmp_path)
    return trained


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_every_magic_reads_a_model_of_every_precision(reader: Notebook, dtype: torch.dtype) -> None:
    load(reader, dtype)
    for line in [*READING, *WRITING]:
        shown = reader.rich(reader.run(line))
        assert "text/plain" in shown
    again = reader.run("%load_rnn again.safetensors --name again")
    assert again.model.output.bias.dtype == dtype
    assert torch.equal(again.model.output.bias, reader.session.runs["other"].model.output.bias)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_every_magic_names_the_weight_that_is_not_finite(reader: Notebook, value: float) -> None:
    load(reader, spoil=value)
    for line in READING:
        error = reader.shell.run_cell(line).error_in_exec
        assert type(error) is UsageError, line
        assert str(error).startswith(f"output.bias holds {value} ("), line
        assert "\n" not in str(error)
    for line in WRITING:  # what is there can be kept and written out
        reader.run(line)
