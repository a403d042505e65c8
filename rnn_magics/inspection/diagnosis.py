"""What the doctor found, check by check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnn_magics.language import say
from rnn_magics.results import Result
from rnn_magics.tables import columns_of, wrapped

_SAID = 9  # columns of "PROBLEM" and the space behind it


@dataclass(frozen=True)
class Finding(Result):
    """What a check found.

    Parameters
    ----------
    check
        A name of `CHECKS`.
    problem
        A sentence that says what is wrong and what to do; None if nothing is wrong.
    why
        A sentence that says why the check matters.
    """

    check: str
    problem: str | None
    why: str = ""

    def __repr__(self) -> str:
        """Return what was found, and below it why it matters; in a terminal it fits the width."""
        said = say("ok") if self.problem is None else say("PROBLEM")
        found = self.check if self.problem is None else f"{self.check}: {self.problem}"
        gap = " " * (_SAID - columns_of(said))
        lines = [f"{said}{gap}{found}", *([" " * _SAID + self.why] if self.why else [])]
        return "\n".join(wrapped(line, indent=" " * _SAID) for line in lines)


@dataclass(frozen=True)
class Diagnosis(Result):
    """The findings of all checks, in the order of `CHECKS`."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> dict[str, str]:
        """The problems by the name of the check."""
        return {f.check: f.problem for f in self.findings if f.problem is not None}

    def __iter__(self) -> Iterator[Finding]:
        """Yield the findings."""
        return iter(self.findings)

    @property
    def verdict(self) -> str:
        """How many checks found something, in words."""
        wrong, number = len(self.problems), len(self.findings)
        if not wrong:
            return say("no problem found by {number} checks", number=number)
        return say("{wrong} of {number} checks found a problem", wrong=wrong, number=number)

    def __repr__(self) -> str:
        """Return the verdict, then each finding."""
        return "\n".join((self.verdict, *map(repr, self.findings)))
