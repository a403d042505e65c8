"""Short texts by a model in training, so that a reader can watch it learn."""

from __future__ import annotations

import time
from typing import Any

from rnn_magics.decoding.decode import is_ready, iter_decode, iter_plain
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import continued
from rnn_magics.decoding.limits import ends_of
from rnn_magics.decoding.prefix import read_prefix, usual_prefix, vocab_of
from rnn_magics.errors import RNNMagicsError
from rnn_magics.results import brief, visible
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.run import Run

_CONFIG = DecodingConfig(length=200, temperature=0.7)
_MOST_CHARACTERS = 500
_SEVERAL = 5  # documents; a reader learns little from one name
_MOST = 64  # kept; of more, every other one goes
_SHARE = 0.0025  # of the time so far, for what is kept, and again for what is shown now
_SECONDS_BETWEEN = 3.0


class Samples:
    """What the model of a run writes: now and then, and after its epochs.

    Writing takes time from the training, so it takes a small share of it: of short epochs, only
    some have a text.

    Parameters
    ----------
    run
        The run in training.

    Attributes
    ----------
    kept : list of dict
        ``epoch`` and ``text`` after each epoch that has one, the last at the end.
    newest : str
        The latest text.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.kept: list[dict[str, Any]] = []
        self.newest = ""
        self._begun = self._wrote_at = time.monotonic()
        self._spent_on_kept = self._spent_on_now = 0.0

    def write_now(self) -> None:
        """Write again if the latest text is a few seconds old; call it between two steps."""
        is_old = time.monotonic() - self._wrote_at >= _SECONDS_BETWEEN
        if is_old and self._can_pay(self._spent_on_now):
            self._spent_on_now += self._write()

    def keep(self, epoch: int, *, is_last: bool) -> None:
        """Write after an epoch, and keep the text; the first and the last have one always."""
        known = bool(self.kept) and self.kept[-1]["epoch"] == epoch
        if known or not (is_last or not self.kept or self._can_pay(self._spent_on_kept)):
            return
        self._spent_on_kept += self._write()
        if not self.newest:
            return
        if len(self.kept) == _MOST:
            self.kept = self.kept[::2]
        self.kept = [*self.kept, {"epoch": epoch, "text": self.newest}]

    def _can_pay(self, spent: float) -> bool:
        return spent <= _SHARE * (time.monotonic() - self._begun)

    def _write(self) -> float:
        begun = time.monotonic()
        self.newest = visible(sample_text(self._run))[:_MOST_CHARACTERS]
        self._wrote_at = time.monotonic()
        return self._wrote_at - begun


def sample_text(run: Run) -> str:
    """Return a short text by the current model; empty if it cannot write.

    Of documents it is several, a line each. Call it between two steps. It does not use the random
    generators of the run.
    """
    try:
        vocab = vocab_of(run)
        prefix, seeds = usual_prefix(vocab), 1 if vocab.marks is None else _SEVERAL
        read, ends = read_prefix(run, prefix), ends_of(vocab, None)
        rows: list[list[int]] = [[] for _ in range(seeds)]
        # Both write the same text, but compiling now would delay training for seconds.
        decode = iter_decode if is_ready(run.model, _CONFIG) else iter_plain
        for written in decode(run.model, read, _CONFIG, range(seeds)):
            for row, indices in zip(rows, written.indices.t().tolist(), strict=True):
                row.extend(indices if ends.isdisjoint(row) else [])
            if not any(ends.isdisjoint(row) for row in rows):
                break
        return "\n".join(_text(vocab, prefix, row, ends) for row in rows)
    except RNNMagicsError:  # bidirectional, bare indices or diverged: nothing to show
        return ""


def _text(vocab: Vocab, prefix: str, indices: list[int], ends: set[int]) -> str:
    end = next((place for place, index in enumerate(indices) if index in ends), None)
    tokens = vocab.to_tokens(indices[:end])
    return "".join(map(brief, continued(vocab, prefix, [], tokens))) if tokens else prefix
