"""``%generate``: writes text with a trained model, or scores a given text."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from IPython.display import display

from rnn_magics.decoding.decode import is_ready
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import Generation, generate_many
from rnn_magics.decoding.generate import generate as generate_text
from rnn_magics.decoding.limits import NUM_TEXTS
from rnn_magics.decoding.score import Score, score_text, score_written
from rnn_magics.errors import ConfigError
from rnn_magics.inspection.novelty import Novelty, measure_novelty
from rnn_magics.notebook.line.call import Call, Item, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.escapes import ESCAPES, unescaped
from rnn_magics.notebook.line.options import Line, LineOptions, flag_of, part, run_option, word
from rnn_magics.notebook.live.writing import writer_for
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.decoded import Generations, apart
from rnn_magics.options import Spelling, option


@dataclass(frozen=True, kw_only=True, repr=False)
class GenerateOptions(LineOptions):
    """The options of ``%generate``."""

    prefix: str = option(
        "",
        "text that the model continues",
        spelling=word(metavar='"TEXT"', required=True),
        label="Prefix",
    )
    run: str | None = run_option("whose model writes (default: the newest)")
    num: int = option(
        1,
        "write K texts at once",
        within=NUM_TEXTS,
        label="Number of texts",
        spelling=Spelling(metavar="K"),
    )
    escapes: bool = option(False, f"read {ESCAPES} in TEXT and --stop", label="Read escapes")
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

    @classmethod
    def read(cls, typed: Mapping[str, Any], line: Line | None = None) -> Self:
        """Build the options from the typed values, reading the escapes in them if asked to."""
        if typed.get("escapes"):
            texts = {name: typed[name] for name in ("prefix", "stop") if typed.get(name)}
            read = {name: unescaped(text, flag_of(cls, name)) for name, text in texts.items()}
            typed = {**typed, **read}
        return super().read(typed, line)


def writing_call(
    desk: Desk, options: GenerateOptions
) -> Call[Generation] | Call[list[Generation]] | Call[Score]:
    """Return the library call behind ``%generate``.

    Raises
    ------
    ConfigError
        If an option has no effect together with ``--score``.
    """
    run, decoding = desk.session.snapshot(options.run), options.decoding
    if options.score:
        if decoding.changed() or options.num > 1 or options.novelty or options.surprise:
            msg = "--score writes no text, so --run is the only option that it takes"
            raise ConfigError(msg)
        return Call.of("score", score_text, run, options.prefix)
    if options.num > 1:
        return Call.of("texts", generate_many, run, options.prefix, decoding, num=options.num)
    return Call.of("text", generate_text, run, options.prefix, decoding)


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


def _texts(options: GenerateOptions, writing: Call[Any]) -> list[Any]:
    if options.num == 1:
        return [writing]
    return [Item(writing, place) for place in range(options.num)]


def calls(desk: Desk, options: GenerateOptions) -> Sequence[Call[Any]]:
    """Return the library calls behind ``%generate``."""
    writing = writing_call(desk, options)
    novelty = novelty_calls(desk.session, options, writing)
    return [writing, *surprise_calls(options, writing), *novelty]


def generate(desk: Desk, options: GenerateOptions) -> Generation | Generations | Score:
    r"""Write text with a trained model, or score a given text.

    ::

        %generate "time traveller" --length 200 --temperature 0.7
        %generate "the " --greedy
        %generate "the " --num 3 --top-k 10 --seed 1
        %generate "the " --seed random
        %generate "Chapter 1\n" --escapes --stop "\n"
        %generate "the " --novelty
        %generate "the " --surprise
        %generate --score "the time machine"
    """
    writing = writing_call(desk, options)
    surprise = surprise_calls(options, writing)
    novelty = novelty_calls(desk.session, options, writing)
    written: Generation | Generations | Score = _write(desk, options, writing)
    scores = [call() for call in surprise]
    if isinstance(written, Generations):
        written.scores = tuple(scores)
    else:
        for score in scores:
            display(score)
    for call in novelty:
        display(call())
    return written


def _write(desk: Desk, options: GenerateOptions, writing: Call[Any]) -> Any:
    run, stream = writing.arguments["run"], sys.stdout
    if options.score:
        return writing()
    if not is_ready(run.model, options.decoding):
        stream.write("compiling the generation loop for this CPU, once (about 10 seconds)\n")
    if options.num > 1:
        return Generations(writing())
    if options.surprise:  # what is displayed of it has the text
        return writing()
    writer = writer_for(desk, stream)
    if not desk.preferences.stream:
        written = writing()
        writer.whole(*apart(written))
        return written
    try:
        return writing(write=writer)
    finally:
        writer.end()


MAGIC = Magic(GenerateOptions, generate, calls)
