"""How reports look in a notebook: the verdict, then a table, then what the figures depend on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rnn_magics.digits import apart, rounded
from rnn_magics.language import say, say_number
from rnn_magics.notebook.show.rich.markup import block, bold, folded, mark, muted, table
from rnn_magics.notebook.show.rich.markup import title as titled
from rnn_magics.notebook.show.tables import heads
from rnn_magics.reports.texts import MEASURES
from rnn_magics.training.run import state_of

if TYPE_CHECKING:
    from rnn_magics.inspection.diagnosis import Diagnosis, Finding
    from rnn_magics.reports.mixture import MixtureEvaluation
    from rnn_magics.reports.seeds import SeedRuns
    from rnn_magics.reports.tasks import TaskReport
    from rnn_magics.reports.texts import Evaluations, TextEvaluation
    from rnn_magics.scores.ladder import Ladder, Rung
    from rnn_magics.scores.series import SeriesErrors


def diagnosis_html(found: Diagnosis) -> str:
    """Return what the doctor found: problems first, then the checks that found none."""
    wrong = [_finding(one) for one in found if one.problem is not None]
    sound = [_finding(one) for one in found if one.problem is None]
    head = ("", *heads("check", "found, and why it matters"))
    checks = table(head, sound)
    if wrong:
        passed = say_number(
            len(sound),
            "{number} check found nothing",
            "{number} checks found nothing",
        )
        checks = block(table(head, wrong), folded(passed, checks) if sound else "")
    return block(titled(found.verdict), checks)


def _finding(one: Finding) -> tuple[object, ...]:
    if one.problem is None:
        return mark(say("ok"), good=True), one.check, one.why
    return mark(say("problem"), good=False), bold(one.check), block(one.problem, muted(one.why))


def ladder_html(ladder: Ladder) -> str:
    """Return the baselines: which is best, then a row for each."""
    rows: list[tuple[object, ...]] = [(say("guessing"), rounded(float(ladder.uniform)), "", "")]
    rows += [_rung(rung, ladder) for rung in ladder]
    head = (*heads("model", "held-out ppl", "train ppl"), "")
    note = say(
        "the perplexity of counting; that of the counted text does not measure what was learnt"
    )
    ahead = [] if ladder.series is None else _further(ladder.series)
    return block(titled(ladder.verdict), table(head, rows), muted(note), *ahead)


def _rung(rung: Rung, ladder: Ladder) -> tuple[object, ...]:
    reached, lowest = rung.valid_perplexity, ladder.best.valid_perplexity
    name, held_out = say("{order}-gram", order=rung.order), rounded(reached)
    train = rounded(rung.train_perplexity)
    if reached is None or lowest is None:
        return name, held_out, train, ""
    if rung is ladder.best:
        return bold(name), bold(held_out), train, mark(say("best"), good=True)
    return name, held_out, train, say("above the best {far}", far=apart(reached, lowest))


def evaluation_html(found: TextEvaluation) -> str:
    """Return the score of a run on a text."""
    return block(
        titled(
            say(
                "{run} on {text} ({part}): perplexity {perplexity}",
                run=found.run,
                text=found.text,
                part=say(found.part),
                perplexity=rounded(found.perplexity),
            )
        ),
        table(*_measured([found])),
        muted(_basis([found])),
        *([] if found.further is None else _further(found.further)),
    )


def _further(report: SeriesErrors | TaskReport) -> list[object]:
    head, *rows = report.table
    return [bold(report.verdict), table(head, rows), muted(report.basis)]


def evaluations_html(found: Evaluations) -> str:
    """Return the scores of runs on texts, the best of each text in bold."""
    texts = [one.source for one in found.rows[0]]
    best = [min(column, key=_perplexity) for column in zip(*found.rows, strict=True)]
    matrix = [
        [row[0].run, *(_scored(one, is_best=one is b) for one, b in zip(row, best, strict=True))]
        for row in found.rows
    ]
    more = [
        block(bold(text), table(*_measured(column)))
        for text, column in zip(texts, zip(*found.rows, strict=True), strict=True)
    ]
    return block(
        titled(say("perplexity of each run on each text; the lowest of a text is bold")),
        table((say("run"), *texts), matrix),
        folded(say("bits, words and unknown tokens"), block(*more)),
        muted(_basis(list(found))),
    )


def mixture_html(found: MixtureEvaluation) -> str:
    """Return what a run, what adapts or counts, and all together make of a text."""
    best = min(found.rows, key=_perplexity)
    return block(
        titled(
            say(
                "lowest perplexity: {perplexity}, {run}",
                perplexity=rounded(best.perplexity),
                run=best.run,
            )
        ),
        table(*_measured(found.rows)),
        muted(say("; ").join([_basis([found.run]), *found.depends])),
    )


def seeds_html(found: SeedRuns) -> str:
    """Return the runs of several seeds: how far they differ, then a row for each."""
    said = []
    if found.valid:
        said.append(say("held-out perplexity {spread}", spread=found.valid))
    if found.train:
        said.append(say("training perplexity {spread}", spread=found.train))
    rows = [
        (
            run.name,
            run.config.train.seed,
            rounded(run.train_perplexity),
            run.scored or "",
            state_of(run),
        )
        for run in found
    ]
    head = heads("run", "seed", "train ppl", "held-out ppl", "ended")
    return block(
        titled(said[0] if said else say("no epoch yet")),
        table(head, rows),
        *map(muted, [*said[1:], *found.depends]),
    )


def _perplexity(found: TextEvaluation) -> float:
    return found.perplexity


def _scored(found: TextEvaluation, *, is_best: bool) -> object:
    shown = rounded(found.perplexity)
    return bold(shown) if is_best else shown


def _measured(found: Sequence[TextEvaluation]) -> tuple[list[object], Iterable[list[object]]]:
    # Head and rows: a row for each run, and a column for each measure that has a value.
    shown = {say(name): [measure(one) for one in found] for name, measure in MEASURES.items()}
    told = {name: cells for name, cells in shown.items() if any(cells)}
    rows = zip((one.run for one in found), *told.values(), strict=True)
    return [say("run"), *told], map(list, rows)


def _basis(found: Sequence[TextEvaluation]) -> str:
    tokens = say(" and ").join(dict.fromkeys(f"{one.score.num_tokens:,}" for one in found))
    states = say(" and ").join(dict.fromkeys(say(one.score.state) for one in found))
    return say(
        "exp of the mean over all tokens of a text but the first: {tokens}; state {states}",
        tokens=tokens,
        states=states,
    )
