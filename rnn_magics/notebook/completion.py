"""TAB completion of our magics, in the kernel and so in every front end."""

from __future__ import annotations

import argparse
import itertools
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
from rnn_magics.notebook.group import SessionMagics
from rnn_magics.notebook.session import Session
from rnn_magics.notebook.words import names_of

IDENTIFIER = "rnn_magics.options"
_MAGIC = re.compile(r"^\s*(?:[\w\s,.]*=\s*)?(?P<mark>%%?)(?P<name>\w+)\s(?P<rest>.*)$", re.DOTALL)


class OptionMatcher:
    """Completes the options of a magic and their values from the parser of that magic.

    Parameters
    ----------
    shell
        Where the magics are registered.
    session
        Has the runs that ``--run`` may name.
    """

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell = shell
        self._session = session
        # IPython writes its marks on the matcher, which a bound method cannot take.
        marked = context_matcher(identifier=IDENTIFIER, priority=100)
        self.matcher = marked(lambda context: self._match(context))  # noqa: PLW0108

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        line = context.line_with_cursor[: context.cursor_position]
        match = _MAGIC.match(line)
        if match is None or self._is_text(context):
            return {"completions": []}
        magic = self._ours(match["name"], "cell" if match["mark"] == "%%" else "line")
        if magic is None:
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

    def _is_text(self, context: CompletionContext) -> bool:
        # Whether the cursor stands in the body of a cell that is ours, such as that of %%corpus.
        cell = re.match(r"%%(\w+)", context.full_text)
        return context.cursor_line > 0 and cell is not None and self._ours(cell[1], "cell")

    def _ours(self, name: str, kind: str) -> Any:
        magic = self._shell.find_magic(name, kind)
        return magic if isinstance(getattr(magic, "__self__", None), SessionMagics) else None

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
        values = self._values(self._positional(actions, before, by_flag))
        return word, values if word else [*values, *flags]

    def _positional(
        self,
        actions: list[argparse.Action],
        before: list[str],
        by_flag: dict[str, argparse.Action],
    ) -> argparse.Action | None:
        # The argument that a word without a flag is for, by how many there are already.
        valued = {flag for flag, action in by_flag.items() if action.nargs != 0}
        pairs = itertools.pairwise(["", *filter(None, before)])
        filled = sum(not w.startswith("-") and previous not in valued for previous, w in pairs)
        positional = [action for action in actions if not action.option_strings]
        repeated = [action for action in positional if action.nargs == "*"]
        return next(iter([*positional[filled:], *repeated]), None)

    def _values(self, action: argparse.Action | None) -> Iterable[str]:
        if action is None:
            return []
        if action.metavar == "RUN" or action.dest == "run":
            return list(self._session.runs)
        if action.dest == "data":
            return [name for name in names_of(self._shell.user_ns) if not name.startswith("_")]
        return offered(action)


def _last_word(rest: str) -> tuple[list[str], str]:
    words = re.split(r"\s+", rest)
    return words[:-1], words[-1]
