"""``%evaluate_rnn``: scores texts with runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.language import say
from rnn_magics.notebook.line.call import Call, result_of, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import flag_of, part, run_option
from rnn_magics.notebook.line.reading import ReadingOptions, reading_call
from rnn_magics.notebook.live.reading_bar import read_watched, with_bar
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.show.notes import say_notes
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.reports.mixture import MixtureEvaluation, evaluate_mixture
from rnn_magics.reports.texts import Evaluations, TextEvaluation, evaluate_text, evaluate_texts
from rnn_magics.scores.adaptive import AdaptConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.reading.several import applying
from rnn_magics.text.series.levels import Levels
from rnn_magics.training.run import Run


@dataclass(frozen=True, kw_only=True, repr=False)
class EvaluateOptions(ReadingOptions):
    """The options of ``%evaluate_rnn``: which texts, read how, and by which runs."""

    as_is: bool = option(
        False, "do not clean the texts as that of the run was; any cleaning typed says the same"
    )
    run: str | None = run_option("which run, or all (default: the newest)")
    ngram: int | None = option(
        None,
        "also mix the run with an n-gram model of its training text, of this order, e.g. 7",
        within=AT_LEAST_ONE,
        spelling=Spelling(metavar="ORDER"),
    )
    adapting: AdaptConfig = part(AdaptConfig)

    @property
    def is_as_is(self) -> bool:
        """Whether the texts are cleaned by the line alone."""
        return self.as_is or not self.line.typed.isdisjoint(self.cleaning.cleaned())


def calls(desk: Desk, options: EvaluateOptions) -> Sequence[Call[Any]]:
    """Return the library calls behind ``%evaluate_rnn``: read the texts, then score them.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    SessionError
        If there is no run with that name, or several runs or texts are to be mixed or to adapt.
    """
    session, runs = desk.session, _runs(desk.session, options.run)
    _require_effect(options)
    if options.ngram is not None:
        return [_mixing_call(session, runs, options, options.ngram)]
    if not options.has_text and options.typed_for_a_text:
        msg = say(
            "{option} is for a text: name one, or leave it out",
            option=options.typed_for_a_text[0],
        )
        raise ConfigError(msg)
    loading = _loading_calls(runs, options)
    texts = [*map(result_of, loading)] or _own_texts(session)
    if options.adapting.adapts:
        return [*loading, _adapting_call(runs, texts, options)]
    return [*loading, _scoring_call(runs, texts, as_is=options.is_as_is)]


def _own_texts(session: Session) -> list[Corpus]:
    # Of a text whose end was set aside also that end, which its score names.
    corpus = session.require_corpus()
    test = [] if corpus.test is None else [variable("corpus.test", corpus.test)]
    return [variable("corpus", corpus), *test]


def _loading_calls(runs: list[Run], options: EvaluateOptions) -> list[Call[Corpus]]:
    # Each word is a text. All of it is scored, unless a share to hold out was typed.
    if not options.has_text:
        return []
    valid = options.cleaning.valid if "valid" in options.line.typed else 0.0
    documents = options.cleaning.documents or (None if options.as_is else _documents(runs))
    if "test" in options.line.typed:
        raise ConfigError(say("--test sets a part of the text of %corpus aside; leave it out here"))
    cleaning = replace(options.cleaning, valid=valid, documents=documents)
    how = cleaning, options.encoding or _encoding(runs)
    if options.line.cell is not None or options.data is not None:
        levels = None if options.as_is or options.data is None else _levels(runs)
        if levels is not None and options.series.levels is not None:
            msg = say(
                "a run reads a series in its own {number} levels; leave --levels out, or add"
                " --as-is",
                number=len(levels),
            )
            raise ConfigError(msg)
        return [reading_call(options, options.source, *how, options.files, "text", levels)]
    if options.name is not None and len(options.source) > 1:
        msg = say("--name names one text, not {number}; leave it out", number=len(options.source))
        raise ConfigError(msg)
    return [
        reading_call(options, [source], *how, _files(runs, options, source), f"text_{number}")
        for number, source in enumerate(options.source, start=1)
    ]


def _files(runs: list[Run], options: EvaluateOptions, source: str) -> FileConfig:
    # As the text of the runs was, if that was the same for all and as far as it applies to this
    # one; what is typed counts for more.
    ways = {FileConfig() if run.reading is None else run.reading.files for run in runs}
    same = applying(ways.pop(), source) if len(ways) == 1 else FileConfig()
    return replace(same, **_typed_of_files(options))


def _typed_of_files(options: EvaluateOptions) -> dict[str, Any]:
    given = options.files.to_dict()
    return {name: value for name, value in given.items() if name in options.line.typed}


def _encoding(runs: list[Run]) -> str | None:
    # What was typed for the text of the runs, if it was the same for all.
    typed = {None if run.reading is None else run.reading.encoding for run in runs}
    return typed.pop() if len(typed) == 1 else None


def _documents(runs: list[Run]) -> str | None:
    # What a document is in the texts of the runs, if it is the same for all.
    kinds = {None if run.reading is None else run.reading.cleaning.documents for run in runs}
    return kinds.pop() if len(kinds) == 1 else None


def _levels(runs: list[Run]) -> Levels | None:
    # Those of the first run that has some; each other one reads the series in its own.
    readings = [run.reading for run in runs if run.reading is not None]
    return next((each.levels for each in readings if each.levels is not None), None)


def _mixing_call(
    session: Session, runs: list[Run], options: EvaluateOptions, order: int
) -> Call[MixtureEvaluation]:
    if options.has_text or len(runs) > 1:
        msg = say(
            "--ngram scores one run on its own held-out text: leave TEXT out, and name one --run"
        )
        raise SessionError(msg)
    if useless := [*options.typed_for_a_text, *(["--as-is"] * options.as_is)]:
        msg = say(
            "--ngram scores a run on its own held-out text; leave {option} out", option=useless[0]
        )
        raise ConfigError(msg)
    corpus, adapting = session.require_corpus(), options.adapting
    return Call.of("evaluation", evaluate_mixture, runs[0], corpus, order, adapting)


def _adapting_call(
    runs: list[Run], texts: list[Corpus], options: EvaluateOptions
) -> Call[MixtureEvaluation]:
    if len(runs) > 1 or len(texts) > 1:
        msg = say("--dynamic and --cache are for one run and one text; name one of each")
        raise SessionError(msg)
    how, as_is = options.adapting, options.is_as_is
    return Call.of("evaluation", evaluate_mixture, runs[0], texts[0], adapting=how, as_is=as_is)


def _require_effect(options: EvaluateOptions) -> None:
    # What is typed changes how a run adapts, so it has to.
    adapting = options.adapting
    for of, adapts in (("dynamic", adapting.dynamic), ("cache", adapting.cache is not None)):
        typed = (name for name in options.line.typed if name.startswith(f"{of}_"))
        if not adapts and (name := next(typed, None)):
            msg = say(
                "{option} has no effect without {switch}; add that, or leave it out",
                option=flag_of(EvaluateOptions, name),
                switch=f"--{of}",
            )
            raise ConfigError(msg)


def _scoring_call(
    runs: list[Run], texts: list[Corpus], *, as_is: bool
) -> Call[TextEvaluation] | Call[Evaluations]:
    if len(runs) == 1 == len(texts):
        return Call.of("evaluation", evaluate_text, runs[0], texts[0], as_is=as_is)
    several = variable("runs" if len(runs) > 1 else "[run]", runs)
    return Call.of("evaluations", evaluate_texts, several, texts, as_is=as_is)


def _runs(session: Session, name: str | None) -> list[Run]:
    newest = session.require_run(None if name == "all" else name)
    return list(session.runs.values()) if name == "all" else [newest]


def evaluate_rnn(
    desk: Desk, options: EvaluateOptions
) -> Evaluations | TextEvaluation | MixtureEvaluation:
    """Score texts with runs: the session's held-out text, or texts as ``%corpus`` takes them.

    Where the session's text has a test part (``%corpus --test``), that is scored, too.

    Each word is a text; a folder or a pattern is one. A text is read as that of the run was: its
    cleaning, its encoding, and its field. Of the held-out part of a series it also says the error
    1, 4, 16 and 64 steps ahead, and of a made-up task how often the answers are right.

    ::

        %evaluate_rnn
        %evaluate_rnn time_machine my_notes.txt --run all
        %evaluate_rnn poems/*.txt --encoding cp1252
        %evaluate_rnn time_machine --lower     cleaned so, however the text of the run was
        %evaluate_rnn --data y --valid 0.5     another series, in the levels of the run
        %evaluate_rnn task:copy --length 20    longer examples than those of the training
        %evaluate_rnn --ngram 7
        %evaluate_rnn --dynamic --cache 2000 --ngram 7     adapts to what it reads, and is mixed
    """
    *loading, scoring = calls(desk, options)
    desk.session.refuse_while_training("%evaluate_rnn")
    for call in loading:
        read_watched(call)
    mixes = scoring.function is evaluate_mixture
    found: Evaluations | TextEvaluation | MixtureEvaluation = (
        with_bar(scoring, say("token")) if mixes else scoring()
    )
    say_notes(desk.session, (note for call in loading for note in call.value.notes))
    typed = _typed_of_files(options)
    if options.ngram is None and not options.is_as_is:
        for run in _runs(desk.session, options.run):
            corpora = [] if loading else [desk.session.require_corpus()]
            if said := _said_of_reading(run, corpora, _common(loading, typed)):
                print(one_line(said))
    return found


def _common(loading: Sequence[Call[Any]], typed: Mapping[str, Any]) -> FileConfig:
    # How all files were read without being told; nothing where that differs.
    used = {call.values().get("files") or FileConfig() for call in loading}
    common = used.pop() if len(used) == 1 else FileConfig()
    return replace(common, **{name: getattr(FileConfig(), name) for name in typed})


def _said_of_reading(run: Run, corpora: list[Corpus], files: FileConfig) -> str:
    # How the texts were read; of the corpus of the session, only what is wrong with that.
    if run.reading is None:
        return say(
            "run {run!r} keeps no record of how its text was read, so this one was read as it"
            " is; type the options of its %corpus, such as --lower",
            run=run.name,
        )
    more = {name for c in corpora for name in c.config.cleaned()}
    if more := more - {*run.reading.cleaning.cleaned()}:
        flags = " ".join(f"--{name.replace('_', '-')}" for name in sorted(more))
        return say(
            "the corpus was cleaned with {flags} and that of run {run!r} was not, and what is"
            " gone does not come back: name the text",
            flags=flags,
            run=run.name,
        )
    reading = str(replace(run.reading, files=files))
    if corpora or not reading:
        return ""
    return say("read as the text of run {run!r} was: {reading}", run=run.name, reading=reading)


MAGIC = Magic(EvaluateOptions, evaluate_rnn, calls)
