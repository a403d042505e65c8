"""Wherever a run is shown, how it ended is said in words, never by its name in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from rnn_magics.language import speaking
from rnn_magics.notebook.panel.panel import ControlPanel
from rnn_magics.notebook.show.comparison import comparison_bundle
from rnn_magics.reports.comparison import compare_runs
from rnn_magics.training.endings import Ending

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

# Names that are no word of a sentence, and one that is the word of an option.
NAMES = re.compile(r"max_time|max_tokens|non_finite|out_of_memory|\bepochs\)|: epochs\b")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("ending", Ending)
def test_an_ending_is_shown_in_words(trained: Notebook, ending: Ending, language: str) -> None:
    session = trained.session
    run = session.require_run()
    run.reason = ending
    with speaking(language):
        panel = ControlPanel(trained.shell, session, lambda _line: None)
        compared = compare_runs([run])
        shown = {
            "%rnn": trained.rich(trained.run("%rnn")),
            "%rnn compare": comparison_bundle(compared),
            "Markdown": {"text/markdown": compared.to_markdown()},
            "a run": trained.rich(run),
            "the panel": {"text/plain": panel.sections["train_rnn"].head.said},
        }
        words = ending.in_words
    for where, forms in shown.items():
        for kind, text in forms.items():
            if kind in ("text/plain", "text/html", "text/markdown"):
                assert not NAMES.search(str(text)), (where, kind)
        assert words in str(forms.get("text/plain", forms)), where
