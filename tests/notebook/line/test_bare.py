"""Lines as people write them: bare words, semicolons, comments, and the variables of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rnn_magics.notebook.extension import MAGICS

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@pytest.mark.parametrize("name", MAGICS)
def test_a_bare_word_is_a_variable_and_changes_nothing(trained: Notebook, name: str) -> None:
    trained.shell.automagic = True
    with trained.unchanged():
        with pytest.raises(NameError, match=name):
            trained.run(name)
        trained.variables[name] = 7
        assert trained.run(name) == 7
        assert trained.run(f" {name} ") == 7
        del trained.variables[name]


def test_with_more_than_the_bare_word_automagic_goes_on(prepared: Notebook) -> None:
    prepared.shell.automagic = True
    assert len(prepared.run("vocab --max-size 5")) == 5


def test_a_semicolon_shows_nothing_and_assigns_all_the_same(
    prepared: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert prepared.run("%sample --num-steps 4;") is None
    assert "Out[" not in capsys.readouterr().out
    prepared.run("batches = %sample --num-steps 5 ;  # five")
    assert prepared.variables["batches"].config.num_steps == 5


def test_a_comment_is_no_argument(notebook: Notebook) -> None:
    corpus = notebook.run("%corpus python_docs --max-tokens 99      # a name, a path, a URL")
    assert corpus.name == "python_docs"


def test_variables_come_from_the_calling_scope(prepared: Notebook) -> None:
    prepared.variables["n"] = 9
    prepared.run(
        "def sizes():\n"
        "    n = 5\n"
        "    inner = get_ipython().run_line_magic('vocab', '--max-size $n')\n"
        "    return len(inner)\n"
    )
    assert prepared.run("sizes()") == 5
    assert len(prepared.run("%vocab --max-size $n")) == 9


def test_a_loop_writes_a_file_for_each(
    trained: Notebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("models")
    trained.variables["folder"] = folder
    trained.run("for h in (4, 6):\n    %save_rnn $folder/gru-{h}.safetensors")
    assert sorted(path.name for path in folder.iterdir()) == [
        "gru-4.safetensors",
        "gru-6.safetensors",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%sample -b 4", "%sample has no option -b; did you mean --batch-size?"),
        (
            "%train_rnn -e 3",
            "%train_rnn has no option -e; did you mean --every or --embedding-size",
        ),
        ("%sample -z", "%sample has no option -z; %sample? lists them"),
    ],
)
def test_a_short_option_is_answered_with_the_long_ones(
    prepared: Notebook, line: str, said: str
) -> None:
    assert prepared.refused(line).startswith(said)
