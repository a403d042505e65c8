"""A run as a script that needs only torch and the standard library, and reads top to bottom."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnn_magics.digits import rounded
from rnn_magics.errors import TrainingError
from rnn_magics.handout import parts
from rnn_magics.handout.text import text_lines, too_long_to_keep
from rnn_magics.language import marked, say, say_number
from rnn_magics.models.cells import CELLS
from rnn_magics.results import Result
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab, numbered_as
from rnn_magics.training.endings import Ending
from rnn_magics.training.run import Run

MOST_LINES = 149  # of a script: a longer one does not fit a handout


@dataclass(frozen=True, repr=False)
class Script(Result):
    """A run, written out as a script.

    Parameters
    ----------
    source
        Python source that needs only torch, and for learnt pieces tokenizers.
    """

    source: str

    def __str__(self) -> str:
        """Return the source."""
        return self.source

    def __repr__(self) -> str:
        """One line: the length of the script."""
        lines = len(self.source.splitlines())
        return say("Script({lines} lines of plain PyTorch)", lines=lines)


def write_script(run: Run, corpus: Corpus, file: str | None = None) -> Script:
    """Write out a run in plain PyTorch, from the text to its held-out perplexity.

    The script draws the same random numbers in the same order as the run: initial weights, offsets,
    shuffles and dropout. On the CPU it reaches the same held-out perplexity: to the last bit if the
    run used ``scratch``, else up to rounding.

    Parameters
    ----------
    run
        A run that has ended as planned, and whose model it created itself.
    corpus
        The text that it was trained on.
    file
        The file for a text that is in no other file and too long for the script.

    Raises
    ------
    TrainingError
        When the run cannot be written out, with the reason.
    CorpusError
        When its text cannot be written out, with the reason.
    """
    vocab = _require_plain(run, corpus)
    text = text_lines(corpus, vocab, file)
    sections = {
        "The text, its tokens, and their indices.": [text.source],
        "The numbers of the run.": [parts.numbers(run)],
        "The model, from its equations.": parts.model(run.config.model),
        "Held-out text, and training.": [*parts.evaluation(run), parts.training(run)],
        "What the model writes, drawn at temperature 0.8.": [parts.writing(vocab.token)],
    }
    blocks = []
    for title, (first, *others) in sections.items():
        blocks += [f"# {title}\n{first}", *others]
    body = _joined(blocks)
    head = f"{_head(run)}\n{_imports(body)}"
    script = Script(f"{head}{body}")
    if (length := script.source.count("\n")) > MOST_LINES:
        if text.kept is not None and text.file is None:
            raise too_long_to_keep(corpus)
        raise TrainingError(
            say(
                "run {name!r} cannot be written out: the script would have {length} lines, and a"
                " handout has at most {most}; {what}",
                name=run.name,
                length=length,
                most=MOST_LINES,
                what=_too_long(run.config.model.cell, len(vocab.config.reserved)),
            )
        )
    text.write()
    return script


def _too_long(cell: str, reserved: int) -> str:
    # What takes most of the lines.
    if not reserved:
        return say("the cell {cell!r} takes too many", cell=cell)
    return say_number(
        reserved,
        "{number} reserved token takes too many",
        "{number} reserved tokens take too many",
    )


def _require_plain(run: Run, corpus: Corpus) -> Vocab:
    model, train, batching = run.config.model, run.config.train, run.config.batching.batching
    device = run.device.device
    reasons = [
        (bool(run.earlier), marked("it went on from the weights of another run")),
        (
            run.weights_from is not None,
            marked(
                "it has its best weights, which a short script does not keep; train with --keep"
                " last, and with as many epochs as were best"
            ),
        ),
        (
            run.reason != Ending.EPOCHS,
            marked("it has not ended as planned; run all of its epochs first"),
        ),
        (
            train.max_time is not None or train.max_tokens is not None,
            marked(
                "its learning rate follows a limit of time or tokens; train with --epochs alone"
            ),
        ),
        (model.learn_state, marked("it has learnt its initial state")),
        (bool(train.freeze), marked("some of its layers were frozen")),
        (model.bidirectional, marked("a bidirectional model is not a language model")),
        (CELLS.get(model.cell) not in parts.STEPS, marked("the cell {cell!r} is your own")),
        (
            train.optimizer not in parts.OPTIMIZERS,
            marked("the optimizer {optimizer!r} is not one of torch's SGD, Adam and AdamW"),
        ),
        (train.schedule not in parts.SHARES, marked("the schedule {schedule!r} is your own")),
        (batching not in parts.STARTS, marked("the batching {batching!r} is your own")),
        (
            model.dropout > 0 and device.type != "cpu",
            marked("its dropout was drawn on {device}, not on the CPU; train with --device cpu"),
        ),
        (
            train.precision != "float32",
            marked("it was computed in {precision}; train it with --precision float32"),
        ),
        (run.vocab is None, marked("it was trained on bare indices, without a vocabulary")),
        (
            run.corpus is None or run.corpus[1] != corpus.fingerprint,
            marked("{corpus!r} is not the text that it was trained on; type its %corpus again"),
        ),
    ]
    reason = next((words for holds, words in reasons if holds), "")
    if not reason and run.vocab is not None:
        num_train = numbered_as(corpus, run.vocab).parts[0].stop
        vocab = Vocab.from_corpus(corpus, run.vocab.config)
        if num_train == run.num_train_tokens and vocab == run.vocab:
            return run.vocab
        reason = marked(
            "{corpus!r} is now split or shortened differently; type the %corpus and %vocab of the"
            " run again"
        )
    told = say(
        reason,
        cell=model.cell,
        optimizer=train.optimizer,
        schedule=train.schedule,
        precision=train.precision,
        device=device,
        batching=batching,
        corpus=corpus.name,
    )
    raise TrainingError(
        say("run {name!r} cannot be written out: {reason}", name=run.name, reason=told)
    )


def _head(run: Run) -> str:
    reached = run.valid_perplexity
    if reached is not None:  # in English, as the whole script is
        figure = f"held-out perplexity {reached:.6g}"
    elif run.num_valid_tokens == 0:
        figure = "nothing held out"
    elif (scored := run.scored) is None:
        figure = "held-out text not scored"
    else:
        perplexity = rounded(scored.perplexity)
        when = f"epoch {scored.epoch}" if scored.tokens is None else f"{scored.tokens:,} tokens"
        figure = f"held-out perplexity {perplexity} after {when}"
    return f'"""Train a language model ({run.config.model.cell}) in plain PyTorch: {figure}."""\n'


_STANDARD = {
    "import ast": r"\bast\.",
    "import bz2": r"\bbz2\.",
    "import csv": r"\bcsv\.",
    "import gzip": r"\bgzip\.",
    "import json": r"\bjson\.",
    "import lzma": r"\blzma\.",
    "import math": r"\bmath\.",
    "import re": r"\bre\.",
    "import sys": r"\bsys\.",
    "import sysconfig": r"\bsysconfig\.",
    "from collections import Counter": r"\bCounter\(",
    "from pathlib import Path": r"\bPath\(",
    "from pydoc_data.topics import topics": r"\btopics\[",
}
"""An import, and what uses it in a script."""
_TORCH = "import torch\n{more}from torch import nn\nfrom torch.nn import functional as F\n"
_LEARNS = "from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers\n"


def _imports(body: str) -> str:
    standard = [line for line, use in _STANDARD.items() if re.search(use, body)]
    torch = _TORCH.format(more=_LEARNS * ("trainers." in body))
    return "\n".join([*standard, "", torch, ""])


def _joined(blocks: list[str]) -> str:
    # Two empty lines around a definition, else one empty line.
    joined, before = blocks[0].rstrip(), False
    for block in blocks[1:]:
        code = re.sub(r"\A(?:# .*\n)+", "", block)
        defines = code.startswith(("def ", "class ", "@"))
        gap = "\n\n\n" if defines or before else "\n\n"
        joined, before = f"{joined}{gap}{block.rstrip()}", defines
    return f"{joined}\n"
