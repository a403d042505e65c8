"""The first part of a script: where the text comes from, its tokens and its vocabulary."""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.handout.again import read_again
from rnn_magics.handout.literals import listed, path, pieces
from rnn_magics.handout.tokens import WRITTEN, token_lines, vocab_lines
from rnn_magics.language import marked, say
from rnn_magics.storage import atomic
from rnn_magics.text import characters
from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.python_texts import MOST_CHARACTERS, PYTHON_TEXTS
from rnn_magics.text.tokenizers import TOKENIZERS, UNK
from rnn_magics.text.vocab import Vocab

_MOST_PIECES = 12  # lines of text that a script can hold and stay readable
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")

# The texts that come with Python, as a script reads them.
_PYTHON_TEXTS = {
    "python_docs": """\
text = "\\n\\n".join(topics[key].strip() for key in sorted(topics)) + "\\n"
""",
    "python_source": f"""\
folder = Path(sysconfig.get_path("stdlib"))
files = [folder / f"{{name}}.py" for name in sorted(sys.stdlib_module_names)]
text = "\\n".join(file.read_text("utf-8") for file in files if file.is_file())
text = text[:{MOST_CHARACTERS:_}]
""",
}
_LETTERS_ONLY = 'text = re.sub(r"[\\W\\d_]+", " ", text).strip()\n'
_MARKED_LETTERS = """\
letters = r"[^\\W\\d_]+(?:MARKS+(?:[^\\W\\d_]+)?)*"  # with their marks
text = " ".join(re.findall(letters, text))
"""
_LOWER = "text = text.lower()\n"
_D2L = """\
lines = [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in text.split("\\n")]
"""


@dataclass(frozen=True)
class TextLines:
    """The first part of a script.

    Parameters
    ----------
    source
        Source that defines ``vocab``, ``index``, ``train_ids`` and ``valid_ids``.
    kept
        A text that no file holds as it is; None if the source reads its text from a file.
    file
        The file for that text; None if the source itself holds it.
    """

    source: str
    kept: str | None
    file: str | None

    def write(self) -> None:
        """Write the file that the source reads, if it needs one.

        Raises
        ------
        CorpusError
            When the file exists already with other content.
        StorageError
            When it cannot be written.
        """
        if self.kept is not None and self.file is not None:
            _write(Path(self.file), self.kept)


def text_lines(corpus: Corpus, vocab: Vocab, file: str | None) -> TextLines:
    """Return the source that defines ``vocab``, ``index``, ``train_ids`` and ``valid_ids``.

    Parameters
    ----------
    corpus
        The text of the run.
    vocab
        Its vocabulary.
    file
        The file for a text that is in no other file; the script reads it from there.

    Raises
    ------
    CorpusError
        When a script cannot get the text, or cannot make its tokens.
    """
    _refuse_foreign(corpus, vocab)
    source, kept = _read(corpus, file)
    tokens = token_lines(corpus, vocab)
    return TextLines(f"{source}{tokens}{_number(corpus, vocab, tokens)}", kept, file)


def too_long_to_keep(corpus: Corpus) -> CorpusError:
    """Return the error for a text that is too long for a script."""
    text = (
        marked(
            "{name!r} is in no file that a script can read, and its {size:,} characters are too"
            " many for a script; name a file to write them to: %rnn code RUN FILE"
        )
        if corpus.is_text
        else marked(
            "{name!r} is in no file that a script can read, and its {size:,} tokens are too many"
            " for a script; name a file to write them to: %rnn code RUN FILE"
        )
    )
    return CorpusError(say(text, name=corpus.name, size=len(corpus.data)))


def _refuse_foreign(corpus: Corpus, vocab: Vocab) -> None:
    msg = ""
    if corpus.on_disk:
        msg = say(
            "{name!r} is read from disk piece by piece, which a short script cannot do; train on a"
            " part of the file",
            name=corpus.name,
        )
    elif corpus.has_documents:
        msg = say(
            "{name!r} is documents, of which a short script does not begin and end each one; train"
            " on it as one text",
            name=corpus.name,
        )
    elif TOKENIZERS.get(vocab.token) not in WRITTEN:
        msg = say(
            "the tokenizer {kind!r} is your own; only {kinds} can be written out",
            kind=vocab.token,
            kinds=", ".join(name for name, each in TOKENIZERS.items() if each in WRITTEN),
        )
    elif vocab.token == "word" and _HAN.search(str(corpus.data)):
        msg = say(
            "splitting Chinese text into words needs jieba, which a script does not have; use"
            " characters: %vocab --token char"
        )
    if msg:
        raise CorpusError(msg)


