"""Every hostile text in every form that the package shows: corpus, names, samples, errors ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.notebook.live.progress import NotebookProgress, TerminalProgress
from rnn_magics.notebook.show.texts import preview_text
from rnn_magics.training.events import TrainEnd
from tests.notebook.payloads import PAYLOADS
from tests.notebook.show.test_escape import assert_harmless, assert_harmless_page

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

STATUS = "%rnn"
ON_THE_WAY = (
    "%corpus --data text --name $name --valid 0.3",
    "%vocab --reserved $name",
    "%vocab --zipf",
    "%sample --batch-size 2 --num-steps 4 --show 1",
    "%train_rnn --num-hiddens 4 --epochs 1 --name $name",
    STATUS,
    "%baseline --order 1-2",
    "%rnn doctor $name",
    "%generate $prefix --length 9 --run $name",
    "%generate $prefix --num 2 --length 9",
    "%generate $prefix --surprise --length 9",
    "%generate $prefix --beam 2 --length 9",
    "%evaluate_rnn",
    "%generate --score $prefix",
)
REFUSED = (
    "%corpus $name.txt",
    "%corpus --data $name",
    "%corpus x --encoding $name",
    "%corpus https://$name/",
    "%corpus x --sha256 $name",
    "%vocab --token $name",
    "%vocab $name",
    "%sample $name",
    "%train_rnn --cell $name",
    "%train_rnn --device $name",
    "%train_rnn --clip $name",
    "%train_rnn $name",
    "%generate $prefix --run $name",
    "%generate $prefix --decoder $name",
    "%generate $prefix --stop $name",
    "%baseline --order $name",
    "%rnn $name",
    "%rnn stop $name",
)


def forms(notebook: Notebook, value: Any) -> dict[str, str]:
    """Return what a front end would be given for a value."""
    if value is None:
        return {}
    return {mime: form for mime, form in notebook.rich(value).items() if isinstance(form, str)}


def assert_shown_harmlessly(shown: dict[str, str], payload: str) -> None:
    for mime, form in shown.items():
        if mime.startswith("text/"):
            assert_harmless(form)
        if mime == "text/html":
            assert_harmless_page(form)
            assert payload not in form or "<" not in payload


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_hostile_text_is_shown_as_data(
    notebook: Notebook,
    shown: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    # Such a name is refused where it is typed; what shows it must not rely on that.
    for module in ("names", "notebook.line.parser"):
        monkeypatch.setattr(f"rnn_magics.{module}.misfit", lambda _text: "")
    payload = PAYLOADS[kind]
    text = (payload[:200] + " some plain text\n") * 8
    name = payload[:60].replace("\0", "") or "x"
    notebook.run("%config RNNMagics.figures = False")
    notebook.variables.update(text=text, name=name, prefix=payload[:40] + "some")
    for cell in ON_THE_WAY:
        assert_harmless(notebook.printed(f"made = {cell}"))
        assert_shown_harmlessly(forms(notebook, notebook.variables.pop("made", None)), payload)
    for run in notebook.session.runs.values():
        TerminalProgress(run, assert_harmless)(TrainEnd("failed", run.message))
        run.message = f"ValueError: {payload}"
        lines: list[str] = []
        TerminalProgress(run, lines.append)(TrainEnd("failed", run.message))
        assert all("\n" not in line for line in lines)
        NotebookProgress(run)(TrainEnd("failed", run.message))
        assert_shown_harmlessly(forms(notebook, run), payload)
    assert_shown_harmlessly(forms(notebook, notebook.run(STATUS)), payload)
    for output in shown:
        assert_shown_harmlessly(
            {k: v for k, v in output["data"].items() if isinstance(v, str)}, payload
        )


@pytest.mark.parametrize("kind", PAYLOADS)
def test_an_error_shows_a_hostile_word_as_data(trained: Notebook, kind: str) -> None:
    trained.variables.update(name=PAYLOADS[kind], prefix="the")
    for cell in REFUSED:
        said = trained.refused(cell)
        assert_harmless(said)
        assert "\n" not in said
        assert "\t" not in said


def test_a_long_line_is_shortened_in_display_only(notebook: Notebook) -> None:
    line = PAYLOADS["long line"]
    notebook.variables["text"] = f"{line}\nend"
    corpus = notebook.run("%corpus --data text")
    assert corpus.data == f"{line}\nend"
    for form in forms(notebook, corpus).values():
        assert len(form) < 2_500


def test_a_preview_is_no_wider_for_a_long_token(notebook: Notebook) -> None:
    from rnn_magics.preview import preview

    notebook.variables["text"] = (PAYLOADS["long line"] + " ") * 40
    notebook.run("%corpus --data text")
    notebook.run("%vocab --token word")
    batches = notebook.run("%sample --batch-size 2 --num-steps 4")
    assert max(map(len, preview_text(preview(batches, 1)).splitlines())) < 200
