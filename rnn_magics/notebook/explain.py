"""What ``--explain`` shows: the library call, its equations, and the shapes of this session.

An equation stands in the docstring of what it describes, as a ``.. math::`` block, and is read from
there. As plain text an explanation is Python: the call, and below it comments.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnn_magics.errors import BatchError, StorageError
from rnn_magics.notebook.calls import Call
from rnn_magics.notebook.session import Session
from rnn_magics.notebook.visible import visible

if TYPE_CHECKING:
    from rnn_magics.training.run import Run

Equations = dict[str, str]
"""LaTeX by what it describes."""


@dataclass(frozen=True)
class Theory:
    """What stands behind a call.

    Parameters
    ----------
    equations
        LaTeX, by what it describes.
    shapes
        What the session has, in words, by name.
    """

    equations: Equations = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """A library call with its equations and shapes.

    Parameters
    ----------
    source
        Python source of the call.
    theory
        The rest.
    """

    source: str
    theory: Theory = field(default_factory=Theory)

    def plain(self) -> str:
        """Return Python that runs: the source, then the equations and shapes as comments."""
        lines = []
        for name, latex in self.theory.equations.items():
            lines += [f"{name}:", *(f"    {line}" for line in plain_math(latex).split("\n"))]
        lines += [f"{name}: {words}" for name, words in self.theory.shapes.items()]
        comments = "".join(f"# {visible(line, keep='')}\n" for line in lines)
        return f"{self.source}\n{comments}" if comments else self.source

    def markdown(self) -> str:
        """Return the same for a notebook, the equations set."""
        parts = [f"```python\n{self.source.rstrip()}\n```"]
        parts += [f"{name}:\n\n$${latex}$$" for name, latex in self.theory.equations.items()]
        parts += [f"- `{name}`: {words}" for name, words in self.theory.shapes.items()]
        return "\n\n".join(parts)


def explain(session: Session, *calls: Call) -> Explanation:
    """Explain the calls that a magic makes; the session is only looked at."""
    equations: Equations = {}
    shapes: dict[str, str] = {}
    for call in calls:
        theory = THEORIES.get(call.function, _nothing)(session, call)
        equations |= {name: latex for name, latex in theory.equations.items() if latex}
        shapes |= theory.shapes
    return Explanation("\n".join(call.source() for call in calls), Theory(equations, shapes))


def math_of(thing: object) -> str:
    """Return the equations of a docstring in LaTeX; empty when it has none."""
    found = re.search(
        r"\.\. math::\s*(.+?)(?:\n\n(?=\S)|\Z)", inspect.getdoc(thing) or "", re.DOTALL
    )
    if found is None:
        return ""
    latex = "\n".join(line.strip() for line in found[1].strip().split("\n"))
    return f"\\begin{{aligned}}\n{latex}\n\\end{{aligned}}" if "&=" in latex else latex


_SPELT = {
    r"\\(?:begin|end)\{aligned\}\n?": "",
    r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}": r"(\1) / (\2)",
    r"\s*\\\\\s*\n": "\n",
    r"\\left(?!a)|\\right|\\big|\\Big|\\[,;!]|\\quad": "",
    r"\\leftarrow": "<-",
    r"\\odot|\\cdot": "*",
    r"\\mid": "|",
    r"\\le\b": "<=",
    r"\\partial ?": "d",
    r"\\ln\b": "ln",
    r"\\lfloor ?": "floor(",
    r" ?\\rfloor": ")",
    r"\\([#{}])": r"\1",
    r"\\\|": "||",
    r"\\(?:mathrm|text|operatorname)\{([^}]*)\}": r"\1",
    r"\\([A-Za-z]+)": r"\1",
    r"&": "",
    r"([_^])\{([A-Za-z0-9])\}": r"\1\2",
}


def plain_math(latex: str) -> str:
    """Return equations as they are typed without LaTeX."""
    for pattern, spelt in _SPELT.items():
        latex = re.sub(pattern, spelt, latex)
    return re.sub(r" {2,}", " ", latex).strip()


def _nothing(_session: Session, _call: Call) -> Theory:
    return Theory()


def _text(_session: Session, call: Call) -> Theory:
    config = call.args[1]
    share = "0.1, or 0 for a short text" if config.valid is None else f"{config.valid:g}"
    return Theory({"training tokens, of n": SPLIT}, {"held-out share v": share})


def _copies(session: Session, _call: Call) -> Theory:
    from rnn_magics.inspection.novelty import measure_novelty  # noqa: PLC0415  (numpy on demand)

    searched = f"the training part of {len(session.require_corpus()):,} characters or tokens"
    return Theory({"new n-grams": math_of(measure_novelty)}, {"searched": searched})


def _vocabulary(session: Session, _call: Call) -> Theory:
    from rnn_magics.text.vocab import Vocab  # noqa: PLC0415  (numpy on demand)

    corpus = session.require_corpus()
    held_out = (
        f"the last {corpus.held_out_share:.0%} of the tokens" if corpus.held_out_share else ""
    )
    text = f"{len(corpus):,} {'characters' if corpus.is_text else 'tokens'}"
    return Theory(
        {"index x of a token w": math_of(Vocab.from_corpus)},
        {"text": text, "held out, not counted": held_out or "nothing"},
    )


def _minibatches(_session: Session, call: Call) -> Theory:
    from rnn_magics.batching import make_batches, preview  # noqa: PLC0415  (torch on demand)

    corpus, vocab, config = (getattr(arg, "value", arg) for arg in call.args)
    shapes = {"X, Y": f"({config.batch_size}, {config.num_steps})"}
    try:
        batches = make_batches(corpus, vocab, config)
    except BatchError as error:  # the call is shown all the same
        shapes["refused"] = str(error)
    else:
        shapes["training tokens"] = f"{len(batches.ids):,}"
        shapes["held-out tokens"] = f"{len(batches.valid):,}"
        shapes["minibatches in an epoch"] = f"{preview(batches, 0).num_batches:,}"
    return Theory({"a minibatch whose rows begin at s": math_of(make_batches)}, shapes)


def _training(_session: Session, call: Call) -> Theory:
    from rnn_magics.batching import preview  # noqa: PLC0415  (torch on demand)
    from rnn_magics.models.cells import CELLS  # noqa: PLC0415
    from rnn_magics.models.rnn_model import RNNModel  # noqa: PLC0415
    from rnn_magics.scores.evaluation import perplexity  # noqa: PLC0415
    from rnn_magics.training.steps.clipping import clip_gradients  # noqa: PLC0415

    batches, model, train = (getattr(arg, "value", arg) for arg in call.args)
    cell, size = CELLS[model.cell], batches.vocab_size
    rows, steps = batches.config.batch_size, batches.config.num_steps
    layers = model.num_layers * (2 if model.bidirectional else 1)
    equations = {
        f"cell {model.cell}": math_of(cell),
        "logits o_t": math_of(RNNModel),
        "clipping": "" if train.clip is None else math_of(clip_gradients),
        "perplexity": math_of(perplexity),
    }
    state = f"({layers}, {rows}, {model.num_hiddens})"
    embedding = model.embedding_size
    return Theory(
        equations,
        {
            "X, Y": f"({rows}, {steps})",
            "input x_t": f"({rows}, {embedding or size}), "
            + ("embedded" if embedding else "one-hot, looked up"),
            "state H" if cell.num_states == 1 else f"state, {cell.num_states} of": state,
            "logits": f"({rows}, {steps}, {size})",
            "minibatches in an epoch": f"{preview(batches, 0).num_batches:,}",
        },
    )


def _writing(_session: Session, call: Call) -> Theory:
    from rnn_magics.decoding.beam import beam_search  # noqa: PLC0415
    from rnn_magics.decoding.decoders import DECODERS  # noqa: PLC0415  (torch on demand)

    run, _, config = (getattr(arg, "value", arg) for arg in call.args)
    latex = math_of(beam_search if config.beam else DECODERS[config.decoder])
    return Theory(
        {f"decoder {'beam' if config.beam else config.decoder}": latex},
        {
            "logits at each step": f"({call.kwargs.get('num', 1)}, {run.model.vocab_size})",
            "tokens to write": f"{config.length:,}",
        },
    )


def _scoring(_session: Session, call: Call) -> Theory:
    from rnn_magics.decoding.score import score  # noqa: PLC0415  (torch on demand)

    run = call.args[0].value
    return Theory({"surprise, in bits": math_of(score)}, {"logits": f"(1, {run.model.vocab_size})"})


def _evaluating(_session: Session, call: Call) -> Theory:
    from rnn_magics.scores.evaluation import perplexity  # noqa: PLC0415  (torch on demand)

    first = call.args[0].value
    runs = first if isinstance(first, list) else [first]
    shapes = {f"logits of {run.name}": f"(n - 1, {run.model.vocab_size})" for run in runs}
    return Theory({"perplexity of n tokens": math_of(perplexity)}, shapes)


def _mixing(session: Session, call: Call) -> Theory:
    from rnn_magics.models.interpolation import interpolate  # noqa: PLC0415  (numpy on demand)

    alone = _evaluating(session, call)
    mixture = {"mixture with the n-gram model p_2": math_of(interpolate)}
    return Theory({**alone.equations, **mixture}, alone.shapes)


def _of_run(run: Run) -> Theory:
    # Its equations, and its parameters with their shapes.
    from rnn_magics.models.cells import CELLS  # noqa: PLC0415  (torch on demand)
    from rnn_magics.models.rnn_model import RNNModel  # noqa: PLC0415

    cell = run.config.model.cell
    equations = {f"cell {cell}": math_of(CELLS[cell]), "logits o_t": math_of(RNNModel)}
    shapes = {name: f"{tuple(p.shape)}" for name, p in run.model.named_parameters()}
    return Theory(equations, shapes)


def _saving(_session: Session, call: Call) -> Theory:
    return _of_run(call.args[0].value)


def _loading(_session: Session, call: Call) -> Theory:
    from rnn_magics.storage.loading import load_run  # noqa: PLC0415  (torch on demand)

    try:
        return _of_run(load_run(*call.args, **call.kwargs))
    except StorageError as error:  # the call is shown all the same
        return Theory(shapes={"refused": str(error)})


def _resuming(session: Session, call: Call) -> Theory:
    from rnn_magics.storage.loading import load_run  # noqa: PLC0415  (torch on demand)
    from rnn_magics.storage.run_folder import kept_runs  # noqa: PLC0415

    folder, batches = call.args
    newest = kept_runs()[-1:] if folder == "last" else []
    try:
        config = load_run(newest[0].folder if newest else folder).config
    except StorageError as error:
        return Theory(shapes={"refused": str(error)})
    return _training(session, Call("run", "train", (batches, config.model, config.train)))


def _looking(_session: Session, call: Call) -> Theory:
    from rnn_magics.inspection.inspectors import INSPECTORS  # noqa: PLC0415  (torch on demand)

    view, *things = call.args
    shapes = {}
    values: list[Any] = [getattr(thing, "value", None) for thing in things]
    for thing in values:
        if hasattr(thing, "model"):
            c = thing.model.config
            shapes["states of a layer"] = f"(num_tokens, {c.num_hiddens})"
            shapes["logits"] = f"(num_tokens, {thing.model.vocab_size})"
        elif hasattr(thing, "carries_state"):
            shapes["X, Y"] = f"({thing.config.batch_size}, {thing.config.num_steps})"
    return Theory({f"view {view}": math_of(INSPECTORS[view].inspect)}, shapes)


def _counting(session: Session, call: Call) -> Theory:
    vocab, config = session.require_vocab(), call.args[-1]
    orders = config.orders
    return Theory(
        {"interpolated Kneser-Ney, w after the context u": KNESER_NEY},
        {"orders": f"{orders[0]} to {orders[-1]}", "tokens": f"{len(vocab):,}"},
    )


SPLIT = r"n_{train} = n - \lfloor v n \rfloor"
KNESER_NEY = (
    r"p(w \mid u) = \frac{\max(c(u w) - D_{c(u w)}, 0)}{\sum_v c(u v)} + \gamma(u)\, p(w \mid u')"
)

THEORIES: dict[str, Callable[[Session, Call], Theory]] = {
    "Corpus.load": _text,
    "Corpus.from_text": _text,
    "Corpus.from_data": _text,
    "Corpus.from_tokens": _text,
    "Vocab.from_corpus": _vocabulary,
    "make_batches": _minibatches,
    "train": _training,
    "train_seeds": _training,
    "generate": _writing,
    "generate_many": _writing,
    "score": _scoring,
    "fit_ladder": _counting,
    "measure_novelty": _copies,
    "evaluate_mixture": _mixing,
    "evaluate_text": _evaluating,
    "evaluate_texts": _evaluating,
    "save_run": _saving,
    "load_run": _loading,
    "resume_run": _resuming,
    "inspect_rnn": _looking,
}
"""By the library function that is called: what stands behind it."""