def _read(corpus: Corpus, file: str | None) -> tuple[str, str | None]:
    # Returns the source, and the text if it is in no file.
    data, config = corpus.data, corpus.config
    if isinstance(data, tuple):
        text = _as_source(corpus.name, data)
        return f"{_kept(corpus, text, file)}tokens = ast.literal_eval(text)\n", text
    text = str(data)
    whole = text if corpus.test is None else f"{text}{corpus.test.data}"
    if (source := _found_again(corpus, whole)) is not None:
        return source + _cleaning(config, whole) + _without_test(corpus), None
    kept = _kept(corpus, text, file)  # as it was cleaned
    return kept + 'lines = text.split("\\n")\n' * config.d2l, text


def _without_test(corpus: Corpus) -> str:
    if corpus.test is None:
        return ""
    if corpus.config.d2l:
        text = f'text = "\\n".join(lines)[:{len(corpus)}]  # the rest is the test part\n'
        return f'{text}lines = text.split("\\n")\n'
    return f"text = text[:{len(corpus)}]  # the rest is the test part\n"


def _as_source(name: str, tokens: tuple[Hashable, ...]) -> str:
    source = repr(list(tokens))
    try:
        is_literal = tuple(ast.literal_eval(source)) == tokens
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        is_literal = False
    if not is_literal:
        raise CorpusError(
            say(
                "{name!r} has tokens that are neither text nor numbers, so a script cannot hold"
                " them",
                name=name,
            )
        )
    return source


def _found_again(corpus: Corpus, data: str) -> str | None:
    # The script must read the very text of the run, so each candidate is read and compared here.
    if corpus.config.simplified:  # which only OpenCC can do again
        return None
    for name, lines in _PYTHON_TEXTS.items():
        text = PYTHON_TEXTS[name]
        if corpus.origin == text.origin and clean(text.read(), corpus.config) == data:
            return lines
    return read_again(corpus.origin, data, corpus.config, corpus.files)


def _kept(corpus: Corpus, text: str, file: str | None) -> str:
    if file is not None:
        return f"{path(file)}text = Path(path).read_bytes().decode()\n"
    parts = pieces(text)
    if len(parts) > _MOST_PIECES:
        raise too_long_to_keep(corpus)
    return listed("PIECES", parts) + 'text = "".join(PIECES)\n'


def _write(place: Path, text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            say(
                "the text cannot be written to {place}: {error}",
                place=files.shown(place),
                error=error,
            )
        ) from None
    if atomic.require_target(place).exists():
        unread = say("{path} cannot be read", path=files.shown(place))
        with files.in_one_line(CorpusError, unread), files.open_file(place) as file:
            found = file.read(len(data) + 1)  # a longer file differs anyway
        if found != data:
            raise CorpusError(
                say(
                    "{place!r} exists already and holds something else; name another file",
                    place=str(place),
                )
            )
    atomic.write(place, data)


def _cleaning(config: CorpusConfig, cleaned: str) -> str:
    if config.d2l:
        return _D2L
    if not config.letters_only:
        return _LOWER * config.lower
    if marks := characters.class_of(cleaned, characters.joined()):
        return _MARKED_LETTERS.replace("MARKS", marks) + _LOWER * config.lower
    return _LETTERS_ONLY.replace(".strip()", ".strip().lower()" if config.lower else ".strip()")


def _number(corpus: Corpus, vocab: Vocab, tokens: str) -> str:
    share, source = corpus.held_out_share, ""
    if share and "num_train" not in tokens:
        source = f"num_train = len(tokens) - int(len(tokens) * {share!r})  # the rest is held out\n"
    counted = f"Counter({'tokens[:num_train]' if share else 'tokens'})"
    has_unk = vocab.token in ("word", "given") and UNK in corpus.tokens(vocab.token)
    source += vocab_lines(vocab, counted, has_unk=has_unk)
    source += "index = {token: number for number, token in enumerate(vocab)}\n"
    source += "ids = torch.tensor([index.get(token, 0) for token in tokens])\n"
    if not share:
        return source.replace("ids = torch", "train_ids = torch")
    return source + "train_ids, valid_ids = ids[:num_train], ids[num_train:]\n"
