"""Vocab: the map between tokens and indices, most frequent token first."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, overload
from weakref import WeakKeyDictionary

import numpy as np

from rnn_magics.errors import VocabError
from rnn_magics.language import marked, say, say_number
from rnn_magics.results import Result, quoted
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import MARKS, Marks
from rnn_magics.text.indexing.encoded import EncodedCorpus, unk_share
from rnn_magics.text.indexing.ids import Ids, id_type
from rnn_magics.text.indexing.numbered import Numbered
from rnn_magics.text.indexing.on_disk import index_file
from rnn_magics.text.indexing.plain import as_added, as_count, as_learnt, from_plain, to_plain
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.splitting.config import VocabConfig, learn, require_room
from rnn_magics.text.splitting.tokenizer import Learnt, Tokenizer
from rnn_magics.text.tokenizers import TOKENIZERS, UNK, require_kind, tokenizer_of

Numbering = Callable[[Learnt | None], None]
_FORMAT_2 = ("bpe", "grapheme", "byte")  # tokenizers that readers of format 1 do not know


class Vocab(Result):
    """The token-to-index map of a corpus.

    Index 0 is ``<unk>``. The reserved tokens follow, then all others, most frequent first, ties by
    first appearance (Dive into Deep Learning, section 8.2). Last come the tokens of an alphabet
    (the bytes, or learnt pieces) that do not occur: no text has an unknown token then.

    Parameters
    ----------
    tokens
        The tokens to count, in order.
    config
        The lowest frequency, the largest size, the reserved tokens and the tokenizer.
    learnt
        What the tokenizer has learnt, if it is one that learns; by default nothing. `from_corpus`
        lets it learn.

    Attributes
    ----------
    unk : int
        The index of unknown tokens, 0.
    token_freqs : list of (token, count)
        Every token of the text but ``<unk>``, rare ones included, most frequent first.
    learnt : tuple of str or None
        What its tokenizer has learnt from the training text; None if it is none that learns.
    added : tuple
        The tokens of later texts, which come after all others (`with_added`).
    marks : Marks or None
        The indices that mark where documents begin and end; None if the text is not documents.
    """

    unk = 0

    def __init__(
        self,
        tokens: Iterable[Hashable],
        config: VocabConfig | None = None,
        learnt: Learnt | None = None,
    ) -> None:
        config = config or VocabConfig()
        counts = Counter(tokens)
        counts.pop(UNK, None)
        if learnt is None and tokenizer_of(config.token or "char").learning is not None:
            learnt = ()
        self._build(counts.most_common(), config, learnt, documents=False)

    def _build(
        self,
        token_freqs: list[tuple[Any, int]],
        config: VocabConfig,
        learnt: Learnt | None,
        *,
        documents: bool,
        added: tuple[Any, ...] = (),
    ) -> None:
        self.config, self.token_freqs, self.learnt, self.added = config, token_freqs, learnt, added
        alphabet = self.tokenizer.alphabet if self.token in TOKENIZERS else ()
        require_room(config, alphabet)
        least = 1 if alphabet else config.min_freq
        kept = [token for token, count in token_freqs if count >= least]
        # dict.fromkeys: a reserved token that also occurs has one index, the reserved one.
        named = dict.fromkeys([UNK, *config.reserved, *kept, *alphabet])
        self._tokens = list(dict.fromkeys([*list(named)[: config.max_size], *added]))
        self._index = {token: i for i, token in enumerate(self._tokens)}
        if any(token not in self._index for token in config.reserved):
            needed = 1 + len(set(config.reserved) - {UNK})
            text = marked(
                "--max-size {size} leaves no room for the reserved tokens; with {unk} they"
                " need {needed}: --max-size {needed}"
            )
            raise VocabError(say(text, size=config.max_size, unk=UNK, needed=needed))
        self._has_tuples = any(isinstance(token, tuple) for token in self._tokens)
        self.marks = Marks(*map(self._index.__getitem__, MARKS)) if documents else None

    @classmethod
    def from_corpus(
        cls, corpus: Corpus, config: VocabConfig | None = None, *, number: Numbering | None = None
    ) -> Vocab:
        r"""Count the tokens in the training part of a corpus; held-out text is not counted.

        .. math:: c(w) = \#\{t \le n_{train} : w_t = w\}, \quad x(w) = r + \#\{v : c(v) > c(w)\}

        where r is the first index after those of ``<unk>``, the marks of documents and the other
        reserved tokens. Of equally frequent tokens, the one that occurs first comes first.

        Parameters
        ----------
        corpus, config
            The text, and how it becomes tokens.
        number
            Numbers a text on disk when its tokenizer has learnt, see `count_vocab`.

        Raises
        ------
        VocabError
            When the training part has fewer than two tokens.

        Examples
        --------
        >>> vocab = Vocab.from_corpus(corpus)
        >>> vocab["t"], vocab[["t", "o"]], vocab.to_tokens([1, 2])
        (1, [1, 6], ['t', 'c'])
        """
        config = config or VocabConfig()
        token = config.token or corpus.default_token
        require_kind(token, corpus.name, is_text=corpus.is_text)
        config = replace(config, token=token)
        if documents := corpus.has_documents:
            config = replace(config, reserved=tuple(dict.fromkeys((*MARKS, *config.reserved))))
        learnt = learn(corpus.training_text(), config, line_ends=not corpus.config.d2l)
        if number is not None:
            number(learnt)
        numbered = corpus.numbered(token, config.reserved, learnt)
        if (num_train := numbered.num_train) < 2:  # noqa: PLR2004  (one token to read and one to predict)
            raise VocabError(
                say_number(
                    num_train,
                    "{name!r} has {num_train} training token ({token}); a vocabulary needs at"
                    " least two: {advice}",
                    "{name!r} has {num_train} training tokens ({token}); a vocabulary needs at"
                    " least two: {advice}",
                    name=corpus.name,
                    num_train=num_train,
                    token=token,
                    advice=corpus.losses or say("hold less out with --valid, or add text"),
                )
            )
        vocab = cls.__new__(cls)
        freqs = [(token, count) for token, count in numbered.count(num_train) if token != UNK]
        vocab._build(freqs, config, learnt, documents=documents)  # noqa: SLF001  (its own class)
        return vocab

    def with_added(self, tokens: Iterable[Hashable]) -> Vocab:
        """Return a vocabulary that has these tokens besides; every index stays what it is."""
        made, added = Vocab.__new__(Vocab), (*self.added, *tokens)
        given = self.token_freqs, self.config, self.learnt
        made._build(*given, documents=self.marks is not None, added=added)  # noqa: SLF001  (its own)
        return made

    def __len__(self) -> int:
        """Return the number of indices, including ``<unk>`` and the reserved tokens."""
        return len(self._tokens)

    @overload
    def __getitem__(self, tokens: list[Any]) -> list[Any]: ...
    @overload
    def __getitem__(self, tokens: Hashable) -> Any: ...
    def __getitem__(self, tokens: Any) -> Any:
        """Return the index of a token, or the indices of a list or tuple of tokens."""
        if isinstance(tokens, list) or (isinstance(tokens, tuple) and not self._has_tuples):
            return [self[token] for token in tokens]
        return self._index.get(tokens, self.unk)

    def __contains__(self, token: Hashable) -> bool:
        """Whether the token has its own index."""
        return token in self._index

    @overload
    def to_tokens(self, indices: int) -> Any: ...
    @overload
    def to_tokens(self, indices: Sequence[int]) -> list[Any]: ...
    def to_tokens(self, indices: Any) -> Any:
        """Return the token of an index, or the tokens of a sequence of indices."""
        plain = indices.tolist() if hasattr(indices, "tolist") else indices
        if isinstance(plain, list | tuple):
            if {*map(type, plain)} == {int} and min(plain) >= 0 and max(plain) < len(self):
                return [self._tokens[index] for index in plain]  # what is usual, at once
            return [self.to_tokens(index) for index in plain]
        if not 0 <= plain < len(self):
            text = marked("index {plain} is outside this vocabulary of {size} tokens")
            raise VocabError(say(text, plain=plain, size=len(self)))
        return self._tokens[plain]

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that makes the tokens of this vocabulary."""
        return tokenizer_of(self.token, self.learnt)

    @property
    def token(self) -> str:
        """The name of the tokenizer."""
        return self.config.token or "char"

    def split(self, text: str) -> list[Any]:
        """Split text into tokens with the tokenizer of this vocabulary.

        Reserved tokens stay whole. Given tokens need not be strings (``list(range(35))``): a word
        of the text that equals ``str(token)`` stands for that token.
        """
        tokenizer = self.tokenizer
        tokens = (kept_whole(tokenizer, self.config.reserved) or tokenizer).split(text)
        if self.token != "given":
            return tokens
        by_text = {str(token): token for token in reversed(self._tokens)}
        return [by_text.get(token, token) for token in tokens]

    @property
    def id_type(self) -> type[np.integer[Any]]:
        """The smallest integer type for its indices: uint8, int16, int32 or int64."""
        return id_type(len(self))

    @property
    def fingerprint(self) -> str:
        """The sha256 of its tokens, in order."""
        return hashlib.sha256(repr(self._tokens).encode()).hexdigest()

    def indices(self, tokens: Sequence[Hashable]) -> Ids:
        """Return the indices of many tokens.

        Returns
        -------
        numpy.ndarray
            Shape (len(tokens),), dtype int64.
        """
        get, unk = self._index.get, self.unk
        return np.fromiter((get(token, unk) for token in tokens), np.int64, len(tokens))

    def to_json(self) -> str:
        """Return the vocabulary as JSON; `from_json` reads it back.

        Raises
        ------
        VocabError
            When a token is not text, a number, true, false, None, or a tuple of these.
        """
        return json.dumps(self.to_dict(), allow_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary as plain values, ready for JSON; `from_dict` reads them back.

        Raises
        ------
        VocabError
            When a token is not text, a number, true, false, None, or a tuple of these.
        """
        freqs = [[to_plain(token), count] for token, count in self.token_freqs]
        learnt = {} if self.learnt is None else {"learnt": list(self.learnt)}
        marked: dict[str, Any] = {} if self.marks is None else {"documents": True}
        marked |= {"added": [to_plain(token) for token in self.added]} if self.added else {}
        whole = {"format": self.format, "config": self.config.to_dict(), "token_freqs": freqs}
        return {**whole, **learnt, **marked}

    @property
    def format(self) -> int:
        """The lowest format of files that can hold it; see docs/format.md."""
        is_new = self.token in _FORMAT_2 or self.learnt is not None or self.marks is not None
        return 2 if is_new or self.added else 1

    @classmethod
    def from_json(cls, text: str) -> Vocab:
        """Read what `to_json` wrote.

        Raises
        ------
        VocabError
            When the text is not a vocabulary.
        """
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise VocabError(say("not a vocabulary of rnn_magics: {error}", error=error)) from None

    @classmethod
    def from_dict(cls, document: Any) -> Vocab:
        """Read what `to_dict` returned.

        Raises
        ------
        VocabError
            When it is not a vocabulary.
        """
        try:
            if not isinstance(document, Mapping) or document.get("format") not in (1, 2):
                raise VocabError(say("not a vocabulary of rnn_magics (format 1 or 2)"))
            config = VocabConfig.from_dict(document["config"])
            learnt = as_learnt(document.get("learnt"))
            freqs = [
                (from_plain(token), as_count(count)) for token, count in document["token_freqs"]
            ]
            documents, added = document.get("documents"), as_added(document.get("added"))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise VocabError(say("not a vocabulary of rnn_magics: {error}", error=error)) from None
        counts = [count for _, count in freqs]
        if documents is not None and (documents is not True or not {*MARKS} <= {*config.reserved}):
            raise VocabError(
                say("not a vocabulary of rnn_magics: the marks of documents are amiss")
            )
        if counts != sorted(counts, reverse=True):
            text = marked(
                "not a vocabulary of rnn_magics: its tokens are not sorted, most frequent first"
            )
            raise VocabError(say(text))
        vocab = cls.__new__(cls)
        vocab._build(freqs, config, learnt, documents=bool(documents), added=added)  # noqa: SLF001
        last = vocab.to_tokens(list(range(len(vocab) - len(added), len(vocab))))
        if len({token for token, _ in freqs}) != len(freqs) or last != list(added):
            raise VocabError(say("not a vocabulary of rnn_magics: a token occurs twice"))
        learns = vocab.token in TOKENIZERS and TOKENIZERS[vocab.token].learning is not None
        if learns is (learnt is None) or document["format"] != vocab.format:
            raise VocabError(
                say("not a vocabulary of rnn_magics: its format does not fit its tokenizer")
            )
        return vocab

    def __eq__(self, other: object) -> bool:
        """Whether the other vocabulary maps the same tokens to the same indices."""
        if not isinstance(other, Vocab):
            return NotImplemented
        mine = self._tokens, self.token, self.learnt, self.marks
        return mine == (other._tokens, other.token, other.learnt, other.marks)

    __hash__ = None  # type: ignore[assignment]  # a vocabulary holds lists

    def __deepcopy__(self, _memo: object) -> Vocab:
        """Return itself, since it never changes; the copy of a model shares it."""
        return self

    def __repr__(self) -> str:
        """One line: size, tokenizer, the most frequent tokens."""
        head = ", ".join(map(quoted, self._tokens[:6])) + ", ..." * (len(self) > 6)  # noqa: PLR2004
        return say(
            "Vocab({size:,} {kind} tokens: {head})", size=len(self), kind=self.token, head=head
        )


_newest: WeakKeyDictionary[Numbered, tuple[Vocab, EncodedCorpus]] = WeakKeyDictionary()


def numbered_as(corpus: Corpus, vocab: Vocab) -> Numbered:
    """Return a corpus as numbers of the tokens that a vocabulary is made of."""
    return corpus.numbered(vocab.token, vocab.config.reserved, vocab.learnt)


def encode_corpus(corpus: Corpus, vocab: Vocab) -> EncodedCorpus:
    """Turn both parts of a corpus into indices of `vocab`.

    The result for the vocabulary used last is kept for as long as the corpus exists.
    """
    numbered = numbered_as(corpus, vocab)
    kept = _newest.get(numbered)
    if kept is None or kept[0] is not vocab:
        kept = _newest[numbered] = vocab, _encode(corpus, vocab, numbered)
    return kept[1]


def _encode(corpus: Corpus, vocab: Vocab, numbered: Numbered) -> EncodedCorpus:
    blocks, notes = partial(numbered.encoded, vocab.indices, vocab.id_type), numbered.notes
    if isinstance(corpus.data, StreamedText):
        known_by = f"{vocab.fingerprint} {numbered.checksum}"
        feed = corpus.feed(vocab.token, vocab.config.reserved, vocab.learnt)
        file = index_file(corpus.data, corpus.config, corpus.name, vocab.token, feed, known_by)
        needed = numbered.size * np.dtype(vocab.id_type).itemsize
        stored = file.mapped(blocks, list, needed, vocab.id_type)
        ids, notes = stored.ids, tuple(dict.fromkeys((*notes, *stored.notes)))
    else:
        ids, end = np.empty(numbered.size, vocab.id_type), 0
        for block in blocks():
            ids[end : end + len(block)] = block
            end += len(block)
        ids.flags.writeable = False
    train, valid = numbered.parts
    return EncodedCorpus(ids[train], ids[valid], notes)


__all__ = ["EncodedCorpus", "Ids", "Vocab", "VocabConfig", "encode_corpus", "unk_share"]
