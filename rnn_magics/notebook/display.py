"""How results look: rich in a notebook, plain text elsewhere.

The library returns plain objects; here stands what a notebook shows for each. Formatters are
registered by name, so that nothing is imported for an object that nobody makes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle, display

from rnn_magics.interrupts import whole_imports
from rnn_magics.notebook.visible import escaped, shortened, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnn_magics.batching import Batches, BatchPreview
    from rnn_magics.decoding.score import Score
    from rnn_magics.text.corpus import Corpus
    from rnn_magics.text.statistics import TextStatistics
    from rnn_magics.text.vocab import Vocab
    from rnn_magics.training.run import Run

_EPOCHS_SHOWN = 12
_ROWS_SHOWN = 8
_CELL_WIDTH = 33
Row = Sequence[object]


@dataclass(frozen=True)
class Bundle:
    """Something to display that is there in several forms."""

    data: dict[str, Any]

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, Any]:
        return self.data


def show(plain: str, rich: str | None = None) -> None:
    """Display text, with an HTML form for front ends that can draw it."""
    data = {"text/plain": plain}
    if rich is not None:
        data["text/html"] = rich
    display(Bundle(data))


def show_figure(figure: Figure, plain: str) -> None:
    """Display a figure as a picture, and as text where there are no pictures."""
    from rnn_magics.plotting import to_png  # noqa: PLC0415  (matplotlib only for a picture)

    display(Bundle({"image/png": to_png(figure), "text/plain": plain}))


def place_figure() -> Callable[[Figure, str], None]:
    """Reserve a place in the present cell for a figure that comes later, from any thread."""
    from rnn_magics.plotting import to_png  # noqa: PLC0415  (matplotlib only for a picture)

    handle: DisplayHandle = display(Bundle({"text/plain": ""}), display_id=True)

    def fill(figure: Figure, plain: str) -> None:
        handle.update(Bundle({"image/png": to_png(figure), "text/plain": plain}))

    return fill


def html_table(head: Row, rows: Iterable[Row]) -> str:
    """Return an HTML table whose cells are all text."""
    top = "".join(f"<th style='text-align:left'>{escaped(cell)}</th>" for cell in head)
    cells = (
        "".join(
            f"<td style='text-align:left;white-space:pre-wrap'>{escaped(cell)}</td>" for cell in row
        )
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def text_table(head: Row, rows: Iterable[Row]) -> str:
    """Return a table in plain text, columns aligned."""
    lines = [[visible(str(cell), keep="") for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 token``, ``2 tokens``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _headed(title: str, table: str = "") -> str:
    return f"<div><b>{escaped(title)}</b>{table}</div>"


def corpus_html(corpus: Corpus) -> str:
    """Show a corpus: its size, origin and beginning."""
    start = corpus.beginning(200)
    beginning = start if isinstance(start, str) else " ".join(map(str, start[:40]))
    rows = [
        ("from", corpus.origin),
        ("cleaning", repr(corpus.config)),
        ("sha256", corpus.fingerprint[:16]),
        ("begins", beginning),
    ]
    return _headed(repr(corpus), html_table(("", ""), rows))


def vocab_html(vocab: Vocab) -> str:
    """Show a vocabulary: its most frequent tokens with their counts."""
    rows = [(vocab[token], repr(token), f"{count:,}") for token, count in vocab.token_freqs[:10]]
    title = f"Vocab: {len(vocab):,} {vocab.token} tokens, 0 is {vocab.to_tokens(0)!r}"
    return _headed(title, html_table(("index", "token", "count"), rows))


def batches_text(batches: Batches) -> str:
    """Show minibatches: how many an epoch has and what is left over."""
    from rnn_magics.batching import preview  # noqa: PLC0415  (torch is there by now)

    epoch = preview(batches, 0)
    state = "carried over" if batches.carries_state else "begun anew each time"
    return (
        f"{batches!r}\n"
        f"  {counted(epoch.num_batches, 'minibatch', 'minibatches')} in an epoch that starts at"
        f" offset {epoch.offset}, {counted(epoch.left_over, 'token')} left over\n"
        f"  state {state}; {counted(len(batches.valid), 'token')} held out"
    )


def preview_text(shown: BatchPreview) -> str:
    """Show the first minibatches: X, Y, where each row stands, and its text."""
    number_shown = counted(shown.num_batches, "minibatch", "minibatches")
    left_over = counted(shown.left_over, "token")
    lines = [f"offset {shown.offset}: {number_shown}, {left_over} left over"]
    for number, (X, Y) in enumerate(shown.batches):
        lines.append(f"minibatch {number + 1}, X and Y of shape {tuple(X.shape)}:")
        rows: list[Row] = [
            (
                int(shown.starts[number, row]),
                shortened(str(X[row].tolist()), _CELL_WIDTH),
                shortened(str(Y[row].tolist()), _CELL_WIDTH),
                shortened(_tokens_text(shown, number, row), _CELL_WIDTH),
            )
            for row in range(min(len(X), _ROWS_SHOWN))
        ]
        if len(X) > _ROWS_SHOWN:
            rows.append(("...", f"{len(X) - _ROWS_SHOWN} more rows", "", ""))
        lines.append(text_table(("at", "X", "Y", "tokens of X"), rows))
    return "\n".join(lines)


def _tokens_text(shown: BatchPreview, number: int, row: int) -> str:
    if shown.tokens is None:
        return ""
    tokens = shown.tokens[number][row]
    if all(isinstance(token, str) and len(token) == 1 for token in tokens):
        return repr("".join(tokens))
    return " ".join(map(str, tokens))


def statistics_text(statistics: TextStatistics) -> str:
    """Show counts: the most frequent n-grams, Zipf's law, coverage."""
    columns = []
    for counts in statistics.ngrams:
        top = counts.most_common(10, statistics.vocab)
        columns.append([f"{'-'.join(map(str, ngram))} {count:,}" for ngram, count in top])
    depth = max(map(len, columns))
    padded = [column + [""] * (depth - len(column)) for column in columns]
    rows = list(zip(*padded, strict=True))
    slopes = ["" if fit is None else f"slope {fit.slope:.3f}" for fit in statistics.fits]
    types = [f"{len(counts.counts):,} types" for counts in statistics.ngrams]
    frequent = text_table(("tokens", "bigrams", "trigrams"), [*rows, types, slopes])
    oov = statistics.oov_rates or [None] * len(statistics.sizes)
    covered = [
        (f"{size:,}", f"{share:.1%}", "" if rate is None else f"{rate:.1%}")
        for size, share, rate in zip(statistics.sizes, statistics.covered, oov, strict=True)
    ]
    sizes = text_table(("vocabulary size", "text covered", "held-out unknown"), covered)
    return f"{frequent}\n\n{sizes}"


