"""TAB completion of our magics; it runs in the kernel, so it works in every front end."""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import names_of
from rnn_magics.notebook.session.desk import Desk

IDENTIFIER = "rnn_magics.options"
_MAGIC = re.compile(r"^\s*(?:[\w\s,.]*=\s*)?(?P<mark>%%?)(?P<name>\w+)\s(?P<rest>.*)$", re.DOTALL)


class OptionMatcher:
    """Completes the options of a magic and their values, using the parser of the magic.

    Parameters
    ----------
    desk
        The shell whose lines are completed, with its variables and runs.
    commands
        Our magics by name.
    """

    def __init__(self, desk: Desk, commands: Mapping[str, Any]) -> None:
        self._desk = desk
        self._commands = commands
        self._suggestions: dict[str, Callable[[], Iterable[str]]] = {
            "runs": lambda: list(desk.session.runs),
            "variables": lambda: variables_of(desk.shell),
        }
        # IPython sets attributes on the matcher, which a bound method does not allow.
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
        fragment, candidates = self._candidates(magic.parser(), before, word)
        fitting = [SimpleCompletion(c, type="param") for c in candidates if c.startswith(fragment)]
        return {
            "completions": fitting,
            "matched_fragment": fragment,
            "suppress": bool(fitting),
            "ordered": True,
        }

    def _is_text(self, context: CompletionContext) -> bool:
        # Whether the cursor is in the body of one of our cell magics, such as %%corpus.
        cell = re.match(r"%%(\w+)", context.full_text)
        return context.cursor_line > 0 and cell is not None and self._ours(cell[1], "cell")

    def _ours(self, name: str, kind: str) -> Any:
        magic = self._desk.shell.find_magic(name, kind)
        return magic if magic is not None and magic is self._commands.get(name) else None

    def _candidates(
        self, parser: MagicParser[Any], before: list[str], word: str
    ) -> tuple[str, Iterable[str]]:
        by_flag = {flag: a for a in parser.actions for flag in a.option_strings}
        flag, equals, value = word.partition("=")
        if equals and flag in by_flag:
            return value, self._values(parser, by_flag[flag])
        if before and before[-1] in by_flag and by_flag[before[-1]].nargs != 0:
            return word, self._values(parser, by_flag[before[-1]])
        flags = [flag for flag in by_flag if flag not in before]
        if word.startswith("-"):
            return word, flags
        values = self._values(parser, self._positional(parser.actions, before, by_flag))
        return word, values if word else [*values, *flags]

    def _positional(
        self,
        actions: list[argparse.Action],
        before: list[str],
        by_flag: dict[str, argparse.Action],
    ) -> argparse.Action | None:
        # The argument that a word without a flag fills, given the words before it.
        valued = {flag for flag, action in by_flag.items() if action.nargs != 0}
        pairs = itertools.pairwise(["", *filter(None, before)])
        filled = sum(not w.startswith("-") and previous not in valued for previous, w in pairs)
        positional = [action for action in actions if not action.option_strings]
        repeated = [action for action in positional if action.nargs == "*"]
        return next(iter([*positional[filled:], *repeated]), None)

    def _values(self, parser: MagicParser[Any], action: argparse.Action | None) -> Iterable[str]:
        if action is None:
            return []
        suggest = parser.fields[action.dest].spelling.suggest
        if isinstance(suggest, str) and suggest:
            return self._suggestions[suggest]()
        return parser.offered(action.dest)


def variables_of(shell: InteractiveShell) -> list[str]:
    """Return the names that a user has given."""
    return [name for name in names_of(shell.user_ns) if not name.startswith("_")]


def _last_word(rest: str) -> tuple[list[str], str]:
    words = re.split(r"\s+", rest)
    return words[:-1], words[-1]
