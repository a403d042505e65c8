"""Corpus: the cleaned text of a source, and the part of it that is held out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from rnn_magics.language import say
from rnn_magics.results import Result, quoted
from rnn_magics.text.cleaning import (
    DEFAULT_VALID,
    CorpusConfig,
    clean,
    cleaned_and_lost,
    require_two,
    require_uncleaned,
    words_of_loss,
)
from rnn_magics.text.documents import documents_in
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.given import elements, require_tokens, text_or_elements
from rnn_magics.text.indexing.numbered import Cut, Feed, Numbered
from rnn_magics.text.indexing.on_disk import listed, number_on_disk, storage_folder
from rnn_magics.text.reading.download import DownloadConfig
from rnn_magics.text.reading.progress import Watch
from rnn_magics.text.reading.several import Spec, find_sources
from rnn_magics.text.reading.stream import StreamedText, cleaned_again, cleaned_text
from rnn_magics.text.series.levels import Series
from rnn_magics.text.splitting import data as raw
from rnn_magics.text.splitting.aside import set_aside
from rnn_magics.text.splitting.tokenizer import Learnt, Tokenizer
from rnn_magics.text.tasks.stream import MadeUp
from rnn_magics.text.tokenizers import require_kind, tokenizer_of

DEFAULT_SOURCE = "python_docs"


@dataclass(frozen=True, repr=False)
class Corpus(Result):
    """A text, or a sequence of tokens; made by `load`, `from_text` or `from_tokens`.

    Parameters
    ----------
    name
        Its name in listings.
    data
        The cleaned text, or the given tokens. Text of files of more than 256 MiB is read piece by
        piece, and its tokens are indices on disk. Documents have `BOS` before each and at the end.
    origin
        Where it came from: a path, a URL, ``cell`` ...
    config
        How it was cleaned and how it is split.
    notes
        Remarks on its sources, for the user.
    letters_removed
        The share of the letters of its sources that the cleaning removed.
    encoding, files
        The encoding that was named for its files, None if none was; and how else they were read.
    behind
        What the tokens stand for, where that is known: a series, or a made-up task.
    test, is_test
        The end of the text that was set aside (``config.test``); whether this is such an end.

    Notes
    -----
    The last ``valid`` share of the characters is held out, whatever the tokens are, so that every
    tokenizer trains and is measured on the same text; both parts are tokenized apart. With
    ``max_tokens``, and of given tokens, the share counts tokens; of documents, it begins in it.
    """

    name: str
    data: str | StreamedText | tuple[Hashable, ...]
    origin: str
    config: CorpusConfig = field(default_factory=CorpusConfig)
    notes: tuple[str, ...] = field(default=(), compare=False)
    letters_removed: float = field(default=0.0, compare=False)
    encoding: str | None = None
    behind: Series | MadeUp | None = field(default=None, compare=False)
    files: FileConfig = field(default_factory=FileConfig)
    test: Corpus | None = field(default=None, compare=False)
    is_test: bool = False
    _numbered: dict[tuple[str, tuple[str, ...]], tuple[Tokenizer, Numbered]] = field(
        default_factory=dict, init=False, compare=False
    )
    _read_as: dict[CorpusConfig, Corpus] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def load(  # noqa: PLR0913  (each says how sources are read)
        cls,
        source: Spec | Iterable[Spec] = DEFAULT_SOURCE,
        config: CorpusConfig | None = None,
        *,
        encoding: str | None = None,
        name: str | None = None,
        download: DownloadConfig | None = None,
        files: FileConfig | None = None,
        watch: Watch | None = None,
        storage: str | PathLike[str] | None = None,
    ) -> Corpus:
        """Read one or more sources; the texts of several are joined by a line end.

        Parameters
        ----------
        source
            A built-in name, an ``http(s)://`` URL, ``hf:NAME:SPLIT``, a path, a folder or a zip
            archive (its files, without hidden ones), a pattern such as ``books/**/*.txt``, all in
            the order of paths; or several.
        config
            Cleaning and split.
        encoding
            The encoding of files and downloads; by default UTF-8, or the one that a byte order
            mark or a server announces, for each file by itself.
        name
            The name in listings; by default the names of the sources.
        download
            The limits of a download, and the sha256 that it must have.
        files
            What the files are, and what of them is the text.
        watch
            Is told how much of the local files has been read.
        storage
            A folder for the token indices, which all workers see. The files stay on disk, then.

        Raises
        ------
        CorpusError
            When a source cannot be read, or fewer than two characters are left after cleaning.
        """
        config, files = config or CorpusConfig(), files or FileConfig()
        specs = [source] if isinstance(source, str | PathLike) else list(source)
        kept, how = storage_folder(storage), (encoding, download, files, watch)
        found = find_sources(specs, *how, stay_on_disk=kept is not None)
        name = name or found.name
        data, lost = cleaned_text(found.sources, config, name, found.meter, kept)
        corpus = cls(name, data, found.origin, config, (), lost, encoding, files=files)
        return _parted(replace(corpus, notes=found.notes(len(corpus))))

    @classmethod
    def from_text(
        cls,
        text: str | list[str],
        config: CorpusConfig | None = None,
        *,
        name: str = "text",
        origin: str = "text",
    ) -> Corpus:
        """Make a corpus from a string, or from records: the lines of a text, or its documents.

        Raises
        ------
        CorpusError
            When fewer than two characters are left after cleaning, or the text is to be documents
            and does not show where one ends.

        Examples
        --------
        >>> Corpus.from_text("tick tock " * 40, CorpusConfig(valid=0.2))
        Corpus('text', 400 characters, 20% held out)
        """
        config = config or CorpusConfig()
        cleaned, lost = cleaned_and_lost(text, config, name)
        return _parted(cls(name, cleaned, origin, config, letters_removed=lost))

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
            When there are fewer than two tokens, one of them cannot be a key of a dictionary, or
            `tokens` cannot be read or yields more than 10,000,000.
        """
        config, given = config or CorpusConfig(), elements(tokens, name)
        require_two(given, name, "token")
        require_tokens(given, name)
        require_uncleaned(config, name)
        return _parted(cls(name, given, origin, config))

    @classmethod
    def from_data(
        cls,
        data: Any,
        config: CorpusConfig | None = None,
        *,
        name: str = "data",
        field: str | None = None,
    ) -> Corpus:
        """Make a corpus from the value of a notebook variable.

        A string is text, a list of strings its lines or documents. Of records (a
        ``datasets.Dataset``, a list of dicts) a field is the text, and of a table a column. Any
        other sequence (a list, an array, a tensor, a pandas column) is tokens. For a list of words
        that are tokens already, use `from_tokens`.

        Raises
        ------
        CorpusError
            When `data` is of another kind, or too short, or has no such field.
        """
        origin = say("variable {name}", name=name)
        found = text_or_elements(data, name, field)
        if isinstance(found, tuple):
            return cls.from_tokens(found, config, name=name, origin=origin)
        return cls.from_text(found, config, name=name, origin=origin)

    def read_as(self, cleaning: CorpusConfig) -> Corpus:
        """Return this text with another cleaning; its split and its length stay."""
        config = cleaning.split_as(self.config)
        if self.has_documents and config.documents is not None:  # they stay what they are
            config = replace(config, documents=self.config.documents, seed=self.config.seed)
        if isinstance(self.data, tuple) or config == self.config:
            return self
        if config not in self._read_as:
            given = self.documents if self.has_documents else self.data
            data, lost = cleaned_again(given, config, self.name)
            test = None if self.test is None else self.test.read_as(cleaning)
            read = replace(self, data=data, config=config, letters_removed=lost, test=test)
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
        """Whether the text is read piece by piece, its indices mapped from disk."""
        return isinstance(self.data, StreamedText)

    @property
    def has_documents(self) -> bool:
        """Whether it is many documents rather than one text."""
        return self.config.documents is not None

    @property
    def documents(self) -> list[str]:
        """Its documents, cleaned, in their order; empty if it is one text."""
        return documents_in(str(self.data)) if self.has_documents else []

    def beginning(self, count: int) -> str | tuple[Hashable, ...]:
        """Return the first characters or given tokens; at most 1000 for a text on disk.

        Of documents, each begins a line.
        """
        return raw.beginning_of(self.data, self.config, count)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the cleaned data, for the record of a run."""
        return raw.fingerprint_of(self.data)

    def tokens(
        self,
        token: str | None = None,
        reserved: tuple[str, ...] = (),
        learnt: Learnt | None = None,
    ) -> list[Any]:
        """Return the first ``config.max_tokens`` tokens, of documents those that are whole."""
        return self._listed(token, reserved, learnt)[0]

    def split(
        self,
        token: str | None = None,
        reserved: tuple[str, ...] = (),
        learnt: Learnt | None = None,
    ) -> tuple[list[Any], list[Any]]:
        """Return the tokens to train on, and those that are held out.

        Two parts of documents share the `BOS` between them: it ends the one and begins the other.

        Parameters
        ----------
        token
            A name of `TOKENIZERS`; by default ``char`` for text. Given tokens stay as they are.
        reserved
            Tokens that stay whole, whatever the tokenizer.
        learnt
            What the tokenizer has learnt, if it is one that learns; see `Vocab.learnt`.

        Raises
        ------
        CorpusError
            When a tokenizer is named for given tokens, or one that has learnt nothing yet, or
            there are too many tokens for a list.
        """
        found, (train, valid) = self._listed(token, reserved, learnt)
        return found[train], found[valid]

    def _listed(
        self, token: str | None, reserved: tuple[str, ...], learnt: Learnt | None
    ) -> tuple[list[Any], tuple[slice, slice]]:
        if isinstance(self.data, tuple):
            self._checked(token)
            found = list(self.data[: self.config.max_tokens])
            num_train = self.cut.num_train(len(found))
            return found, (slice(num_train), slice(num_train, None))
        numbered = self.numbered(token, reserved, learnt)
        return listed(numbered, self.name), numbered.parts

    def numbered(
        self,
        token: str | None = None,
        reserved: tuple[str, ...] = (),
        learnt: Learnt | None = None,
    ) -> Numbered:
        """Return the tokens as numbers of their types, which takes far less memory than `tokens`.

        The text is tokenized once for each tokenizer; the result is kept.

        Parameters
        ----------
        token, reserved, learnt
            As for `split`.

        Raises
        ------
        CorpusError
            When a tokenizer is named for given tokens, or one that has learnt nothing yet.
        """
        token = self._checked(token)
        tokenizer = tokenizer_of(token, learnt)
        key = token, reserved if self.is_text else ()
        kept = self._numbered.get(key)
        if kept is None or kept[0] is not tokenizer:  # a notebook may have replaced it
            kept = self._numbered[key] = tokenizer, self._number(token, reserved, learnt)
        return kept[1]

    def _number(self, token: str, reserved: tuple[str, ...], learnt: Learnt | None) -> Numbered:
        if isinstance(self.data, tuple):
            return Numbered.of_tokens(self.data[: self.config.max_tokens], self.cut)
        feed = self.feed(token, reserved, learnt)
        if isinstance(self.data, StreamedText):
            return number_on_disk(self.data, self.config, self.name, token, feed)
        return raw.parted(Numbered.of_text(self.data, feed), self.data, self.config, self.name)

    def feed(self, token: str, reserved: tuple[str, ...], learnt: Learnt | None) -> Feed:
        """Return what turns this text into numbers of tokens."""
        return raw.feed_of(tokenizer_of(token, learnt), reserved, self.cut, self.config)

    def training_text(self) -> Iterator[str]:
        """Yield the text that is trained on, in pieces; of given tokens, nothing."""
        return raw.training_text(self.data, self.config, self.name)

    @property
    def cut(self) -> Cut:
        """Where the held-out part of one text, or of given tokens, begins."""
        return raw.cut_of(self.data, self.config)

    def _checked(self, token: str | None) -> str:
        token = token or self.default_token
        require_kind(token, self.name, is_text=self.is_text)
        return token

    @property
    def default_token(self) -> str:
        """The name of the tokenizer that is used by default."""
        return "char" if self.is_text else "given"

    @property
    def held_out_share(self) -> float:
        """The share of the tokens that are held out."""
        return raw.held_out_share(self.data, self.config)

    def __len__(self) -> int:
        """Return the number of characters, or of given tokens."""
        return raw.length(self.data, self.config)

    def __repr__(self) -> str:
        """One line: name, size, split."""
        told = raw.in_words(self.data, self.config, None if self.test is None else len(self.test))
        return f"Corpus({say(', ').join((quoted(self.name), *told))})"

    @property
    def length(self) -> str:
        """How many characters or tokens it has, in words."""
        return raw.length_in_words(self.data, self.config)


def _parted(corpus: Corpus) -> Corpus:
    data, end = set_aside(corpus.data, corpus.config, corpus.name)
    return replace(corpus, data=data, test=None if end is None else replace(corpus, **end))


__all__ = ["DEFAULT_SOURCE", "DEFAULT_VALID", "Corpus", "CorpusConfig", "clean"]
