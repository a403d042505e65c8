"""``%generate``: writes text with a trained model, or scores a given text."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Self

from rnn_magics.decoding.decode import is_ready
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.forecast import Forecast, forecast_series
from rnn_magics.decoding.form import Form
from rnn_magics.decoding.generate import Generation, generate_many
from rnn_magics.decoding.generate import generate as generate_text
from rnn_magics.decoding.limits import NUM_TEXTS
from rnn_magics.decoding.score import Score, score_text, score_written
from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.inspection.novelty import Novelty, known_documents, measure_novelty
from rnn_magics.language import say
from rnn_magics.notebook.line.call import Call, Item, result_of, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.escapes import ESCAPES, unescaped
from rnn_magics.notebook.line.options import (
    Line,
    LineOptions,
    flag_of,
    named,
    part,
    run_option,
    word,
)
from rnn_magics.notebook.line.reading import looked_up
from rnn_magics.notebook.live.writing import writer_for
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session, Snapshot
from rnn_magics.notebook.show.bundle import show_forms
from rnn_magics.notebook.show.decoded import Generations, apart
from rnn_magics.notebook.show.written import forecast_forms, written_forms
from rnn_magics.options import Spelling, option
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.run import Run


@dataclass(frozen=True, kw_only=True, repr=False)
class GenerateOptions(LineOptions):
    """The options of ``%generate``."""

    prefix: str = option(
        "",
        "text that the model continues; of a series, by default its training part, of documents"
        " their beginning",
        spelling=word(metavar='"TEXT"'),
        label="Prefix",
    )
    run: str | None = run_option("whose model writes (default: the newest)")
    num: int = option(
        1,
        "write K texts at once; of a series, draw K paths and show their median and bands",
        within=NUM_TEXTS,
        label="Number of texts",
        spelling=Spelling(metavar="K"),
    )
    escapes: bool = option(
        False,
        lambda: say("read {escapes} in TEXT and --stop", escapes=say(ESCAPES)),
        label="Read escapes",
    )
    novelty: bool = option(
        False, "show which spans are copied from the training text", label="Mark what is copied"
    )
    surprise: bool = option(
        False,
        "colour each token by how much it surprised the model, with what else was likely",
        label="Colour by surprise",
    )
    score: bool = option(
        False, "write nothing: score TEXT, token by token", label="Only score the text"
    )
    decoding: DecodingConfig = part(DecodingConfig)
    form: Form = part(Form)
    rhyme: str | None = option(
        None,
        "a variable with a dict, token -> sound: every second line ends in the same sound",
        spelling=named(metavar="NAME", suggest="variables"),
        label="Table of rhymes",
    )

    @classmethod
    def read(cls, typed: Mapping[str, Any], line: Line | None = None) -> Self:
        """Build the options from the typed values, reading the escapes in them if asked to."""
        if typed.get("escapes"):
            texts = {name: typed[name] for name in ("prefix", "stop") if typed.get(name)}
            read = {name: unescaped(text, flag_of(cls, name)) for name, text in texts.items()}
            typed = {**typed, **read}
        if starts := typed.get("starts"):  # a Chinese keyboard has full-width commas
            apart = ",".join(starts).replace("\N{FULLWIDTH COMMA}", ",").split(",")
            typed = {**typed, "starts": tuple(filter(None, apart))}
        return super().read(typed, line)


def form_call(options: GenerateOptions) -> Call[Form] | None:
    """Return the call that makes the form of the text; None if it has none.

    Raises
    ------
    ConfigError
        If two of its options exclude each other, or the table of rhymes is not one.
    SessionError
        If there is no variable of that name.
    """
    asked = options.form.changed()
    if options.rhyme is not None:
        table = looked_up(options.rhyme, options.line.variables)
        asked["rhymes"] = variable(options.rhyme, table)
    if not asked:
        return None
    made = Call.of("form", Form, **asked)
    made()  # what is wrong with it is said before anything is written
    return made


Writing = Call[Generation] | Call[list[Generation]] | Call[Forecast] | Call[Score]


def writing_call(desk: Desk, options: GenerateOptions) -> Writing:
    """Return the library call behind ``%generate``.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others, or there is no prefix.
    """
    run, decoding = desk.session.snapshot(options.run), options.decoding
    if _is_forecast(run, options):
        return _forecasting_call(desk, options, run)
    begins = run.vocab is not None and run.vocab.marks is not None and not options.score
    if "prefix" not in options.line.typed and not begins:
        msg = say('%generate needs "TEXT" to continue, such as "the "')
        raise ConfigError(msg)
    made = form_call(options)
    if options.score:
        others = options.num > 1 or options.novelty or options.surprise
        if decoding.changed() or made or others:
            msg = say("--score writes no text, so --run is the only option that it takes")
            raise ConfigError(msg)
        return Call.of("score", score_text, run, options.prefix)
    form = result_of(made) if made else None
    if options.num > 1:
        given = run, options.prefix, decoding
        return Call.of("texts", generate_many, *given, num=options.num, form=form)
    return Call.of("text", generate_text, run, options.prefix, decoding, form=form)


def _is_forecast(run: Run | Snapshot, options: GenerateOptions) -> bool:
    # A series without a prefix, or with several paths; a single text of levels is a text.
    reads_levels = run.reading is not None and run.reading.levels is not None
    has_prefix = "prefix" in options.line.typed
    return reads_levels and not options.score and (options.num > 1 or not has_prefix)


def _forecasting_call(desk: Desk, options: GenerateOptions, run: Run | Snapshot) -> Call[Forecast]:
    formed = [flag_of(GenerateOptions, name) for name in options.form.changed()]
    useless = {"--novelty": options.novelty, "--surprise": options.surprise}
    useless |= dict.fromkeys([*formed, *["--rhyme"] * (options.rhyme is not None)], True)
    if flags := [flag for flag, is_on in useless.items() if is_on]:
        msg = say(
            "{option} is for texts, and this is a forecast of a series; leave it out",
            option=flags[0],
        )
        raise ConfigError(msg)
    decoding, typed = options.decoding, options.line.typed
    if decoding.draws and "temperature" not in typed:  # bands are those of the model at 1 only
        decoding = replace(decoding, temperature=1.0)
    start: Any = options.prefix if "prefix" in typed else variable("corpus", _series(desk.session))
    return Call.of("forecast", forecast_series, run, start, decoding, num=options.num)


def _series(session: Session) -> Corpus:
    if session.corpus is None:
        msg = say(
            "no series to continue: type its %corpus line again, or levels as a prefix, such as"
            ' %generate "3 4 4" --num 100'
        )
        raise SessionError(msg)
    return session.corpus


def novelty_calls(
    session: Session, options: GenerateOptions, writing: Call[Any]
) -> list[Call[Novelty]]:
    """Return the calls that ``--novelty`` adds, one for each text.

    Raises
    ------
    SessionError
        If the current corpus is not the training text of the run.
    """
    if not options.novelty:
        return []
    run = session.require_run(options.run)
    corpus, vocab = session.corpus_of(run), run.vocab
    assert vocab is not None  # noqa: S101  (the run was trained on that corpus)
    kept = variable("run.vocab", vocab)
    return [
        Call.of("novelty", measure_novelty, text, corpus, kept) for text in _texts(options, writing)
    ]


def surprise_calls(options: GenerateOptions, writing: Call[Any]) -> list[Call[Score]]:
    """Return the calls that ``--surprise`` adds, one for each text."""
    if not options.surprise:
        return []
    run = writing.arguments["run"]
    return [Call.of("surprise", score_written, run, text) for text in _texts(options, writing)]


def known_calls(
    session: Session, options: GenerateOptions, writing: Call[Any]
) -> list[Call[tuple[bool, ...]]]:
    """Return the call that finds out which of several documents are in the training text.

    There is none where the current corpus is not the training text of the run.
    """
    vocab, corpus = writing.arguments["run"].vocab, session.corpus
    if vocab is None or vocab.marks is None or corpus is None or options.num == 1:
        return []
    run = session.require_run(options.run)
    if run.corpus is None or run.corpus[1] != corpus.fingerprint:
        return []
    texts, kept = result_of(writing), variable("run.vocab", vocab)
    return [Call.of("known", known_documents, texts, variable("corpus", corpus), kept)]


def _texts(options: GenerateOptions, writing: Call[Any]) -> list[Any]:
    if options.num == 1:
        return [writing]
    return [Item(writing, place) for place in range(options.num)]


def calls(desk: Desk, options: GenerateOptions) -> Sequence[Call[Any]]:
    """Return the library calls behind ``%generate``."""
    writing = writing_call(desk, options)
    form = [writing.arguments["form"]] if "form" in writing.arguments else []
    novelty = novelty_calls(desk.session, options, writing)
    known = known_calls(desk.session, options, writing)
    return [*form, writing, *surprise_calls(options, writing), *novelty, *known]


def generate(desk: Desk, options: GenerateOptions) -> Generation | Generations | Forecast | Score:
    r"""Write text with a trained model, or score a given text.

    A run on a series of numbers draws futures of it, at temperature 1 unless another is typed.
    ``--num`` says how many, and ``--length`` how many steps. Without a text they go on where the
    training part of the session's series ends; what is held out is drawn beside them.

    ::

        %generate "time traveller" --length 200 --temperature 0.7
        %generate "the " --greedy
        %generate "the " --num 3 --top-k 10 --seed 1
        %generate "the " --seed random
        %generate "Chapter 1\n" --escapes --stop "\n"
        %generate "the " --novelty
        %generate "the " --surprise
        %generate "the " --starts R,N,N --only letters,space
        %generate "the " --lines 4 --line-length 5 --only han
        %generate "the " --lines 4 --rhyme sounds     sounds = {"light": "ight", ...}
        %generate --score "the time machine"
        %generate --num 100 --length 64        of a series: 100 futures of 64 steps
        %generate --num 20                     of documents: 20 of them, from beginning to end
    """
    writing = writing_call(desk, options)
    surprise = surprise_calls(options, writing)
    copied = novelty_calls(desk.session, options, writing)
    written: Generation | Generations | Score = _write(desk, options, writing)
    scores, novelties = [call() for call in surprise], [call() for call in copied]
    if isinstance(written, Generations):
        written.scores, written.novelties = tuple(scores), tuple(novelties)
        for known in known_calls(desk.session, options, writing):
            written.known = known()
    elif isinstance(written, Generation) and (scores or novelties):
        score, novelty = next(iter(scores), None), next(iter(novelties), None)
        show_forms(written_forms(written, score, novelty, is_whole=desk.has_notebook))
        _keep(desk, written)
    return written


def _write(desk: Desk, options: GenerateOptions, writing: Call[Any]) -> Any:
    run, stream = writing.arguments["run"], sys.stdout
    if options.score:
        return writing()
    if "form" not in writing.arguments and not is_ready(run.model, options.decoding):
        waits = say("compiling the generation loop for this CPU, once (about 10 seconds)")
        stream.write(f"{waits}\n")
    if writing.function is forecast_series:
        return _forecast(desk, writing)
    if options.num > 1:
        marks = None if run.vocab is None else run.vocab.marks
        return Generations(writing(), are_documents=marks is not None)
    if options.surprise or options.novelty:  # what is displayed of it has the text
        return writing()
    return _streamed(desk, writing, stream)


def _streamed(desk: Desk, writing: Call[Generation], stream: IO[str]) -> Generation:
    writer, written = writer_for(desk, stream), None
    try:
        if desk.preferences.stream:
            written = writing(write=writer)
        else:
            written = writing()
            writer.whole(*apart(written))
    finally:
        writer.end(written)
    _keep(desk, written)
    return written


def _keep(desk: Desk, shown: object) -> None:
    # A terminal shows the value of the line below it.
    if desk.has_notebook:
        desk.cell.shown.append(shown)


def _forecast(desk: Desk, writing: Call[Forecast]) -> Forecast:
    forecast = writing()
    if desk.preferences.figures:
        show_forms(forecast_forms(forecast, is_whole=desk.has_notebook))
        _keep(desk, forecast)
    return forecast


MAGIC = Magic(GenerateOptions, generate, calls)