def epoch_rows(run: Run) -> list[Row]:
    """Return a row for each epoch of a run, the middle left out when there are many."""
    h = run.history
    rows: list[Row] = []
    for i in range(len(h)):
        valid, bits = h.valid_perplexity[i], h.valid_bits[i]
        rows.append(
            (
                i + 1,
                f"{h.train_perplexity[i]:.3f}",
                "" if valid is None else f"{valid:.3f}",
                f"{h.train_bits[i]:.3f}",
                "" if bits is None else f"{bits:.3f}",
                f"{h.tokens_per_second[i]:,.0f}",
                f"{h.grad_norm[i]:.3g} / {h.grad_norm_max[i]:.3g}",
                f"{h.clipped[i]:.0%}",
            )
        )
    if len(rows) > _EPOCHS_SHOWN:
        half = _EPOCHS_SHOWN // 2
        rows[half:-half] = [("...",) + ("",) * (len(EPOCH_HEAD) - 1)]
    return rows


EPOCH_HEAD = (
    "epoch",
    "train ppl",
    "held-out ppl",
    "train bits",
    "held-out bits",
    "tokens/s",
    "grad norm / max",
    "clipped",
)


def run_table(run: Run) -> tuple[Row, list[Row]]:
    """Return head and rows: the epochs, then each baseline with when it was passed."""
    from rnn_magics.training.evaluation import bits_per_token  # noqa: PLC0415  (torch by now)
    from rnn_magics.training.standing import standing  # noqa: PLC0415

    rows, marks = epoch_rows(run), standing(run).marks
    if not rows or not marks:
        return EPOCH_HEAD, rows
    passed: dict[object, list[str]] = {}
    for mark in marks:
        passed.setdefault(mark.epoch, []).append(mark.name)
    lines: list[Row] = [(*row, "; ".join(passed.get(row[0], []))) for row in rows]
    for mark in marks:
        bits = bits_per_token(math.log(mark.perplexity))
        when = "not passed" if mark.epoch is None else f"passed after epoch {mark.epoch}"
        reached = (mark.name, "", f"{mark.perplexity:.3f}", "", f"{bits:.3f}", "", "", "")
        lines.append((*reached, when))
    return (*EPOCH_HEAD, "baselines passed"), lines


def run_notes(run: Run) -> list[str]:
    """Return what a reader must know to take the numbers of a run for what they are."""
    from rnn_magics.training.honest import report_run  # noqa: PLC0415  (torch is there by now)

    notes = []
    if run.message:
        notes.append(run.message)
    if run.steered:
        notes.append(f"Steered while it trained: {'; '.join(map(str, run.steered))}.")
    if run.config.model.bidirectional:
        notes.append(
            "A bidirectional model sees the tokens it is to predict: this is no language-model"
            " perplexity, and %generate refuses the model."
        )
    return [*notes, *report_run(run).lines]


