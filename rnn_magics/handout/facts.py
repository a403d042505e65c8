"""What was trained on what, and how: the card of a model that is given away."""

from __future__ import annotations

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.prefix import usual_prefix, vocab_of
from rnn_magics.errors import RNNMagicsError
from rnn_magics.inspection.novelty import Novelty, measure_novelty
from rnn_magics.language import say, say_number
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.run_report import report_run
from rnn_magics.results import visible
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.run import Run

_WRITTEN = DecodingConfig(length=2000)  # at the usual temperature


def facts_of(run: Run, corpus: Corpus | None) -> list[tuple[str, str]]:
    """Return what a stranger has to know of a model, each a name and one line.

    Parameters
    ----------
    run
        The run.
    corpus
        Its text, to measure how much of it the model repeats; None if it is not at hand.
    """
    config = run.config
    options = {**config.model.changed(), **config.batching.changed(), **config.train.changed()}
    settings = ", ".join(f"{name} {value}" for name, value in options.items())
    tokens = vocab_of(run).token
    facts = {
        say("model"): say(
            "{architecture}; {weights:,} weights, here in 16 bits each",
            architecture=run.architecture,
            weights=run.model.num_parameters,
        ),
        say("trained on"): _text(run),
        say("held out"): say_number(run.num_valid_tokens, "{number:,} token", "{number:,} tokens"),
        say("vocabulary"): say("{size:,} tokens ({kind})", size=run.model.vocab_size, kind=tokens),
        say("settings"): settings or say("the defaults"),
        say("reached"): say("; ").join(report_run(run).figures),
        say("beside counting"): compare_with_baselines(run).words if run.ladder else "",
        say("repeats"): _repeats(run, corpus),
        say("made with"): ", ".join(f"{name} {version}" for name, version in run.versions.items()),
    }
    return [(name, visible(what, keep="")) for name, what in facts.items() if what]


def _text(run: Run) -> str:
    name = run.corpus[0] if run.corpus else say("bare indices")
    told = {"name": name, "tokens": run.num_train_tokens}
    if options := str(run.reading or ""):
        return say("{name}, {tokens:,} tokens, read with {options}", options=options, **told)
    return say("{name}, {tokens:,} tokens", **told)


def _repeats(run: Run, corpus: Corpus | None) -> str:
    if corpus is None:
        return say("not measured, since the training text was not at hand")
    try:
        vocab = vocab_of(run)
        prefix = usual_prefix(vocab)
        found = measure_novelty(generate(run, prefix, _WRITTEN), corpus, vocab)
    except RNNMagicsError as error:
        return say("not measured: {why}", why=error)
    return _copied(found)


def _copied(found: Novelty) -> str:
    written = len(found.tokens)
    copied = sum(map(len, found.spans))
    longest = 0 if found.longest is None else len(found.longest)
    if copied == 0:
        return say(
            "of {written:,} tokens that it wrote, none stand in a span copied from the training"
            " text that is longer than the {ordinary} tokens which held-out text shares with it",
            written=written,
            ordinary=found.ordinary,
        )
    return say(
        "of {written:,} tokens that it wrote, {share:.1%} stand in spans copied from the training"
        " text, the longest of {longest} tokens; held-out text shares up to {ordinary} with it",
        written=written,
        share=copied / written,
        longest=longest,
        ordinary=found.ordinary,
    )
