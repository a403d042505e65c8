"""Several runs side by side: in what they differ, and what each has reached."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, islice, pairwise, product
from typing import TYPE_CHECKING, Any

from rnn_magics.digits import apart, rounded
from rnn_magics.errors import TrainingError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import marked, say, say_in
from rnn_magics.options import check_choice
from rnn_magics.reports.baselines import Mark, compare_with_baselines
from rnn_magics.reports.columns import Column, differing_options
from rnn_magics.reports.comparable import (
    basis_in_words,
    bits_per_byte,
    comparable,
    difference_in_words,
    why_not_by_bytes,
)
from rnn_magics.results import Result
from rnn_magics.tables import aligned, pandas_or
from rnn_magics.training.endings import state_in_words
from rnn_magics.training.history import Scored
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

_MARKDOWN = re.compile(r"[\\`*\[\]<>&|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Group:
    """Runs whose perplexities can be compared, the lowest held-out perplexity first.

    Parameters
    ----------
    letter
        Its name.
    runs
        Its runs, in the order of the table.
    """

    letter: str
    runs: tuple[Run, ...]

    @property
    def basis(self) -> str:
        """What its perplexities are perplexities of, in words."""
        return basis_in_words(self.runs[0])

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The baselines of its held-out text; none if they were not fitted for any of its runs."""
        return next(filter(None, (compare_with_baselines(run).marks for run in self.runs)), ())

    @property
    def verdict(self) -> str:
        """What its best run has reached on held-out text, in one sentence; empty without one."""
        run, best = self.runs[0], best_score(self.runs[0])
        if best is None or not math.isfinite(best.perplexity):
            return ""
        alone = len(self.runs) == 1
        reached = {"run": run.name, "perplexity": rounded(best.perplexity), "when": best.when}
        said = (
            say("{run}: held-out perplexity {perplexity} {when}", **reached)
            if alone
            else say(
                "{run} predicts held-out text best: perplexity {perplexity} {when}",
                **reached,
            )
        )
        if not self.marks:
            return say("{clause}.", clause=said)
        counting = min(self.marks, key=lambda mark: mark.perplexity)
        than = {
            "clause": said,
            "name": counting.counting,
            "perplexity": rounded(counting.perplexity),
            "far": apart(best.perplexity, counting.perplexity),
        }
        if best.perplexity < counting.perplexity:
            return say("{clause}, below the best {name} ({perplexity}) {far}.", **than)
        return say("{clause}, above the best {name} ({perplexity}) {far}.", **than)


