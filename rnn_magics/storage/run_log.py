"""The log of a run, ``history.jsonl``: which of its lines the run in the folder has written.

Today a folder belongs to one training at a time (`rnn_magics.storage.claim`). A folder of an
earlier version, or one whose files were put together by hand, may have the lines of several. What
the run is, its newest checkpoint says; the log is compared with that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, TypeGuard

from rnn_magics.language import say, say_number
from rnn_magics.storage.strict import from_float
from rnn_magics.training.endings import Ending
from rnn_magics.training.run import Run

Log = Mapping[int, Mapping[str, Any]]  # the lines that could be read, by number
_PLANNED = {str(ending) for ending in Ending if ending.as_planned}
_MOST_RANGES = 8


def is_of_one_run(log: Log, newest: int) -> bool:
    """Whether one training, with its resumptions, can have written a log.

    Its steps and epochs only grow, an end is followed by a resumption only, and a run that has
    ended as planned is resumed only if that checkpoint is lost. Lines may be missing.

    Parameters
    ----------
    log
        The lines, in order.
    newest
        The number of steps of the newest checkpoint.
    """
    epochs: list[tuple[int, int]] = []  # with their steps
    reached, planned, lost, has_ended, has_resumed = 0, 0, 0, False, False
    for line in log.values():
        match line:
            case {"resumed": int(step)}:
                lost = planned if step < planned else 0
                epochs = [told for told in epochs if told[1] <= step]
                reached, planned, has_ended, has_resumed = step, 0, False, True
            case {"epoch": int(epoch), "steps": int(step)}:
                last = epochs[-1][0] if epochs else 0
                grows = epoch > last or (epoch == last and has_resumed)  # it was cut short before
                if has_ended or step < reached or not grows:
                    return False
                epochs.append((epoch, step))
                reached, has_resumed = step, False
            case {"end": str(reason), "steps": int(step)}:
                if has_ended or step < reached:
                    return False
                planned = step if reason in _PLANNED else 0
                reached, has_ended = step, True
    return not reached < lost <= newest  # what is there need not be trained again


def of_others(log: Log, run: Run, newest: int) -> list[int]:
    """Return the numbers of the lines that are not part of a run.

    An epoch is known by its figures, its seconds among them. An end or a resumption is taken for
    that of the run where it fits between its epochs.

    Parameters
    ----------
    log
        The lines, in order.
    run
        The run of the newest checkpoint.
    newest
        The number of steps of that checkpoint.
    """
    columns = run.history.to_dict()
    own = {number for number, line in log.items() if _is_epoch_of(line, columns)}
    steps = {number: log[number]["steps"] for number in own}

    def fits(number: int, step: Any) -> bool:
        before = [steps[n] for n in own if n < number]
        after = [steps[n] for n in own if n > number]
        return bool(max(before, default=0) <= step <= min(after, default=newest))

    resumed = {n: line["resumed"] for n, line in log.items() if _is_whole(line.get("resumed"))}
    resumed = {n: step for n, step in resumed.items() if fits(n, step)}
    ends = {n: line for n, line in log.items() if "end" in line and _is_whole(line.get("steps"))}
    last = [n for n, line in ends.items() if (line["end"], line["steps"]) == (run.reason, newest)]
    paused = [n for n, line in ends.items() if fits(n, line["steps"])]
    went_on = {n for n in paused if any(m > n and log[n]["steps"] == resumed[m] for m in resumed)}
    known = own | set(resumed) | set(last[-1:]) | went_on
    return [number for number in log if number not in known]


def _is_epoch_of(line: Mapping[str, Any], columns: Mapping[str, Sequence[float | None]]) -> bool:
    epoch = line.get("epoch")
    if not _is_whole(epoch) or not _is_whole(line.get("steps")):
        return False
    if not 1 <= epoch <= len(columns["train_perplexity"]):
        return False
    values = {name: column[epoch - 1] for name, column in columns.items() if name in line}
    plain = {name: None if v is None else from_float(v) for name, v in values.items()}
    return "train_perplexity" in plain and all(line[n] == value for n, value in plain.items())


def _is_whole(value: Any) -> TypeGuard[int]:
    return type(value) is int


def note_on(log: Log, run: Run, newest: int) -> str:
    """Say which lines of a log are not part of a run; nothing if all are. See `of_others`."""
    others = of_others(log, run, newest)
    if not others:
        return ""
    return say_number(
        len(others),
        "{lines} of history.jsonl is not of this run: another training wrote there, too",
        "{lines} of history.jsonl are not of this run: another training wrote there, too",
        lines=lines_in_words(others),
    )


def lines_in_words(numbers: Sequence[int]) -> str:
    """Return line numbers in words: ``line 3``, ``lines 3, 5-7``."""
    # Neighbours differ from their place in the list by the same number.
    ranges = [
        [number for _, number in group]
        for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    shown = [f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in ranges[:_MOST_RANGES]]
    more = sum(map(len, ranges[_MOST_RANGES:]))
    lines = ", ".join(shown)
    if more:
        return say("lines {lines} and {more} more", lines=lines, more=more)
    return say_number(len(numbers), "line {lines}", "lines {lines}", lines=lines)


def epoch_line(run: Run) -> dict[str, Any]:
    """Return the last epoch of a run as a line of the history."""
    values = {name: column[-1] for name, column in run.history.to_dict().items()}
    plain = {name: None if v is None else from_float(v) for name, v in values.items()}
    return {"epoch": len(run.history), "steps": run.steps, "tokens": run.tokens, **plain}
