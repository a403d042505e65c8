"""A run as one HTML file to be sent to anybody: the model, its training, what happens in it.

The file asks nobody for anything. The model runs in the page (`labextension/src/model`), so a
reader types, lets it write and changes its units without Python.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.prefix import usual_prefix, vocab_of
from rnn_magics.errors import InspectionError, RNNMagicsError, StorageError
from rnn_magics.files import read_bytes
from rnn_magics.handout.facts import facts_of
from rnn_magics.inspection.epochs import evenly
from rnn_magics.inspection.fitting import fitted, json_size, quantized
from rnn_magics.inspection.inspectors import INSPECTORS, inspect_rnn
from rnn_magics.inspection.play.play import PlayConfig, inspect_play
from rnn_magics.inspection.views.payload import Payload
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.language import language, marked, say
from rnn_magics.options import Options, Spelling, option
from rnn_magics.reports.run_payload import saved_payload
from rnn_magics.results import Result, visible
from rnn_magics.storage import atomic
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.run_folder import checkpoint_epochs
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import encode_corpus
from rnn_magics.training.run import Run

VERSION = 1
STATIC = Path(__file__).parent / "static"
BEYOND_WEIGHTS = 300_000
"""The bytes that a page may have beside its weights, with a half of these for their base64."""
_VIEWS = ("surprise", "hidden", "gates")
_READ_TOKENS = 40  # by the views
_TRACE_BYTES = 200_000
_SAMPLE = DecodingConfig(length=200, temperature=0.7)
_MOST_SAMPLES = 8
_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}';"
    " img-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, repr=False)
class PageConfig(Options):
    """The options of a page."""

    text: str | None = option(
        None,
        marked(
            "text that the model reads in the page (default: the beginning of the held-out text)"
        ),
        spelling=Spelling(metavar='"TEXT"'),
    )
    no_text: bool = option(False, marked("leave all text of the corpus out of the page"))
    overwrite: bool = option(False, marked("replace a page that is there already"))


@dataclass(frozen=True, repr=False)
class WrittenPage(Result):
    """A page that was written.

    Parameters
    ----------
    path
        The file.
    size
        Its size in bytes.
    """

    path: Path
    size: int

    def __repr__(self) -> str:
        """Return the name and the size of the file."""
        return say(
            "{path}: {size:,.0f} kB, opens in any browser", path=self.path, size=self.size / 1000
        )


def write_page(
    run: Run,
    path: str | Path,
    corpus: Corpus | None = None,
    config: PageConfig | None = None,
    traces: Sequence[Trace] = (),
) -> WrittenPage:
    """Write a run into one HTML file that needs neither Python nor a network.

    ::

        write_page(run, "gru.html", corpus)
        write_page(run, "gru.html", corpus, traces=[inspect_rnn("ablate", run, corpus)])

    The page has the model, in 16 bits a weight, to be typed at and changed; the curves of the
    training beside the n-gram baselines; what the model wrote after its epochs, if the run keeps
    them in a folder; the views ``surprise``, ``hidden`` and ``gates`` of a text, and those given;
    and what was trained on what, how, and how much of the training text it repeats.

    Parameters
    ----------
    run
        A run with a vocabulary.
    path
        The file.
    corpus
        The text of the run, for the passage that the views read and for the copied share. Without
        it, or with another text, the views read what the model writes.
    config
        The text in the page.
    traces
        Further views to be drawn in it, as `inspect_rnn` and `inspect_epochs` return them, in at
        most 200 kB each.

    Raises
    ------
    StorageError
        If there is a file already, or it cannot be written.
    InspectionError
        If a page cannot run the model, see `rnn_magics.inspection.play.packed_model`, or cannot
        draw a view; or a view is to stand in a page without text of the corpus.
    DecodingError
        If the run has no vocabulary.
    RNNMagicsError
        If the views of the page were not built with the package.
    """
    config = config or PageConfig()
    target = _free(path, config)
    data = page_html(run, corpus, config, traces).encode()
    if config.overwrite:
        atomic.write(target, data)
    elif not atomic.create(target, data):
        raise _taken(target)
    return WrittenPage(target, len(data))


def _free(path: str | Path, config: PageConfig) -> Path:
    target = atomic.user_path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        msg = say("a page is an HTML file: name it {name}.html", name=target.name)
        raise StorageError(msg)
    atomic.require_target(target)
    if target.exists() and not config.overwrite:
        raise _taken(target)
    return target


def _taken(target: Path) -> StorageError:
    return StorageError(
        say("{path} is there already: name another file, or add --overwrite", path=target)
    )


def page_html(
    run: Run,
    corpus: Corpus | None = None,
    config: PageConfig | None = None,
    traces: Sequence[Trace] = (),
) -> str:
    """Return the page of a run as HTML; see `write_page`."""
    config = config or PageConfig()
    further = [_further(trace, config) for trace in traces]
    script, style = _built("page.js"), _built("page.css")
    if corpus is not None and (run.corpus is None or run.corpus[1] != corpus.fingerprint):
        corpus = None  # what is said of the training text must be measured on it
    sample = _sample(run)
    text = _text(run, corpus, config, sample)
    weights = 2 * run.model.num_parameters
    left = 1.5 * weights + BEYOND_WEIGHTS - len(script) - len(style)
    data: dict[str, Any] = {
        "version": VERSION,
        "title": run.name,
        "facts": facts_of(run, corpus),
        "run": saved_payload(run, samples=_samples(run, sample)),
        "looks": [_model(run, text)],
    }
    for view in _VIEWS:
        try:
            look = inspect_rnn(view, run, text).to_data()
        except InspectionError:  # a plain RNN has no gates
            continue
        room = (left - json_size(data)) / 2  # the rest is for those that follow
        if (kept := fitted(look, int(room))) is not None:
            data["looks"].append(kept)
    data["looks"] += further
    return _html(run, data, script, style)


def _further(trace: Trace, config: PageConfig) -> Payload:
    view = trace.inspector
    if config.no_text:
        msg = say(
            "{view} may show text of the corpus, which --no-text leaves out; leave out one of the"
            " two",
            view=view,
        )
        raise InspectionError(msg)
    data = fitted(trace.to_data(), _TRACE_BYTES) if INSPECTORS[view].is_drawn else None
    if data is None:
        msg = say("a page cannot hold this view: {title}", title=trace.title)
        raise InspectionError(msg)
    return data


def _model(run: Run, text: str) -> dict[str, Any]:
    play = inspect_play(run, text, PlayConfig()).to_data()
    weights = {name: quantized(w, "int16") for name, w in play["model"]["weights"].items()}
    return {**play, "model": {**play["model"], "weights": weights}}


def _text(run: Run, corpus: Corpus | None, config: PageConfig, sample: str) -> str:
    if config.text is not None:
        return config.text
    if corpus is None or config.no_text:
        return sample[:_READ_TOKENS]
    vocab = vocab_of(run)
    encoded = encode_corpus(corpus, vocab)
    ids = encoded.valid if len(encoded.valid) else encoded.train
    return vocab.tokenizer.join(vocab.to_tokens(ids[:_READ_TOKENS].tolist()))


def _sample(run: Run) -> str:
    prefix = usual_prefix(vocab_of(run))
    return generate(run, prefix, _SAMPLE).text


def _samples(run: Run, last: str) -> list[dict[str, Any]]:
    ended = len(run.history)
    now = {"epoch": ended, "text": visible(last)}
    if run.folder is None:
        return [now]
    try:
        epochs = evenly(checkpoint_epochs(run.folder), _MOST_SAMPLES)
        earlier = [
            {"epoch": epoch, "text": _sample(load_run(run.folder, epoch=epoch))}
            for epoch in epochs
            if epoch < ended
        ]
    except RNNMagicsError:  # the folder has gone since, or holds another run
        return [now]
    return [*earlier, now]


def _built(name: str) -> str:
    file = STATIC / name
    if not file.is_file():
        msg = say("the views of a page are not built; reinstall the package")
        raise RNNMagicsError(msg)
    return read_bytes(file).decode()


def _html(run: Run, data: dict[str, Any], script: str, style: str) -> str:
    needs = say("The model and its views need JavaScript.")
    policy = _POLICY.format(script=_sha256(script), style=_sha256(style))
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(what)}</dd>" for name, what in data["facts"]
    )
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="{"zh-CN" if language() == "zh" else "en"}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(visible(run.name, keep=''))}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<h1>{escape(visible(run.name, keep=''))}</h1>",
            f'<dl class="rnn-facts">{facts}</dl>',
            f"<noscript><p>{escape(needs)}</p></noscript>",
            '<main id="rnn-views"></main>',
            f'<script type="application/json" id="rnn-data">{_as_data(data)}</script>',
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


def _as_data(data: dict[str, Any]) -> str:
    # Nothing in it can end the element: JSON may write every such character as an escape.
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _sha256(source: str) -> str:
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
