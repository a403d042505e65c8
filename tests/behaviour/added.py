"""What was added as CONTRIBUTING.md says is known everywhere: asked for in a shell.

`test_adding.py` asks after adding it in a notebook, and runs this file on a copy of the package in
which every recipe was followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rnn_magics.notebook.panel.forms import Form

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@dataclass(frozen=True)
class Added:
    """What a section of CONTRIBUTING.md adds, and how one meets it.

    Parameters
    ----------
    name
        Under which it is registered.
    line
        Types it.
    field
        The option whose value it is; empty for a magic.
    explained
        Words of what ``--explain`` says; none where the line has no library call.
    returns
        The class of what the line returns.
    """

    name: str
    line: str
    field: str
    explained: tuple[str, ...]
    returns: str

    @property
    def magic(self) -> str:
        return self.line.split()[0].removeprefix("%")


ADDED = {
    "A cell": Added(
        "mgu",
        "%train_rnn --cell mgu --num-hiddens 8 --epochs 1",
        "cell",
        ('ModelConfig(cell="mgu"', "cell mgu:", "h_t = (1 - f_t)"),
        "Run",
    ),
    "A tokenizer": Added(
        "pair", "%vocab --token pair", "token", ('VocabConfig(token="pair")',), "Vocab"
    ),
    "A format of files": Added(
        "settings",
        "%corpus pyproject.toml --as settings",
        "format",
        ('FileConfig(format="settings")',),
        "Corpus",
    ),
    "A made-up task": Added(
        "task:echo",
        "%corpus task:echo --examples 9",
        "source",
        ('task_corpus("echo"', "best cross-entropy:", "examples: 9"),
        "Corpus",
    ),
    "A batching": Added(
        "ordered",
        "%sample --batch-size 4 --num-steps 8 ordered",
        "batching",
        ('batching="ordered"',),
        "Batches",
    ),
    "A decoder": Added(
        "sharp",
        '%generate --decoder sharp "the "',
        "decoder",
        ('decoder="sharp"', "decoder sharp:", "exp(2 o_i / T)"),
        "Generation",
    ),
    "A class of characters": Added(
        "vowels",
        '%generate "the " --length 4 --only vowels',
        "only",
        ('Form(only=("vowels",))', "the cost of a form"),
        "Generation",
    ),
    "An optimizer": Added(
        "rmsprop",
        "%train_rnn --epochs 1 --optimizer rmsprop --num-hiddens 8",
        "optimizer",
        ('optimizer="rmsprop"',),
        "Run",
    ),
    "A schedule": Added(
        "staircase",
        "%train_rnn --epochs 1 --schedule staircase --num-hiddens 8",
        "schedule",
        ('schedule="staircase"',),
        "Run",
    ),
    "A recipe": Added(
        "tiny", "%train_rnn --recipe tiny", "recipe", ("num_hiddens=8", "epochs=1"), "Run"
    ),
    "A view of a model": Added(
        "norms",
        '%inspect_rnn --power 1 norms "the time"',
        "view",
        ('inspect_rnn("norms"', "NormsConfig(power=1.0)", "view norms:", "n_t = ||h_t||_p"),
        "Norms",
    ),
    "A target of a probe": Added(
        "in_word",
        "%inspect_rnn probe --feature in_word",
        "feature",
        ('inspect_rnn("probe"', 'ProbeConfig(feature="in_word")'),
        "Probe",
    ),
    "What a unit is held at": Added(
        "median",
        "%inspect_rnn ablate --hold median",
        "hold",
        ('inspect_rnn("ablate"', 'AblateConfig(hold="median")', "view ablate:"),
        "Ablation",
    ),
    "An action of `%rnn`": Added("best", "%rnn best", "action", (), "Run"),
    "A magic": Added(
        "%count",
        "%count",
        "",
        ("text_statistics(corpus)", "law, of the token of rank r:", "text: 564 characters"),
        "TextStatistics",
    ),
}


def assert_known(notebook: Notebook, added: Added) -> None:
    """Check that help, completion, form and ``--explain`` know it, and that all of it works."""
    magic = notebook.shell.find_line_magic(added.magic)
    assert added.name in magic.getdoc()
    before, _, _ = added.line.partition(added.name)
    assert added.name in [word.strip() for word in notebook.complete(before + added.name[:2])]
    form = Form(magic.parser())
    if added.field:
        entries = form.fields[added.field].widget.options  # of a menu, with their labels
        assert added.name in [e if isinstance(e, str) else e[1] for e in entries]
        form.fields[added.field].widget.value = added.name
    assert added.name in form.magic_line()
    explained = notebook.printed(f"{added.line} --explain")
    spelt = explained.replace("'", '"')
    assert [words for words in added.explained if words not in spelt] == []
    session = notebook.session
    made = {"corpus": session.corpus, "vocab": session.vocab, "batches": session.batches}
    exec(explained, {**notebook.variables, **made, "run": session.runs["gru-1"]})
    assert type(notebook.run(added.line)).__name__ == added.returns


@pytest.mark.parametrize("section", ADDED)
def test_it_is_known(trained: Notebook, section: str) -> None:
    assert_known(trained, ADDED[section])


def test_each_is_a_section() -> None:
    from tests.recipes import recipes

    assert list(ADDED) == list(recipes())
