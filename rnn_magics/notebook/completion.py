"""TAB completion of our magics, in the kernel and so in every front end."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.notebook.arguments import offered
from rnn_magics.notebook.magics import RNNMagics

IDENTIFIER = "rnn_magics.options"
_MAGIC = re.compile(r"^\s*(?:[\w\s,.]*=\s*)?(?P<mark>%%?)(?P<name>\w+)\s(?P<rest>.*)$", re.DOTALL)


class OptionMatcher:
    """Completes the options of a magic and their values from the parser of that magic.

    Parameters
    ----------
    shell
        Where the magics are registered.
    magics
        Ours; the values of ``--run`` and ``--data`` come from its session and shell.
    """

    def __init__(self, shell: InteractiveShell, magics: RNNMagics) -> None:
        self._shell = shell
        self._magics = magics
        # IPython writes its marks on the matcher, which a bound method cannot take.
        marked = context_matcher(identifier=IDENTIFIER, priority=100)
        self.matcher = marked(lambda context: self._match(context))  # noqa: PLW0108

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        line = context.line_with_cursor[: context.cursor_position]
        match = _MAGIC.match(line)
        if match is None or (match["mark"] == "%%" and context.cursor_line > 0):
            return {"completions": []}
        kinds = ("cell", "line") if match["mark"] == "%%" else ("line",)
        found = (self._shell.find_magic(match["name"], kind) for kind in kinds)
        magic: Any = next(filter(None, found), None)
        if not isinstance(getattr(magic, "__self__", None), RNNMagics):
            return {"completions": []}
        before, word = _last_word(match["rest"])
        fragment, candidates = self._candidates(magic.parser().actions, before, word)
        fitting = [SimpleCompletion(c, type="param") for c in candidates if c.startswith(fragment)]
        return {
            "completions": fitting,
            "matched_fragment": fragment,
            "suppress": bool(fitting),
            "ordered": True,
        }

    def _candidates(
        self, actions: list[argparse.Action], before: list[str], word: str
    ) -> tuple[str, Iterable[str]]:
        by_flag = {flag: action for action in actions for flag in action.option_strings}
        flag, equals, value = word.partition("=")
        if equals and flag in by_flag:
            return value, self._values(by_flag[flag])
        if before and before[-1] in by_flag and by_flag[before[-1]].nargs != 0:
            return word, self._values(by_flag[before[-1]])
        flags = [flag for flag in by_flag if flag not in before]
        if word.startswith("-"):
            return word, flags
        positional = [a for a in actions if not a.option_strings]
        values = [value for action in positional for value in self._values(action)]
        return word, values if word else [*values, *flags]

    def _values(self, action: argparse.Action) -> Iterable[str]:
        if action.dest == "run":
            return list(self._magics.session.runs)
        if action.dest == "data":
            return [name for name in self._shell.user_ns if not name.startswith("_")]
        return offered(action)


def _last_word(rest: str) -> tuple[list[str], str]:
    words = re.split(r"\s+", rest)
    return words[:-1], words[-1]
