"""In a session, everything that is shown has passed through the catalogue, or is data.

A language is spoken in which each text stands in brackets. What is left outside of them must be
known: numbers, names, code, and what people wrote themselves.
"""

from __future__ import annotations

import gettext
import html
import re
from typing import Any

import pytest
from matplotlib.text import Text

from rnn_magics import language
from rnn_magics.decoding.generate import Generation
from rnn_magics.inspection.doctor import CHECKS
from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.notebook.live.dashboard import run_bundle
from rnn_magics.notebook.show.runs import run_figure
from rnn_magics.plotting.inspection import inspection_figure
from rnn_magics.plotting.zipf import zipf_figure
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.results import visible
from rnn_magics.text.statistics import text_statistics
from tests.notebook.conftest import SAMPLE, TEXT, TRAIN, Notebook

BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[A-Za-z]{2,}")
# What is not translated: magics, options and their values; Python; names of runs and of files.
DATA = re.compile(
    r"""
    %{1,2}\w+\??                # a magic
    | --[\w-]+                  # an option
    | `{3}python.*?`{3}         # a call
    | '(?:[^'\\]|\\.)*'         # a text or a token
    | "[^"]*"
    | \$\$.*?\$\$               # an equation
    | \b\w+(?:[._/]\w+)+\b      # a name of Python, a path
    | \b[A-Z][a-z]+(?:Config|Options)(?:\([^)]*\))?
    | <unk>
    | \b(?:x+|o+)\b             # a curve of characters
    | \b\w+(?:\|\w+)+\b        # choices
    | \b[A-Z]+\b               # the name of a value
    """,
    re.VERBOSE | re.DOTALL,
)
NAMES = {
    *CHECKS,  # of the doctor
    *("reset", "update", "candidate"),  # gates
    *("cell", "epochs", "seed"),  # options
    *("Corpus", "Generation", "Out"),  # what Python prints
    *("gru", "lstm", "rnn", "tanh", "char", "word", "seq", "random", "tiny"),
    *("cpu", "step", "eager", "compiled", "numba", "second"),
}


