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
from rnn_magics.decoding.score import Score, score_text
from rnn_magics.errors import ConfigError
from rnn_magics.inspection.novelty import Novelty, measure_novelty
from rnn_magics.notebook.line.call import Call, Item, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.escapes import ESCAPES, unescaped
from rnn_magics.notebook.line.options import Line, LineOptions, flag_of, part, run_option, word
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.decoded import Generations
from rnn_magics.options import option
from rnn_magics.results import visible


@dataclass(frozen=True, kw_only=True, repr=False)
class GenerateOptions(LineOptions):
    """The options of ``%generate``."""

    prefix: str = option(
        "", "text that the model continues", metavar='"TEXT"', spelling=word(required=True)
    )
    run: str | None = run_option("whose model writes (default: the newest)")
    num: int = option(1, "write K texts at once", within=NUM_TEXTS, metavar="K")
    escapes: bool = option(False, f"read {ESCAPES} in TEXT and --stop")
    novelty: bool = option(False, "show which spans are copied from the training text")
    score: bool = option(False, "write nothing: score TEXT, token by token")
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
        if decoding.changed() or options.num > 1 or options.novelty:
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
    texts: list[Any] = [writing]
    if options.num > 1:
        texts = [Item(writing, place) for place in range(options.num)]
    kept = variable("run.vocab", vocab)
    return [Call.of("novelty", measure_novelty, text, corpus, kept) for text in texts]


def calls(desk: Desk, options: GenerateOptions) -> Sequence[Call[Any]]:
    """Return the library calls behind ``%generate``."""
    writing = writing_call(desk, options)
    return [writing, *novelty_calls(desk.session, options, writing)]


def generate(desk: Desk, options: GenerateOptions) -> Generation | Generations | Score:
    r"""Write text with a trained model, or score a given text.

    ::

        %generate "time traveller" --length 200 --temperature 0.7
        %generate "the " --greedy
        %generate "the " --num 3 --top-k 10 --seed 1
        %generate "the " --seed random
        %generate "Chapter 1\n" --escapes --stop "\n"
        %generate "the " --novelty
        %generate --score "the time machine"
    """
    writing, *novelty = calls(desk, options)
    written: Generation | Generations | Score = _write(desk, options, writing)
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
    if not desk.preferences.stream:
        written = writing()
        stream.write(f"{visible(written.shown or written.text)}\n")
        return written

    before = ""

    def write(piece: str) -> None:
        nonlocal before
        stream.write(visible(piece, before=before))
        before = piece
        if stream.isatty():  # a kernel flushes by itself, a few times a second
            stream.flush()

    written = writing(write=write)
    stream.write("\n")
    return written


MAGIC = Magic(GenerateOptions, generate, calls)