def standing_note(run: Run) -> list[str]:
    """Return what counting reaches, and when the run passed it, where baselines were fitted."""
    from rnn_magics.training.standing import standing  # noqa: PLC0415  (torch is there by now)

    if run.ladder is None or not len(run.history):
        return []
    found = standing(run)
    return [line for line in (found.words, found.passages) if line]


def run_html(run: Run) -> str:
    """Show a run: architecture, epochs and how to read the numbers."""
    facts = f"on {run.place}, engine {run.model.engine}, seed {run.config.train.seed}"
    told = [*run_notes(run), *standing_note(run)]
    notes = "".join(f"<div><small>{escaped(note)}</small></div>" for note in told)
    epochs = html_table(*run_table(run))
    table = f"<details><summary>epochs</summary>{epochs}</details>"
    return _headed(repr(run), f"<div><small>{escaped(facts)}</small></div>{table}{notes}")


def score_text(score: Score) -> str:
    """Show the surprise of each token."""
    rows = [
        (repr(token), "" if bits != bits else f"{bits:.2f}")  # noqa: PLR0124  (nan: not predicted)
        for token, bits in zip(score.tokens, score.surprise, strict=True)
    ]
    half = _EPOCHS_SHOWN
    if len(rows) > 2 * half:
        rows[half:-half] = [("...", "")]
    return f"{score!r}\n{text_table(('token', 'bits'), rows)}"


def _novelty(form: str) -> Callable[[Any], str]:
    def show_novelty(novelty: Any) -> str:
        from rnn_magics.notebook import novel  # noqa: PLC0415  (numpy and torch on demand)

        shown: str = getattr(novel, form)(novelty)
        return shown

    return show_novelty


_HTML: dict[tuple[str, str], Callable[[Any], str]] = {
    ("rnn_magics.text.corpus", "Corpus"): corpus_html,
    ("rnn_magics.text.vocab", "Vocab"): vocab_html,
    ("rnn_magics.training.run", "Run"): run_html,
    ("rnn_magics.inspection.novelty", "Novelty"): _novelty("novelty_html"),
}
_PLAIN: dict[tuple[str, str], Callable[[Any], str]] = {
    ("rnn_magics.text.corpus", "Corpus"): repr,
    ("rnn_magics.text.vocab", "Vocab"): repr,
    ("rnn_magics.training.run", "Run"): repr,
    ("rnn_magics.training.seeds", "SeedRuns"): repr,
    ("rnn_magics.training.honest", "TextEvaluation"): repr,
    ("rnn_magics.training.honest", "Evaluations"): repr,
    ("rnn_magics.training.honest", "RunReport"): repr,
    ("rnn_magics.decoding.generate", "Generation"): repr,
    ("rnn_magics.batching", "Batches"): batches_text,
    ("rnn_magics.batching", "BatchPreview"): preview_text,
    ("rnn_magics.decoding.score", "Score"): score_text,
    ("rnn_magics.inspection.hidden", "Hidden"): repr,
    ("rnn_magics.inspection.gates", "Gates"): repr,
    ("rnn_magics.inspection.surprise", "Surprise"): repr,
    ("rnn_magics.inspection.gradient", "Gradient"): repr,
    ("rnn_magics.inspection.match", "Match"): repr,
    ("rnn_magics.inspection.units", "Units"): repr,
    ("rnn_magics.inspection.windows", "Windows"): repr,
    ("rnn_magics.inspection.epochs", "Epochs"): repr,
    ("rnn_magics.inspection.novelty", "Novelty"): _novelty("novelty_text"),
}


def register_formatters(shell: InteractiveShell) -> None:
    """Teach a shell how to show our objects."""
    formatters = _formatters(shell)
    for (module, name), rich in _HTML.items():
        formatters["text/html"].for_type_by_name(module, name, whole_imports()(rich))
    for (module, name), plain in _PLAIN.items():
        formatters["text/plain"].for_type_by_name(module, name, _pretty(plain))


def unregister_formatters(shell: InteractiveShell) -> None:
    """Undo `register_formatters`."""
    formatters = _formatters(shell)
    for mime, known in (("text/html", _HTML), ("text/plain", _PLAIN)):
        for module, name in known:
            formatters[mime].pop(f"{module}.{name}", None)


def _formatters(shell: InteractiveShell) -> Any:
    # Typed as optional in IPython, but every shell makes one.
    return shell.display_formatter.formatters  # type: ignore[union-attr]


def _pretty(plain: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    @whole_imports()
    def write(thing: Any, printer: Any, _cycle: bool) -> None:  # noqa: FBT001  (IPython's signature)
        printer.text(visible(plain(thing)))

    return write
