"""``%vocab``: gives each token of the training text an index."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from rnn_magics.cluster.counting import count_vocab
from rnn_magics.errors import ConfigError
from rnn_magics.language import say
from rnn_magics.notebook.line.call import Call
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import LineOptions, named, part
from rnn_magics.notebook.live.reading_bar import with_bar
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.show.bundle import forms_of, show_forms
from rnn_magics.notebook.show.notes import say_notes
from rnn_magics.notebook.show.texts import statistics_html, statistics_text
from rnn_magics.options import AT_LEAST_ONE, Spelling, option
from rnn_magics.results import visible
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.sharding.counting import sharable
from rnn_magics.text.statistics import text_statistics
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus


@dataclass(frozen=True, kw_only=True, repr=False)
class VocabOptions(LineOptions):
    """The options of ``%vocab``."""

    zipf: bool = option(
        False, "show n-gram counts, Zipf's law and coverage", label="Show the statistics"
    )
    workers: int | None = option(
        None,
        "let so many processes count a text on disk (%corpus --storage), to the same vocabulary",
        within=AT_LEAST_ONE,
        label="Workers",
        spelling=Spelling(metavar="N"),
    )
    cluster: str | None = option(
        None,
        "the workers are those of a Ray cluster: the host:port of its head, or auto",
        label="Cluster",
        spelling=named(metavar="HOST:PORT|auto"),
    )
    vocab: VocabConfig = part(VocabConfig)


def vocab_call(desk: Desk, options: VocabOptions) -> Call[Vocab]:
    """Return the library call behind ``%vocab``.

    Raises
    ------
    ConfigError
        If a cluster is named without a number of workers.
    CorpusError
        If the text cannot be shared out among workers.
    """
    corpus, cluster = desk.session.require_corpus(), options.cluster
    if options.workers is None:
        if cluster is not None:
            raise ConfigError(
                say("--cluster says where workers are; say how many with --workers N")
            )
        return Call.of("vocab", Vocab.from_corpus, corpus, options.vocab)
    sharable(corpus, options.vocab)
    how = corpus, options.vocab
    return Call.of("vocab", count_vocab, *how, workers=options.workers, cluster=cluster)


def vocab(desk: Desk, options: VocabOptions) -> Vocab:
    """Build a vocabulary from the training text: each token and its index.

    ::

        %vocab
        %vocab --token word --min-freq 3
        %vocab --token word --zipf
        %vocab --token word --workers 4    a text on disk, counted by four processes
    """
    call, corpus = vocab_call(desk, options), desk.session.require_corpus()
    desk.session.refuse_while_training("%vocab")
    made = call() if options.workers is None else with_bar(call, "B")
    if options.zipf:
        _show_statistics(corpus, made)
    encoded = encode_corpus(corpus, made)
    say_notes(desk.session, encoded.notes)
    shares = {"train": encoded.train_unk_share, "valid": encoded.valid_unk_share}
    if len(encoded.valid):
        told = say("<unk> is {train:.2%} of training, {valid:.2%} of held-out tokens", **shares)
    else:
        told = say("<unk> is {train:.2%} of training tokens", **shares)
    print(told)
    desk.session.take_vocab(made)
    return made


def _show_statistics(corpus: Corpus, vocab: Vocab) -> None:
    from rnn_magics.plotting import zipf_figure  # noqa: PLC0415  (matplotlib on demand)

    statistics = text_statistics(corpus, vocab.token, vocab.config.reserved)
    forms = forms_of(zipf_figure(statistics))
    drawn = base64.b64encode(forms["image/png"]).decode("ascii")
    told = visible(statistics_text(statistics))
    plain = "\n\n".join(filter(None, [told, forms["text/plain"]]))
    rich = statistics_html(statistics, drawn)
    show_forms({**forms, "text/html": rich, "text/plain": plain})


MAGIC = Magic(VocabOptions, vocab, lambda desk, options: [vocab_call(desk, options)])