class Bracketed(gettext.NullTranslations):
    """A language in which each text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧" if context else message


@pytest.fixture
def bracketed(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setattr(language._spoken, "catalogue", Bracketed())
    notebook.run("%config RNNMagics.figures = False")
    return notebook


def outside(shown: str) -> set[str]:
    """Return the words that stand outside of all brackets, and are no data."""
    while (fewer := BRACKETED.sub(" ", shown)) != shown:
        shown = fewer
    return {*WORD.findall(DATA.sub(" ", shown))} - NAMES


def of_html(shown: str) -> str:
    inside = re.sub(r"<pre.*?</pre>|<[^>]*>", " ", shown, flags=re.DOTALL)
    return html.unescape(inside)


def all_forms(notebook: Notebook, thing: Any) -> str:
    forms = notebook.rich(thing)
    return f"{thing!r}\n{forms.get('text/plain', '')}\n{of_html(forms.get('text/html', ''))}"


def test_what_a_word_outside_is() -> None:
    assert outside("⟦a ⟦nested⟧ text⟧ 'data' %train_rnn --clip 12.5 loose") == {"loose"}


STEPS = {
    "corpus": f"%%corpus tiny --valid 0.4\n{TEXT}",
    "vocab": "vocab = %vocab",
    "sample": f"batches = {SAMPLE} --show 1",
    "train": f"run = {TRAIN} --epochs 2",
    "rnn": "status = %rnn",
    "doctor": "doctor = %rnn doctor",
    "second": f"second = {TRAIN} --cell lstm --name second",
    "compare": "compared = %rnn compare",
    "evaluate": "evaluated = %evaluate_rnn --run all",
    "ngram": "mixed = %evaluate_rnn --ngram 2",
    "adapt": "adapted = %evaluate_rnn --dynamic --cache 30 --ngram 2",
    "baseline": "ladder = %baseline --order 1-3",
    "seeds": f"seeds = {TRAIN} --seeds 2",
    "generate": 'text = %generate "the " --length 8 --seed 1',
    "several": 'texts = %generate "the " --length 8 --num 2',
    "score": 'score = %generate --score "the zone"',
    "hidden": 'hidden = %inspect_rnn hidden "the time"',
    "gates": 'gates = %inspect_rnn gates "the time"',
    "surprise": 'surprise = %inspect_rnn surprise "the time"',
    "gradient": 'gradient = %inspect_rnn gradient "the time"',
    "match": 'match = %inspect_rnn match "the time" --span 0:3 --threshold 0',
    "units": "units = %inspect_rnn units",
    "batches": "windows = %inspect_rnn batches",
    "play": 'play = %inspect_rnn play "the time"',
    "patch": 'patch = %inspect_rnn patch "the time" "the zone" --length 0',
    "ablate": "ablate = %inspect_rnn ablate",
    "groups": "groups = %inspect_rnn ablate 'the time the zone the time' --groups 2",
    "exercises": "exercises = %exercise 06",
    "exercise": "verdict = %exercise 06.3 0.5",
    "report": "report = %exercise --report",
    "probe": "probe = %inspect_rnn probe --feature next_space",
    "diff": 'diff = %inspect_rnn diff "the time" --run gru-1,second',
}


def test_a_session_shows_nothing_else(bracketed: Notebook) -> None:
    loose: dict[str, set[str]] = {}
    for name, cell in STEPS.items():
        written = printed(bracketed, cell)
        result = bracketed.variables.get(cell.partition(" ")[0], "")
        texts = [result] if isinstance(result, Generation) else []
        texts += result if isinstance(result, list) else []
        shown = f"{written}\n{all_forms(bracketed, result)}"
        for text in texts:
            shown = shown.replace(visible(text.shown or text.text), "")
        if found := outside(shown):
            loose[name] = found
    assert loose == {}
    run = bracketed.session.runs["gru-1"]
    told = run_bundle(run, figure=True)
    payload = told[RUN_MIME]
    words = [*payload["notes"], payload["message"], payload["architecture"], payload["place"]]
    assert outside("\n".join([*words, told["text/plain"]])) == set()


def printed(notebook: Notebook, cell: str) -> str:
    notebook._capsys.readouterr()
    notebook.run(cell)
    return notebook._capsys.readouterr().out


@pytest.mark.parametrize("view", [v for v in INSPECTORS if INSPECTORS[v].needs[-1] != "corpus"])
def test_a_picture_and_a_drawing_have_nothing_else(bracketed: Notebook, view: str) -> None:
    for name in ("corpus", "vocab", "sample", "train"):
        bracketed.run(STEPS[name])
    bracketed.run(STEPS[view])
    trace = bracketed.variables.get(STEPS[view].partition(" ")[0])
    assert isinstance(trace, Trace)
    figure = inspection_figure(view, trace)
    assert figure is not None
    drawn = outside("\n".join(text.get_text() for text in figure.findobj(Text)))
    assert {word for word in drawn if word not in TEXT} == set()
    data = trace.to_data()
    assert outside(f"{data['heading']} {data['caption']}") == set()


def test_the_pictures_of_a_text_and_of_a_run_have_nothing_else(bracketed: Notebook) -> None:
    for name in ("corpus", "vocab", "sample", "train", "second"):
        bracketed.run(STEPS[name])
    session = bracketed.session
    assert session.corpus is not None
    for figure in (
        zipf_figure(text_statistics(session.corpus, "word")),
        run_figure(session.runs["gru-1"]),
        run_figure(session.runs["second"]),
    ):
        drawn = "\n".join(text.get_text() for text in figure.findobj(Text))
        assert outside(re.sub(r"\$.*?\$", " ", drawn)) == set()


@pytest.mark.parametrize("name", MAGICS)
def test_help_has_nothing_else(bracketed: Notebook, name: str) -> None:
    magic = bracketed.shell.find_line_magic(name)
    shown = magic.getdoc()
    parser = magic.parser()
    offered = {choice for field in parser.fields for choice in parser.offered(field)}
    for choice in sorted(offered, key=len, reverse=True):
        shown = shown.replace(choice, "")
    assert outside(shown) - {"Checkpointing", "Form", "Space", "Workers"} == set()  # titles


@pytest.mark.parametrize("name", sorted(set(MAGICS) - {"load_rnn", "rnn_lab"}))
def test_an_explanation_has_nothing_else(bracketed: Notebook, name: str) -> None:
    for step in ("corpus", "vocab", "sample", "train"):
        bracketed.run(STEPS[step])
    words = {"generate": '"the "', "inspect_rnn": 'hidden "the time"'}
    words["sweep"] = "--lr 0.01,0.1"
    told = printed(bracketed, f"%{name} {words.get(name, '')} --explain").splitlines()
    comments = [line for line in told if line.startswith("# ") and not line.startswith("#     ")]
    assert comments
    assert outside("\n".join(comments)) - {"weight", "bias", "lr"} == set()


WRONG = (
    "%vocab --tokem word",
    "%vocab --token letters",
    "%vocab word",
    "%vocab --min-freq 0",
    "%vocab --min-freq much",
    "%vocab --min-freq",
    "%corpus --data nothing_here",
    "%corpus no_such_file.txt",
    "%corpus $nothing_here",
    '%corpus "unclosed',
    "%corpus x --as-tokens",
    "%sample seq --batch-size 5000",
    "%train_rnn --lr -1",
    "%train_rnn --keep-epochs 2",
    "%train_rnn --seeds 2 --background",
    "%train_rnn --resume no_such_folder",
    "%generate",
    '%generate "the " --run nobody',
    '%generate "the " --score --greedy',
    '%generate "a\\q" --escapes',
    "%inspect_rnn hidden",
    "%inspect_rnn windows",
    '%inspect_rnn hidden "the" --layer 7',
    '%inspect_rnn diff "the" --run gru-1',
    "%inspect_rnn ablate --groups many",
    "%inspect_rnn units --unit 99",
    "%evaluate_rnn --lower",
    "%evaluate_rnn --ngram 2 --run all",
    "%evaluate_rnn --dynamic --run all",
    "%evaluate_rnn --dynamic-lr 1",
    "%load_rnn no_such_file.safetensors",
    "%rnn stop",
    "%rnn doctor a b",
    "%rnn dance",
    "%rnn_lab",
)


def test_a_refusal_has_nothing_else(bracketed: Notebook) -> None:
    loose = {line for line in WRONG if outside(bracketed.refused(line))}
    for name in ("corpus", "vocab", "sample", "train", "second"):
        bracketed.run(STEPS[name])
    loose |= {line for line in WRONG if outside(bracketed.refused(line))}
    assert loose == set()