@dataclass(frozen=True)
class Table:
    """The table of a comparison: columns over all runs, and how they fall into groups.

    Parameters
    ----------
    groups
        The groups, in the order of the rows.
    columns
        The columns; the first has the names of the runs.
    """

    groups: tuple[Group, ...]
    columns: list[Column]

    @property
    def head(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def headings(self) -> list[str]:
        """What stands above the columns."""
        return [column.heading for column in self.columns]

    @property
    def sections(self) -> list[tuple[Group, list[list[str]]]]:
        """Each group with its rows."""
        rows = [list(row) for row in zip(*(c.cells for c in self.columns), strict=True)]
        ends = list(accumulate((len(group.runs) for group in self.groups), initial=0))
        parts = (rows[begin:end] for begin, end in pairwise(ends))
        return list(zip(self.groups, parts, strict=True))


@dataclass(frozen=True)
class Axis:
    """What curves are drawn against.

    Parameters
    ----------
    label
        What stands at the axis, in English; it is translated where it is shown.
    ends
        Returns where on it each epoch of a run ended.
    """

    label: str
    ends: Callable[[Run], Sequence[float]]


AXES = {
    "epochs": Axis(marked("epoch"), lambda run: range(1, len(run.history) + 1)),
    "steps": Axis(marked("steps"), lambda run: [steps for steps, _ in run.curve.epochs]),
    "tokens": Axis(
        marked("tokens of training"),
        lambda run: [steps * run.config.batching.tokens_per_batch for steps, _ in run.curve.epochs],
    ),
    "seconds": Axis(
        marked("seconds of training"), lambda run: [spent for _, spent in run.curve.epochs]
    ),
}


class Comparison(Result):
    """Runs side by side: a table of the options in which they differ and of what they reached.

    Runs whose perplexities can be compared form a group; see `rnn_magics.reports.comparable`.

    Parameters
    ----------
    runs
        The runs to compare; a run that has not finished an epoch has no results yet.
    against
        What the curves are drawn against, a name of `AXES`.

    Raises
    ------
    ConfigError
        If there is no such axis.
    TrainingError
        If no run has finished an epoch.
    """

    def __init__(self, runs: Sequence[Run], against: str = "epochs") -> None:
        check_choice("against", against, AXES)
        if not any(len(run.history) for run in runs):
            names = say(", ").join(run.name for run in runs) or say("no run")
            msg = say("nothing to compare yet: {names} must first finish an epoch", names=names)
            raise TrainingError(msg)
        self.runs, self.against = tuple(runs), against

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups; within one, perplexities can be compared.

        Of the same text, the group with the fewest bits for each byte of it stands first.
        """
        groups = [tuple(sorted(group, key=_reached)) for group in comparable(self.runs)]
        if self._by_bytes:
            groups.sort(key=lambda group: _last_if_nan(_best_bytes(group[0]) or math.inf))
        return tuple(map(Group, _letters(), groups))

    @property
    def _by_bytes(self) -> bool:
        # Whether other tokens of the same text are compared.
        return len(comparable(self.runs)) > 1 and not why_not_by_bytes(self.runs)

    @property
    def notes(self) -> list[str]:
        """Why groups cannot be compared, and which settings were changed during training."""
        groups = self.groups
        why = difference_in_words([group.runs for group in groups])
        told = [why, self._in_bytes(groups)] if why else []
        steered = [
            say(
                "{run} was steered while it trained: {changes}.",
                run=run.name,
                changes=say("; ").join(map(str, run.steered)),
            )
            for run in self.runs
            if run.steered
        ]
        return [*told, *filter(None, map(_on_test_part, groups)), *steered]

    def _in_bytes(self, groups: tuple[Group, ...]) -> str:
        if why_not := why_not_by_bytes(self.runs):
            return say("Nor can their bits per byte: {why}.", why=why_not)
        runs = [(run, _best_bytes(run)) for group in groups for run in group.runs]
        scored = sorted(
            ((run.name, bits) for run, bits in runs if bits is not None), key=lambda each: each[1]
        )
        ranked = say(", ").join(
            say("{run} {bits}", run=name, bits=rounded(bits)) for name, bits in scored
        )
        return say(
            "Bits per byte of the same held-out text can, the fewest first: {ranked}.",
            ranked=ranked,
        )

    @property
    def table(self) -> Table:
        """The options in which the runs differ and the results, a row for each run."""
        groups = self.groups
        runs = [run for group in groups for run in group.runs]
        names = Column.of(marked("run"), [run.name for run in runs], str)
        results = _results(runs)
        tested = [None if run.test is None else run.test.perplexity for run in runs]
        if any(value is not None for value in tested):
            results.insert(3, Column.of(marked("test ppl"), tested, rounded))
        if self._by_bytes:  # behind the perplexity of the held-out text
            reached = list(map(_best_bytes, runs))
            results.insert(2, Column.of(marked("bits per byte"), reached, rounded))
        return Table(groups, [names, *differing_options(runs), *results])

    def to_markdown(self) -> str:
        """Return the table as GitHub Markdown, one for each group, and what to know of it."""
        table, blocks = self.table, []
        for group, rows in table.sections:
            if len(table.groups) > 1:
                blocks.append(_plain_in_markdown(f"{group.letter}: {group.basis}"))
            blocks.append(markdown_table(table.headings, rows))
        verdicts = (group.verdict for group in table.groups)
        return "\n\n".join(
            [*blocks, *map(_plain_in_markdown, filter(None, [*verdicts, *self.notes]))]
        )

    @whole_imports()
    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each run: its group, options and results.

        Raises
        ------
        TrainingError
            If pandas is not installed.
        """
        pd = pandas_or(say("to_markdown for text"))
        table = self.table
        name, *columns = table.columns
        letters = [group.letter for group in table.groups for _ in group.runs]
        values = {column.name: column.entries for column in columns}
        index = pd.Index(name.entries, name=name.name)
        return pd.DataFrame({"group": letters, **values}, index=index)

    def __repr__(self) -> str:
        """Return the table, best held-out perplexity of each group first, and what to know."""
        table = self.table
        sections, told = table.sections, []
        all_rows = [row for _, rows in sections for row in rows]
        lines = aligned([table.headings, *all_rows]).split("\n")
        is_one = len(lines) == 1 + len(all_rows)  # no cell was wrapped, and no column left behind
        body = iter(lines[1:])
        told += lines[:1] if is_one else []
        for group, rows in sections:
            if len(sections) > 1:
                told.append(f"{group.letter}: {group.basis}")
            told += islice(body, len(rows)) if is_one else [aligned([table.headings, *rows])]
        verdicts = (group.verdict for group in table.groups)
        return "\n".join([*told, *filter(None, [*verdicts, *self.notes])])


def compare_runs(runs: Sequence[Run], *, against: str = "epochs") -> Comparison:
    """Compare runs; those that predict the same tokens form a group. See `Comparison`."""
    return Comparison(runs, against)


def _on_test_part(group: Group) -> str:
    # The best of several, and the best epoch, flatter the text that they were chosen by.
    run = group.runs[0]
    if run.test is None or run.test.perplexity is None or best_score(run) is None:
        return ""
    reached = {"run": run.name, "perplexity": rounded(run.test.perplexity)}
    return say(
        "Held-out text flatters what was chosen by it; on the test part, by which nothing was"
        " chosen, {run} reaches perplexity {perplexity}.",
        **reached,
    )


def best_score(run: Run) -> Scored | None:
    """Return the lowest held-out perplexity of a run and its epoch; None if none was scored."""
    return run.record.best


def _best_bytes(run: Run) -> float | None:
    best = best_score(run)
    return None if best is None else bits_per_byte(run, best.bits)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as GitHub Markdown; what stands in its cells is not read as Markdown.

    ``labextension/src/views/runs/markdown.ts`` writes the same.
    """
    lines = [head, ["---"] * len(head), *rows]
    plain = [lines[1] if at == 1 else map(_plain_in_markdown, row) for at, row in enumerate(lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in plain)


def _plain_in_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", text)


def _state(word: str) -> str:
    return say_in("state", word) if word == "training" else state_in_words(word)


def _results(runs: Sequence[Run]) -> list[Column]:
    best = [best_score(run) for run in runs]
    trained = [len(run.history) for run in runs]
    seconds = [sum(run.history.seconds) for run in runs]
    speed = [run.tokens_per_second if len(run.history) else None for run in runs]
    perplexities = [None if score is None else score.perplexity for score in best]
    return [
        Column.of(marked("parameters"), [run.model.num_parameters for run in runs], "{:,}".format),
        Column.of(marked("best held-out ppl"), perplexities, rounded),
        Column.of(marked("after epoch"), [None if s is None else s.epoch for s in best], str),
        Column.of(marked("epochs trained"), trained, str),
        Column.of(marked("train ppl"), [run.train_perplexity for run in runs], rounded),
        Column.of(marked("seconds"), seconds, "{:,.1f}".format),
        Column.of(marked("tokens/s"), speed, "{:,.0f}".format),
        Column.of(marked("state"), [str(run.reason or "training") for run in runs], _state),
    ]


def _letters() -> Any:
    # A to Z, then AA, AB ...
    return ("".join(word) for n in count(1) for word in product(string.ascii_uppercase, repeat=n))


def _reached(run: Run) -> tuple[bool, float]:
    # Runs without a held-out score stand behind those that have one.
    best = best_score(run)
    reached = run.train_perplexity if best is None else best.perplexity
    return best is None, math.inf if reached is None else _last_if_nan(reached)


def _last_if_nan(value: float) -> float:
    return math.inf if math.isnan(value) else value
