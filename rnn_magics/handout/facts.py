"""What was trained on what, and how: the card of a model that is given away."""

from __future__ import annotations

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.prefix import vocab_of
from rnn_magics.errors import RNNMagicsError
from rnn_magics.inspection.novelty import Novelty, measure_novelty
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
    settings = ", ".join(f"{name} {value}" for name, value in options.items()) or "the defaults"
    name = run.corpus[0] if run.corpus else "bare indices"
    read = f", read with {run.reading}" if str(run.reading or "") else ""
    facts = {
        "model": f"{run.architecture}; {run.model.num_parameters:,} weights, here in 16 bits each",
        "trained on": f"{name}, {run.num_train_tokens:,} tokens{read}",
        "held out": f"{run.num_valid_tokens:,} tokens",
        "vocabulary": f"{run.model.vocab_size:,} tokens ({vocab_of(run).token})",
        "settings": settings,
        "reached": "; ".join(report_run(run).figures),
        "beside counting": compare_with_baselines(run).words if run.ladder else "",
        "repeats": _repeats(run, corpus),
        "made with": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
    }
    return [(name, visible(what, keep="")) for name, what in facts.items() if what]


def _repeats(run: Run, corpus: Corpus | None) -> str:
    if corpus is None:
        return "not measured, since the training text was not at hand"
    try:
        vocab = vocab_of(run)
        prefix = str(vocab.token_freqs[0][0])
        found = measure_novelty(generate(run, prefix, _WRITTEN), corpus, vocab)
    except RNNMagicsError as error:
        return f"not measured: {error}"
    return _copied(found)


def _copied(found: Novelty) -> str:
    written = len(found.tokens)
    copied = sum(map(len, found.spans))
    longest = 0 if found.longest is None else len(found.longest)
    if copied == 0:
        return (
            f"of {written:,} tokens that it wrote, none stand in a span copied from the training"
            f" text that is longer than the {found.ordinary} tokens which held-out text shares"
            " with it"
        )
    return (
        f"of {written:,} tokens that it wrote, {copied / written:.1%} stand in spans copied from"
        f" the training text, the longest of {longest} tokens; held-out text shares up to"
        f" {found.ordinary} with it"
    )
