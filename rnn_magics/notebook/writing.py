"""From ``%generate`` to text."""

from __future__ import annotations

import argparse
from typing import Any, TextIO

from rnn_magics.decoding.decode import is_ready
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import Generation, generate
from rnn_magics.decoding.score import Score
from rnn_magics.errors import ConfigError
from rnn_magics.notebook.arguments import collect
from rnn_magics.notebook.calls import Call, Named
from rnn_magics.notebook.session import Session, Snapshot
from rnn_magics.notebook.visible import visible
from rnn_magics.training.run import Run


class Generations(list[Generation]):
    """Several texts from one prefix."""

    def __repr__(self) -> str:
        """Each text, numbered."""
        texts = (f"[{i + 1}] {g!r}\n{visible(g.text)}" for i, g in enumerate(self))
        return "\n\n".join(texts)


def decoding_call(run: Run | Snapshot, options: argparse.Namespace) -> Call:
    """Return the library call that the options of ``%generate`` stand for."""
    config = collect(DecodingConfig, options)
    num = getattr(options, "num", 1)
    named = Named("run", run)
    if hasattr(options, "score"):
        if config.changed() or num > 1 or hasattr(options, "novelty"):
            msg = "--score writes nothing, so it goes with no option but --run"
            raise ConfigError(msg)
        return Call("score", "score", (named, options.prefix))
    if num > 1:
        return Call("texts", "generate_many", (named, options.prefix, config), {"num": num})
    return Call("text", "generate", (named, options.prefix, config))


def write_text(
    call: Call, stream: TextIO, *, while_it_grows: bool
) -> Generation | Generations | Score:
    """Make the call; a single text is written to `stream`, as it grows or when it is whole."""
    if call.function != "score":
        run, _, config = call.args
        if not is_ready(run.value.model, config):
            stream.write("compiling the writing loop for this CPU, once (some 10 seconds)\n")
    if call.function != "generate" or not while_it_grows:
        result: Any = call()
        if isinstance(result, Generation):
            stream.write(f"{visible(result.text)}\n")
        return Generations(result) if isinstance(result, list) else result
    run, prefix, config = call.args

    def write(piece: str) -> None:
        stream.write(visible(piece))
        if stream.isatty():  # a kernel sends what was written a few times a second by itself
            stream.flush()

    generation = generate(run.value, prefix, config, write=write)
    stream.write("\n")
    return generation


def novelty_calls(session: Session, options: argparse.Namespace, written: Any = ()) -> list[Call]:
    """Return the calls that ``--novelty`` adds, one for each text.

    Raises
    ------
    SessionError
        When the present corpus is not the training text of the run.
    """
    if not hasattr(options, "novelty"):
        return []
    run = session.require_run(getattr(options, "run", None))
    others = Named("corpus", session.corpus_of(run)), Named("run.vocab", run.vocab)
    texts = written if isinstance(written, list) else [written]
    name = "text" if getattr(options, "num", 1) == 1 else "texts[0]"
    return [Call("novelty", "measure_novelty", (Named(name, text), *others)) for text in texts]
