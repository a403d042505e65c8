"""Corpus: the cleaned text of a source, and the part of it that is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.results import Result, quoted
from rnn_magics.text.cleaning import (
    DEFAULT_VALID,
    CorpusConfig,
    clean,
    cleaned_and_lost,
    require_two,
    words_of_loss,
)
from rnn_magics.text.given import elements, require_tokens, text_or_elements
from rnn_magics.text.indexing.cache import IndexFile
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.indexing.numbering import Numbered, cut_off, numberer_for, slices, token_pieces
from rnn_magics.text.reading.download import DownloadConfig
from rnn_magics.text.reading.several import Spec, find_sources
from rnn_magics.text.reading.sources import cache_folder
from rnn_magics.text.reading.stream import StreamedText, cleaned_text
from rnn_magics.text.reserved import Whole, kept_whole
from rnn_magics.text.series.levels import Series
from rnn_magics.text.tasks.stream import MadeUp
from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer, split_words

DEFAULT_SOURCE = "python_docs"
_LISTED = 10_000_000  # tokens of a text on disk that may become a list of Python objects


@dataclass(frozen=True, repr=False)
class Corpus(Result):
    """A text, or a sequence of tokens, ready to become minibatches.

    Make one with `load`, `from_text` or `from_tokens`.

    Parameters
    ----------
    name
        Its name in listings.
    data
        The cleaned text, or the given tokens. Text of files of more than 256 MiB is not held in
        memory: it is read piece by piece, and its tokens are kept as indices on disk.
    origin
        Where it came from: a path, a URL, ``cell`` ...
    config
        How it was cleaned and how it is split.
    notes
        Remarks on its sources, for the user.
    letters_removed
        The share of the letters of its sources that the cleaning removed.
    encoding
        The encoding that was named for its files; None if none was.
    behind
        What the tokens stand for, where that is known: a series, or a made-up task.

    Notes
    -----
    The split counts tokens, not characters, so that no word is cut in two: the last ``valid``
    share of the token sequence is held out, in one piece.
    """

    name: str
    data: str | StreamedText | tuple[Hashable, ...]
    origin: str
    config: CorpusConfig = field(default_factory=CorpusConfig)
    notes: tuple[str, ...] = field(default=(), compare=False)
    letters_removed: float = field(default=0.0, compare=False)
    encoding: str | None = None
    behind: Series | MadeUp | None = field(default=None, compare=False)
    _numbered: dict[tuple[str, Whole | None], tuple[Tokenizer, Numbered]] = field(
        default_factory=dict, init=False, compare=False
    )
    _read_as: dict[CorpusConfig, Corpus] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def load(
        cls,
        source: Spec | Iterable[Spec] = DEFAULT_SOURCE,
        config: CorpusConfig | None = None,
        *,
        encoding: str | None = None,
        name: str | None = None,
        download: DownloadConfig | None = None,
    ) -> Corpus:
        """Read one or more sources; the texts of several are joined by a line end.

        Parameters
        ----------
        source
            A built-in name, an ``http(s)://`` URL, a path, a folder (its files, without hidden
            ones), a pattern such as ``books/**/*.txt``, both in the order of paths; or several.
        config
            Cleaning and split.
        encoding
            The encoding of files and downloads. By default UTF-8, or the one that a byte order
            mark or a server announces; each file is judged by itself.
        name
            The name in listings; by default the names of the sources.
        download
            The limits of a download, and the sha256 that it must have.

        Raises
        ------
        CorpusError
            When a source cannot be read, or fewer than two characters are left after cleaning.
        """
        config = config or CorpusConfig()
        specs = [source] if isinstance(source, str | PathLike) else list(source)
        found = find_sources(specs, encoding, download)
        name = name or found.name
        data, lost = cleaned_text(found.sources, config, name)
        return cls(name, data, found.origin, config, found.notes(len(data)), lost, encoding)

    @classmethod
    def from_text(
        cls,
        text: str,
        config: CorpusConfig | None = None,
        *,
        name: str = "text",
        origin: str = "text",
    ) -> Corpus:
        """Make a corpus from a string.

        Raises
        ------
        CorpusError
            When fewer than two characters are left after cleaning.
        """
        config = config or CorpusConfig()
        cleaned, lost = cleaned_and_lost(text, config, name)
        return cls(name, cleaned, origin, config, letters_removed=lost)

    @classmethod
    def from_tokens(
        cls,
        tokens: Iterable[Hashable],
        config: CorpusConfig | None = None,
        *,
        name: str = "tokens",
        origin: str = "tokens",
    ) -> Corpus:
        """Make a corpus from given tokens, e.g. a discretised time series.

        Raises
        ------
        CorpusError
            When there are fewer than two tokens, one of them cannot be a dictionary key, or
            `tokens` cannot be read or is an iterator over more than 10,000,000.
        """
        config = config or CorpusConfig()
        given = elements(tokens, name)
        require_two(given, name, "token")
        require_tokens(given, name)
        if config.cleaned():
            flags = " and ".join(f"--{each.replace('_', '-')}" for each in config.cleaned())
            msg = f"{name!r} is a sequence of tokens, and cleaning is for text; leave out {flags}"
            raise CorpusError(msg)
        return cls(name, given, origin, config)

    @classmethod
    def from_data(
        cls,
        data: Any,
        config: CorpusConfig | None = None,
        *,
        name: str = "data",
    ) -> Corpus:
        """Make a corpus from the value of a notebook variable.

        A string is text. A list of strings is the lines of a text. Any other sequence (a list, a
        range, an array, a tensor, a pandas column) is a sequence of tokens. For a list of words
        that are tokens already, use `from_tokens`.

        Raises
        ------
        CorpusError
            When `data` is of another kind, or too short.
        """
        origin = f"variable {name}"
        found = text_or_elements(data, name)
        if isinstance(found, str):
            return cls.from_text(found, config, name=name, origin=origin)
        return cls.from_tokens(found, config, name=name, origin=origin)

    def read_as(self, cleaning: CorpusConfig) -> Corpus:
        """Return this text with another cleaning; its split and its length stay."""
        config = replace(cleaning, valid=self.config.valid, max_tokens=self.config.max_tokens)
        if not self.is_text or config == self.config:
            return self
        if config not in self._read_as:
            on_disk = self.data.sources if isinstance(self.data, StreamedText) else None
            data: str | StreamedText
            if on_disk:
                data, lost = cleaned_text(on_disk, config, self.name)
            else:
                data, lost = cleaned_and_lost(str(self.data), config, self.name)
            read = replace(self, data=data, config=config, letters_removed=lost)
            self._read_as[config] = read
        return self._read_as[config]

    @property
    def losses(self) -> str:
        """What to know of the letters that the cleaning removed; empty if they are few."""
        return words_of_loss(self.name, self.letters_removed)

    @property
    def is_text(self) -> bool:
        """Whether this is text to tokenize, rather than given tokens."""
        return not isinstance(self.data, tuple)

    @property
    def on_disk(self) -> bool:
        """Whether the text is read from its files piece by piece, its indices mapped from disk."""
        return isinstance(self.data, StreamedText)

    def beginning(self, count: int) -> str | tuple[Hashable, ...]:
        """Return the first characters or given tokens; at most 1000 for a text on disk."""
        data = self.data
        return data.beginning[:count] if isinstance(data, StreamedText) else data[:count]

    @property
    def fingerprint(self) -> str:
        """The sha256 of the cleaned data, for the record of a run."""
        if isinstance(self.data, StreamedText):
            return self.data.sha256
        data = self.data if isinstance(self.data, str) else "\0".join(map(repr, self.data))
        digest = hashlib.sha256()
        for piece in slices(data):
            digest.update(piece.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def tokens(self, token: str | None = None, reserved: tuple[str, ...] = ()) -> list[Any]:
        """Split the corpus into tokens.

        Parameters
        ----------
        token
            A name of `TOKENIZERS`; by default ``char`` for text. Given tokens stay as they are.
        reserved
            Tokens that stay whole, whatever the tokenizer.

        Returns
        -------
        list
            The first ``config.max_tokens`` tokens, in order.

        Raises
        ------
        CorpusError
            When a tokenizer is named for given tokens, or there are too many tokens for a list.
        """
        token = self._checked(token)
        if isinstance(self.data, StreamedText):
            return self._listed(token, reserved)
        if not isinstance(self.data, str):
            return list(self.data[: self.config.max_tokens])
        tokenizer = TOKENIZERS[token]
        split = (kept_whole(tokenizer, reserved) or tokenizer).split
        if self.config.d2l:  # the book joins the tokens of its lines: line ends are not tokens
            tokens = [token for line in self.data.split("\n") for token in split(line)]
        else:
            tokens = split(self.data)
        return tokens[: self.config.max_tokens]

    def numbered(self, token: str | None = None, reserved: tuple[str, ...] = ()) -> Numbered:
        """Return the tokens as numbers of their types, which takes far less memory than `tokens`.

        The text is tokenized once for each tokenizer; the result is kept.

        Parameters
        ----------
        token
            A name of `TOKENIZERS`; by default ``char`` for text.
        reserved
            Tokens that stay whole, whatever the tokenizer.

        Raises
        ------
        CorpusError
            When a tokenizer is named for given tokens.
        """
        token = self._checked(token)
        tokenizer = TOKENIZERS[token]
        whole = kept_whole(tokenizer, reserved) if self.is_text else None
        kept = self._numbered.get((token, whole))
        if kept is None or kept[0] is not tokenizer:  # a notebook may have replaced it
            kept = self._numbered[token, whole] = tokenizer, self._number(token, whole)
        return kept[1]

    def _number(self, token: str, whole: Whole | None) -> Numbered:
        data, limit, tokenizer = self.data, self.config.max_tokens, TOKENIZERS[token]
        if isinstance(data, tuple):
            return Numbered.of_tokens(data[:limit])
        if isinstance(data, StreamedText):
            return self._number_on_disk(data, token, whole)
        return Numbered.of_text(data, tokenizer, whole, limit, line_ends=not self.config.d2l)

    def _number_on_disk(self, text: StreamedText, token: str, whole: Whole | None) -> Numbered:
        tokenizer, limit = TOKENIZERS[token], self.config.max_tokens
        if tokenizer.breaks is None:
            msg = f"{self.name!r} has {len(text):,} characters, too many to split in one piece;"
            msg += f" say where tokenizer {token!r} may cut a text: Tokenizer(..., breaks='\\n')"
            raise CorpusError(msg)
        numberer = numberer_for(tokenizer, whole, line_ends=not self.config.d2l)

        def blocks() -> Iterator[Ids]:
            return cut_off(map(numberer.feed, token_pieces(text.pieces(), tokenizer, whole)), limit)

        # For words this is a guess: one in every four characters begins one. Twice the size, for
        # the numbers here and for the indices of a vocabulary.
        guess = len(text) * 2 if tokenizer.split is list else len(text) // 4 * 4 * 2
        needed = guess if limit is None else min(guess, limit * 8)
        # A notebook may have registered another function under the same name since.
        anew = tokenizer.split not in (list, split_words)
        file = self.index_file(text, token, whole)
        stored = file.mapped(blocks, lambda: numberer.types, needed, anew=anew)
        return Numbered.of_numbers(stored.ids, stored.types, stored.checksum, stored.notes)

    def index_file(
        self, text: StreamedText, token: str, whole: Whole | None, vocabulary: str = ""
    ) -> IndexFile:
        """Return the file that keeps the indices of a text on disk.

        Parameters
        ----------
        text
            The data of this corpus.
        token
            A name of `TOKENIZERS`.
        whole
            The reserved tokens.
        vocabulary
            Identifies the vocabulary; empty for the numbers of token types.
        """
        identity = text.identity
        reserved = {} if whole is None else {"reserved": whole.tokens}
        what = {**self.config.to_dict(), "valid": None, "token": token, **reserved}
        family, folder = [part[:2] for part in identity], cache_folder() / "indices"
        # Version 1 took combining marks off their letters.
        version = 2 if token == "word" or self.config.letters_only else 1
        return IndexFile(folder, family, identity, what, self.name, vocabulary, version)

    def _listed(self, token: str, reserved: tuple[str, ...]) -> list[Any]:
        numbered = self.numbered(token, reserved)
        if numbered.size > _LISTED:
            msg = f"{self.name!r} has {numbered.size:,} tokens, too many for a list; keep fewer"
            raise CorpusError(msg + f" with --max-tokens {_LISTED}, or use Corpus.numbered")
        types = numbered.types()
        return [types[number] for block in numbered.blocks() for number in block.tolist()]

    def _checked(self, token: str | None) -> str:
        token = token or self.default_token
        if (token == "given") is self.is_text:
            what = "text" if self.is_text else "a sequence of tokens"
            msg = f"{self.name!r} is {what}; leave out --token {token}"
            raise CorpusError(msg)
        return token

    @property
    def default_token(self) -> str:
        """The name of the tokenizer that is used by default."""
        return "char" if self.is_text else "given"

    @property
    def held_out_share(self) -> float:
        """The share of the tokens that are held out."""
        return self.config.held_out_share(len(self.data))

    def split(self, tokens: list[Any]) -> tuple[list[Any], list[Any]]:
        """Split tokens into those to train on and those held out."""
        cut = self.num_train_tokens(len(tokens))
        return tokens[:cut], tokens[cut:]

    def num_train_tokens(self, num_tokens: int) -> int:
        """Return how many of `num_tokens` tokens are trained on; they come first."""
        return num_tokens - int(num_tokens * self.held_out_share)

    def __len__(self) -> int:
        """Return the number of characters, or of given tokens."""
        return len(self.data)

    def __repr__(self) -> str:
        """One line: name, size, split."""
        unit = "characters" if self.is_text else "tokens"
        held_out = f"{self.held_out_share:.0%}" if self.held_out_share else "nothing"
        first = f", the first {limit:,} tokens" if (limit := self.config.max_tokens) else ""
        size = f"{len(self):,} {unit}{' on disk' if self.on_disk else ''}"
        return f"Corpus({quoted(self.name)}, {size}{first}, {held_out} held out)"


__all__ = ["DEFAULT_SOURCE", "DEFAULT_VALID", "Corpus", "CorpusConfig", "clean"]
