"""What ``--explain`` shows: the library call, its equations, and the shapes in this session.

As plain text, an explanation is runnable Python: the call, followed by comments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.equations import plain_math
from rnn_magics.notebook.line.theories import THEORIES, Theory
from rnn_magics.notebook.session.session import Session
from rnn_magics.results import visible


@dataclass(frozen=True)
class Explanation:
    """A library call with its equations and shapes.

    Parameters
    ----------
    source
        The Python source of the call.
    theory
        The equations and shapes.
    """

    source: str
    theory: Theory = field(default_factory=Theory)

    def plain(self) -> str:
        """Return runnable Python: the source, then the equations and shapes as comments."""
        lines = []
        for name, latex in self.theory.equations.items():
            lines += [f"{name}:", *(f"    {line}" for line in plain_math(latex).split("\n"))]
        lines += [f"{name}: {words}" for name, words in self.theory.shapes.items()]
        comments = "".join(f"# {visible(line, keep='')}\n" for line in lines)
        return f"{self.source}\n{comments}" if comments else self.source

    def markdown(self) -> str:
        """Return the explanation as Markdown, with typeset equations."""
        parts = [f"```python\n{self.source.rstrip()}\n```"]
        parts += [f"{name}:\n\n$${latex}$$" for name, latex in self.theory.equations.items()]
        parts += [f"- `{name}`: {words}" for name, words in self.theory.shapes.items()]
        return "\n\n".join(parts)


def explain(session: Session, *calls: Call[Any]) -> Explanation:
    """Explain the calls that a magic makes, without changing the session."""
    equations: dict[str, str] = {}
    shapes: dict[str, str] = {}
    for call in calls:
        if call.function in THEORIES:
            theory = THEORIES[call.function](session, call.values())
            equations |= {name: latex for name, latex in theory.equations.items() if latex}
            shapes |= theory.shapes
    return Explanation("\n".join(call.source() for call in calls), Theory(equations, shapes))
