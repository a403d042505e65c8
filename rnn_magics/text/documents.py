"""Documents: a corpus of separate texts, each of which a model begins and ends.

In the data of such a corpus `BOS` stands before each document, and after the last one. A model
reads it where a document begins, from a state of zeros; as a label it is `EOS`, the end of the
document before. So every label is something to predict, and no model has to learn that one document
follows another.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say

if TYPE_CHECKING:  # NumPy takes long to import
    from rnn_magics.text.indexing.numbered import Numbered

MARKS = BOS, EOS = "<bos>", "<eos>"
_BEGIN = 0  # the number of `BOS` among the types of a corpus of documents, which begins with it
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")


@dataclass(frozen=True)
class Marks:
    """The indices of a vocabulary that mark where documents begin and end.

    Parameters
    ----------
    begin, end
        Those of `BOS` and `EOS`.
    """

    begin: int
    end: int


@dataclass(frozen=True)
class Boundary:
    """What separates the documents of a corpus.

    Parameters
    ----------
    help
        What is a document, for the help of ``%corpus --documents``.
    cut
        Cuts a text into documents; None where a text does not show them.
    of_records
        Whether the records of a file are documents. If not, and without `cut`, files are.
    """

    help: str
    cut: Callable[[str], Iterable[str]] | None = None
    of_records: bool = False


DOCUMENTS: dict[str, Boundary] = {
    "line": Boundary(marked("each line"), lambda text: text.split("\n")),
    "blank": Boundary(marked("what is between empty lines"), _EMPTY_LINES.split),
    "file": Boundary(marked("each file")),
    "record": Boundary(marked("each record"), of_records=True),
}


def cut(text: str, kind: str, name: str) -> Iterable[str]:
    """Cut a text into documents.

    Parameters
    ----------
    text
        The text.
    kind
        A name of `DOCUMENTS`.
    name
        The name of the text in messages.

    Raises
    ------
    CorpusError
        When files or records are documents, which a text does not show.
    """
    cutting = DOCUMENTS[kind].cut
    if cutting is not None:
        return cutting(text)
    known = [each for each, boundary in DOCUMENTS.items() if boundary.cut is not None]
    raise CorpusError(
        say(
            "{name!r} is a text, which does not show where a {kind} ends; try --documents {known}",
            name=name,
            kind=say(kind),
            known=say(" or ").join(known),
        )
    )


def joined(documents: Iterable[str], name: str, seed: int | None = None) -> str:
    """Return the data of a corpus: its documents without those that are empty, with their marks.

    Parameters
    ----------
    documents
        The documents.
    name
        The name of the corpus in messages.
    seed
        Shuffles them; None keeps their order.

    Raises
    ------
    CorpusError
        When one of them has a mark in it.
    """
    kept = [document.strip("\n") for document in documents if document.strip()]
    for number, document in enumerate(kept, start=1):
        if found := next((mark for mark in MARKS if mark in document), None):
            raise CorpusError(
                say(
                    "document {number:,} of {name!r} has {mark} in its text, which marks where"
                    " documents begin and end; replace it there",
                    number=number,
                    name=name,
                    mark=found,
                )
            )
    if seed is not None:
        random.Random(seed).shuffle(kept)  # noqa: S311  (no secret)
    return together(kept) if kept else ""


def together(documents: Iterable[str]) -> str:
    """Return documents with their marks."""
    return "".join((*(f"{BOS}{document}" for document in documents), BOS))


def documents_in(data: str) -> list[str]:
    """Return the documents in the data of a corpus."""
    return data.split(BOS)[1:-1]


def beginning(data: str, count: int) -> str:
    """Return the first characters of documents, of which each begins a line."""
    enough = (count + 1) * (len(BOS) + 1)  # since no document is empty
    return data[:enough].replace(BOS, "\n").strip("\n")[:count]


def require_several(data: str, kind: str, name: str) -> None:
    """Refuse a text that is a single document.

    Raises
    ------
    CorpusError
        With what would be a boundary.
    """
    if data.count(BOS) == 2:  # noqa: PLR2004  (before it and after it)
        raise CorpusError(
            say(
                "{name!r} is one document: by --documents {kind}, {boundary} is one; leave it out,"
                " name another of {known}, or hold nothing out (--valid 0)",
                name=name,
                kind=kind,
                boundary=say(DOCUMENTS[kind].help),
                known=", ".join(DOCUMENTS),
            )
        )


def fitting(documents: Sequence[str], limit: int | None) -> Sequence[str]:
    """Return the first documents that have at most `limit` tokens, whatever the tokens are.

    Parameters
    ----------
    documents
        The documents.
    limit
        The most tokens; None for all. The first document is always among them.
    """
    if limit is None:
        return documents
    ends = accumulate(1 + len(document.encode("utf-8", "replace")) for document in documents)
    return documents[: max(1, sum(end < limit for end in ends))]


def of_whole_documents(
    numbered: Numbered, documents: Sequence[str], share: float, limit: int | None, name: str
) -> Numbered:
    """Return the documents that are whole, with how many of their tokens are trained on.

    Parameters
    ----------
    numbered
        The tokens of a corpus of documents.
    documents
        The documents, in their order.
    share, name
        As for `num_trained`.
    limit
        The most tokens; None for all.

    Raises
    ------
    CorpusError
        When the first document is longer than that; or as `num_trained`.
    """
    begins = numbered.places(_BEGIN)
    if limit is not None:
        begins, beyond = begins[begins < limit], begins
        if len(begins) < 2:  # noqa: PLR2004  (before the first document and after it)
            raise CorpusError(
                say(
                    "the first document of {name!r} has {length:,} tokens with its marks, more than"
                    " --max-tokens {limit}; keep more tokens",
                    name=name,
                    length=int(beyond[1]) + 1,
                    limit=limit,
                )
            )
        numbered = numbered.first(int(begins[-1]) + 1)
    trained = num_trained(documents[: len(begins) - 1], share, name)
    return replace(numbered, num_train=int(begins[trained]), shared=1)


def parted(numbered: Numbered, documents: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the documents that are trained on, and those that are held out.

    Parameters
    ----------
    numbered
        The tokens of a corpus of documents, as `of_whole_documents` returns them.
    documents
        The documents, in their order.
    """
    begins = numbered.places(_BEGIN)
    trained = int((begins < numbered.num_train).sum())
    return documents[:trained], documents[trained : len(begins) - 1]


def num_before(documents: Sequence[str], share: float) -> int:
    """Return how many documents begin before the last `share` of all characters."""
    lengths = [len(document) for document in documents]
    begins, kept = accumulate(lengths[:-1], initial=0), (1 - share) * sum(lengths)
    return sum(begin < kept for begin in begins)


def num_trained(documents: Sequence[str], share: float, name: str) -> int:
    """Return how many documents are trained on; they come first.

    Held out are the documents that begin in the last `share` of all characters: so the split does
    not depend on the tokenizer, and never cuts a document.

    Parameters
    ----------
    documents
        The documents.
    share
        The share that is held out.
    name
        The name of the corpus in messages.

    Raises
    ------
    CorpusError
        When every document is in the training part although a share is held out.
    """
    lengths, number = [len(document) for document in documents], num_before(documents, share)
    if share and number == len(lengths):
        raise CorpusError(
            say(
                "every document of {name!r} is in its training part: the last of {number:,} has"
                " {length:,} of {total:,} characters, and begins before the last {share:.0%} of"
                " them; hold out more with --valid, or nothing with --valid 0",
                name=name,
                number=number,
                length=lengths[-1],
                total=sum(lengths),
                share=share,
            )
        )
    return number
