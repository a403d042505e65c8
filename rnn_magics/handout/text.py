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
from rnn_magics.language import marked, say
from rnn_magics.storage import atomic
from rnn_magics.text import characters
from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.python_texts import MOST_CHARACTERS, PYTHON_TEXTS
from rnn_magics.text.reserved import anywhere, bounded, kept_whole
from rnn_magics.text.tokenizers import UNK, kinds_of_words
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
_INNER = r"\w"  # of a word
_NO_MARKS = r"[\u200d]"  # for a text that has none
_WORDS = "[^\\W\\d_]+(?:['\\u2019][^\\W\\d_]+)*|\\d+|\\n|[^\\w\\s]|_"


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
    return TextLines(source + _tokenize(corpus, vocab) + _number(corpus, vocab), kept, file)


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
    elif vocab.token not in ("char", "word", "given"):
        msg = say(
            "the tokenizer {kind!r} is your own; only char and word can be written out",
            kind=vocab.token,
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
    if (source := _found_again(corpus, text)) is not None:
        return source + _cleaning(config, text), None
    kept = _kept(corpus, text, file)  # as it was cleaned
    return kept + 'lines = text.split("\\n")\n' * config.d2l, text


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


def _tokenize(corpus: Corpus, vocab: Vocab) -> str:
    limit, d2l, text = corpus.config.max_tokens, corpus.config.d2l, str(corpus.data)
    cut = "" if limit is None else f"tokens = tokens[:{limit}]\n"
    if vocab.token == "given":
        return cut
    whole = kept_whole(vocab.tokenizer, vocab.config.reserved)
    tokens = () if whole is None else whole.tokens
    # Those that occur; cleaned as in the book, each line is split by itself.
    reserved = [token for token in tokens if token in text and not (d2l and "\n" in token)]
    if vocab.token == "char":
        return _characters(reserved, cut, d2l=d2l)
    if d2l and not reserved:
        return f"tokens = [token for line in lines for token in line.split()]\n{cut}"
    return _word_tokens(text, reserved, cut, d2l=d2l)


def _characters(reserved: list[str], cut: str, *, d2l: bool) -> str:
    kinds = f'kinds = r"{anywhere(reserved)}|[\\s\\S]"\n' if reserved else ""
    if d2l:
        line = "re.findall(kinds, line)" if reserved else "line"
        return f"{kinds}tokens = [token for line in lines for token in {line}]\n{cut}"
    tokens = "re.findall(kinds, text)" if reserved else "list(text)"
    return f"{kinds}tokens = {tokens}{cut.removeprefix('tokens = tokens') or chr(10)}"


def _word_tokens(text: str, reserved: list[str], cut: str, *, d2l: bool) -> str:
    said, words = "Words with inner apostrophes, numbers, line ends, single marks.", _WORDS
    marks = characters.class_of(text, characters.joined())
    if d2l:
        said, words = "without those of several words", "[a-z]+"
    elif re.search(f"{characters.attached()}|{characters.FLAG}", text):
        said = "each with what Unicode joins to it"
        attached = characters.class_of(text, characters.attached()) or _NO_MARKS
        kinds = kinds_of_words(r"[^\W\d_]+", marks or _NO_MARKS, attached)
        words = "|".join(kind for kind in kinds if re.search(kind, text))
    elif UNK in text:
        words = f"{UNK}|{_WORDS}"
    if not reserved and words is _WORDS:
        return f'# {said}\ntokens = re.findall(r"{words}", text)\n{cut}'
    named = f'words = r"{words}"  # {said}\n'  # a formatter leaves a long string alone
    if not reserved:
        return f"{named}tokens = re.findall(words, text)\n{cut}"
    whole = '"\\n".join(lines)' if d2l else "text"
    limit = cut.removeprefix("tokens = tokens") or "\n"
    return (
        f'{named}parts = enumerate(re.split(r"({bounded(reserved, _INNER, marks)})", {whole}))\n'
        f"tokens = [t for i, p in parts for t in ([p] if i % 2 else re.findall(words, p))]{limit}"
    )


def _number(corpus: Corpus, vocab: Vocab) -> str:
    config, share = vocab.config, corpus.held_out_share
    source = ""
    if share:
        source = f"num_train = len(tokens) - int(len(tokens) * {share!r})  # the rest is held out\n"
    counted = f"Counter({'tokens[:num_train]' if share else 'tokens'})"
    first = list(dict.fromkeys((UNK, *config.reserved)))
    conditions = [f"n >= {config.min_freq}"] * (config.min_freq > 1)
    if config.reserved:
        conditions.append("t not in vocab")
    elif vocab.token != "char" and UNK in corpus.tokens(vocab.token):
        conditions.append(f't != "{UNK}"')
    most = "" if config.max_size is None else f"[:{config.max_size - len(first)}]"
    if conditions or most:
        source += f"counts = {counted}.most_common()\n"
        source += listed("vocab", first)
        when = f" if {' and '.join(conditions)}" if conditions else ""
        source += f"vocab += [t for t, {'n' if 'n >=' in when else '_'} in counts{when}]{most}\n"
    else:
        source += f'vocab = ["{UNK}", *(token for token, _ in {counted}.most_common())]\n'
    source += "index = {token: number for number, token in enumerate(vocab)}\n"
    source += "ids = torch.tensor([index.get(token, 0) for token in tokens])\n"
    if not share:
        return source.replace("ids = torch", "train_ids = torch")
    return source + "train_ids, valid_ids = ids[:num_train], ids[num_train:]\n"
