"""The mask of a form: which tokens may come next, whatever the model would like to write.

`Fitted` is a form for one vocabulary. At each place of a text it knows the tokens after which the
text can still reach its form; there is always one. `Rows` follows the rows of a batch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnn_magics.decoding.form import Form
from rnn_magics.errors import DecodingError
from rnn_magics.language import marked, say
from rnn_magics.results import listed
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab

_LEAST = -1e30  # a logit that has overflowed stays above one that is masked


@dataclass(frozen=True)
class Place:
    """Where a text stands in its form.

    Parameters
    ----------
    line
        How many lines are complete; -1 before the line break that ends the line of the prefix.
    inside
        How many tokens the current line has.
    left
        How many tokens may still be written.
    last
        The token before this place.
    sound
        The sound of the rhyme; None before the first rhyming line has ended.
    ends
        The tokens that rhyme so far.
    """

    line: int
    inside: int
    left: int
    last: int | None = None
    sound: str | None = None
    ends: tuple[int, ...] = ()


class Fitted:
    r"""A form, for one vocabulary.

    A decoder receives the logits of the tokens A that the form allows, and no others. What the
    model would have put on the others is what the form costs, in nats:

    .. math:: c = -\sum_t \ln \sum_{i \in A_t} p(i \mid x_{<t})

    Parameters
    ----------
    form
        What is asked for.
    vocab
        The vocabulary of the model.
    length
        The most tokens that may be written.
    begun
        Whether the prefix ends within a line. A text of lines then begins with a line break.

    Attributes
    ----------
    begin : Place
        The place before the first token.

    Raises
    ------
    DecodingError
        When no text of this vocabulary and this length has the form.
    """

    def __init__(self, form: Form, vocab: Vocab, length: int, *, begun: bool = False) -> None:
        if vocab.token == "given":
            raise DecodingError(
                say(
                    "a form is for text, and this model was trained on given tokens; leave out"
                    " its options (--lines, --only ...)"
                )
            )
        if form.line_length and vocab.learnt is not None:
            raise DecodingError(
                say(
                    "--line-length counts tokens, and those of {kind} are pieces of words; leave it"
                    " out, or train on characters: %vocab --token char",
                    kind=vocab.token,
                )
            )
        self.form, self._vocab = form, vocab
        self._length = form.line_length or 0
        self._all = torch.ones(len(vocab), dtype=torch.bool)
        if form.has_lines and "\n" not in vocab:
            raise DecodingError(
                say(
                    "lines need line breaks, and the vocabulary has none, as its text has none;"
                    " leave out --lines, --line-length, --starts and --rhyme"
                )
            )
        self._newline = int(vocab["\n"]) if form.has_lines else None
        self._break = self._mask([vocab["\n"]])
        self._within = self._inside_lines()
        self._starts = [self._beginning(start) for start in form.starts]
        self._lines = form.lines or len(self._starts)
        if form.has_lines and not self._lines:
            self._lines = max((length - begun) // (self._length + 1), 1)
        least = self._least_after(-1) + begun
        if form.has_lines and least > length:
            raise DecodingError(
                say(
                    "the form takes {least:,} tokens with its line breaks, and --length allows"
                    " {length:,}; ask for less, or for --length {least}",
                    least=least,
                    length=length,
                )
            )
        self._sounds: dict[str, Tensor] = {}
        self._sound_of: dict[int, str] = {}
        self._rhyming = self._mask([])
        self._fixed: list[int] = []
        if form.rhymes is not None:
            self._find_rhymes(form.rhymes)
        sound = self._sound_of[self._fixed[0]] if self._fixed else None
        first = -1 if form.has_lines and begun else 0
        self.begin = Place(first, 0, length, sound=sound)

    def check_stop(self, stop: int | None) -> None:
        """Refuse a stop token that would break the form, or is never written in it.

        Raises
        ------
        DecodingError
            With what to leave out.
        """
        if stop is None:
            return
        if self.form.has_lines:
            raise DecodingError(
                say("--stop would end the text before it has its lines; leave out --stop")
            )
        if not self._within[stop]:
            text = marked(
                "with --only {only} the token of --stop is never written; leave out one of them"
            )
            raise DecodingError(say(text, only=",".join(self.form.only)))

    def is_done(self, place: Place) -> bool:
        """Whether the text is complete."""
        return place.line == self._lines if self.form.has_lines else place.left == 0

    def allowed(self, place: Place) -> Tensor:
        """Return which tokens may come at a place, (vocab_size,), bool; do not write to it."""
        if self.is_done(place):
            return self._all
        if not self.form.has_lines:
            return self._within
        return self._break if place.line < 0 else self._allowed_in_line(place)

    def after(self, place: Place, index: int) -> Place:
        """Return the place after a token."""
        left = place.left - 1
        if index != self._newline:
            return replace(place, inside=place.inside + 1, left=left, last=index)
        ends, sound = place.ends, place.sound
        if self._rhymes(place.line) and place.last is not None:
            ends, sound = (*ends, place.last), self._sound_of.get(place.last)
        return Place(place.line + 1, 0, left, index, sound, ends)

    def _allowed_in_line(self, place: Place) -> Tensor:
        start = self._starts[place.line] if place.line < len(self._starts) else []
        if place.inside < len(start):
            return self._mask([start[place.inside]])
        if not self._length:
            return self._allowed_in_free_line(place)
        if place.inside == self._length:
            return self._break
        is_last = place.inside == self._length - 1
        return self._endings(place) if is_last and self._rhymes(place.line) else self._within

    def _allowed_in_free_line(self, place: Place) -> Tensor:
        # The model ends the line, unless its rhyme and the lines after it need what is left.
        room = place.left - self._least_after(place.line)
        endings = self._endings(place) if self._rhymes(place.line) else self._within
        allowed = self._within if room > 2 else endings if room == 2 else ~self._all  # noqa: PLR2004
        may_end = place.inside and place.last is not None and endings[place.last]
        return allowed | self._break if may_end else allowed

    def _endings(self, place: Place) -> Tensor:
        # The tokens that may end a rhyming line. Every sound has enough of them for all lines.
        if place.sound is None:
            return self._rhyming
        return self._sounds[place.sound] & ~self._mask([*self._fixed, *place.ends])

    def _rhymes(self, line: int) -> bool:
        return self.form.rhymes is not None and line % 2 == 1

    def _least_after(self, line: int) -> int:
        # The fewest tokens of the lines after this one, with their line breaks.
        plain = self._length + 1 if self._length else 2
        rest = max(self._lines - line - 1, 0)
        if self._length:
            return plain * rest
        # A token that rhymes may have to follow the beginning of a line.
        started = [(i, s) for i, s in enumerate(self._starts) if i > line]
        more = sum(len(start) + 1 + self._rhymes(i) - plain for i, start in started)
        return plain * rest + more

    def _inside_lines(self) -> Tensor:
        form, tokens = self.form, self._vocab.to_tokens([*range(len(self._vocab))])
        fitting = [place for place, token in enumerate(tokens) if form.holds(token)]
        if not fitting:
            text = marked("the vocabulary has no token that a line could hold; leave out --lines")
            if form.only:
                text = marked(
                    "the vocabulary has no token of {only} alone; choose other classes for --only"
                )
            raise DecodingError(say(text, only=say(" and ").join(form.only)))
        inside, marks = self._mask(fitting), self._vocab.marks
        if marks is not None:  # a document may end, but not before it has its lines
            inside[[marks.begin, marks.end]] = torch.tensor([False, not form.has_lines])
        return inside

    def _beginning(self, start: str) -> list[int]:
        tokens = self._vocab.split(start)
        unknown = [token for token in tokens if token not in self._vocab or token == UNK]
        indices = [int(index) for index in self._vocab[tokens]]
        outside = [token for token in tokens if not self.form.holds(token)]
        if not tokens:
            text = marked("the beginning {start!r} of --starts has no {kind} token; choose another")
        elif unknown:
            text = marked(
                "the beginning {start!r} of --starts needs tokens that are not in the vocabulary:"
                " {unknown}; choose another"
            )
        elif outside and self.form.only:
            text = marked(
                "the beginning {start!r} of --starts needs {outside}, which --only {only} excludes;"
                " choose another"
            )
        elif outside:
            text = marked(
                "the beginning {start!r} of --starts needs {outside}, which no line can hold;"
                " choose another"
            )
        elif self._length and len(tokens) > self._length:
            text = marked(
                "the beginning {start!r} of --starts has {number} tokens, more than the {most} of"
                " --line-length; choose another"
            )
        else:
            return indices
        raise DecodingError(
            say(
                text,
                start=start,
                kind=self._vocab.token,
                unknown=listed([*dict.fromkeys(unknown)]),
                outside=listed(outside),
                only=",".join(self.form.only),
                number=len(tokens),
                most=self._length,
            )
        )

    def _find_rhymes(self, rhymes: Any) -> None:
        groups: dict[str, list[int]] = defaultdict(list)
        for token, sound in rhymes.items():
            if token in self._vocab and self._within[index := int(self._vocab[token])]:
                groups[sound].append(index)
        num = self._lines // 2
        if num < 2:  # noqa: PLR2004  (a line cannot rhyme alone)
            raise DecodingError(
                say("the even lines rhyme, and there are fewer than two of them; ask for --lines 4")
            )
        # A beginning that fills its line fixes how the line ends.
        starts = [start for i, start in enumerate(self._starts) if self._rhymes(i)]
        self._fixed = [start[-1] for start in starts if len(start) == self._length]
        fixed = set(self._fixed)
        if len(fixed) < len(self._fixed):
            raise DecodingError(
                say("two rhyming lines would end in the same token; change --starts")
            )
        kept = {s: group for s, group in groups.items() if len(group) >= num and fixed <= {*group}}
        if not kept:
            largest = max(map(len, groups.values()), default=0)
            text = (
                marked(
                    "no {number} tokens of the vocabulary rhyme with the beginnings that fill their"
                    " lines (the table has at most {largest} of one sound); give --rhyme another"
                    " table"
                )
                if fixed
                else marked(
                    "no {number} tokens of the vocabulary rhyme (the table has at most {largest} of"
                    " one sound); give --rhyme another table"
                )
            )
            raise DecodingError(say(text, number=num, largest=largest))
        self._sounds = {sound: self._mask(group) for sound, group in kept.items()}
        self._sound_of = {index: sound for sound, group in kept.items() for index in group}
        self._rhyming = self._mask(self._sound_of)

    def _mask(self, indices: Iterable[int]) -> Tensor:
        mask = torch.zeros(len(self._vocab), dtype=torch.bool)
        mask[torch.tensor([*indices], dtype=torch.long)] = True
        return mask


def masked(logits: Tensor, masks: Tensor) -> Tensor:
    """Return logits that leave only some tokens to choose from, whatever the model predicts.

    Parameters
    ----------
    logits
        Shape (num_rows, vocab_size).
    masks
        Which tokens are allowed, the same shape.
    """
    return logits.clamp(min=_LEAST).masked_fill(~masks, -math.inf)


def cost(logits: Tensor, masks: Tensor) -> Tensor:
    """Return what each mask costs in nats: -ln of what the model puts on the tokens it allows.

    Parameters
    ----------
    logits
        Those of the model, (num_rows, vocab_size).
    masks
        Which tokens are allowed, the same shape.
    """
    log_probs = logits.double().log_softmax(dim=-1)
    return -log_probs.masked_fill(~masks, -math.inf).logsumexp(dim=-1).clamp(max=0)  # (num_rows,)


class Rows:
    """The rows of a batch, each at its place in a form.

    Parameters
    ----------
    fitted
        The form.
    num
        The number of rows.

    Attributes
    ----------
    nats : list of float
        What the form has cost in each row.
    """

    def __init__(self, fitted: Fitted, num: int) -> None:
        self._fitted = fitted
        self._places = [fitted.begin] * num
        self._masks = torch.ones(0)
        self._costs: list[float] = []
        self.nats = [0.0] * num

    def offered(self, logits: Tensor) -> Tensor:
        """Return the logits that a decoder receives, (num_rows, vocab_size)."""
        self._masks = torch.stack([self._fitted.allowed(place) for place in self._places])
        self._costs = cost(logits, self._masks).tolist()
        return masked(logits, self._masks)

    def take(self, indices: Sequence[int]) -> None:
        """Take the token that was chosen in each row.

        Raises
        ------
        DecodingError
            When a decoder of a notebook has chosen one that was not offered.
        """
        for row, index in enumerate(indices):
            if not self._masks[row, index]:
                raise DecodingError(
                    say(
                        "the decoder chose a token whose logit is -inf, which the form excludes;"
                        " a decoder must not choose such a token"
                    )
                )
            place = self._places[row]
            if not self._fitted.is_done(place):
                self.nats[row] += self._costs[row]
                self._places[row] = self._fitted.after(place, index)

    def is_done(self, row: int) -> bool:
        """Whether the text of a row is complete."""
        return self._fitted.is_done(self._places[row])
