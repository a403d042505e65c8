"""How a script makes the tokens of a run: its training part and its held-out part apart."""

from __future__ import annotations

import re
import textwrap
from typing import NamedTuple

from rnn_magics.errors import CorpusError
from rnn_magics.handout.literals import listed
from rnn_magics.language import say
from rnn_magics.results import quoted
from rnn_magics.text import characters
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reserved import INNER, anywhere, bounded, kept_whole
from rnn_magics.text.splitting.bpe import DEFAULT_SIZE, LEAST_FREQ, PIECES
from rnn_magics.text.splitting.bytewise import ByteTokenizer
from rnn_magics.text.tokenizers import TOKENIZERS, UNK, kinds_of_words
from rnn_magics.text.vocab import Vocab

WRITTEN = tuple(TOKENIZERS.values())
"""The tokenizers that a script can have: those of the package."""
_INNER = r"\w"  # of a word, in a text without Chinese
_NO_MARKS = r"[\u200d]"  # for a text that has none
_WORDS = "[^\\W\\d_]+(?:['\\u2019][^\\W\\d_]+)*|\\d+|\\n|[^\\w\\s]|_"
_MOST_CLUSTERS = 60
_PLAIN = re.compile("[!-~]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LEARN = """\
# Learn which pairs of bytes become tokens, from the training text alone.
tokenizer = Tokenizer(models.BPE())
pieces = Regex(r"PIECES")
cut_up = pre_tokenizers.Split(pieces, "isolated")
in_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut_up, in_bytes])
tokenizer.decoder = decoders.ByteLevel()
letters = pre_tokenizers.ByteLevel.alphabet()
options = {"min_frequency": FREQ, "initial_alphabet": letters, "show_progress": False}
trainer = trainers.BpeTrainer(vocab_size=SIZE, **options)
tokenizer.train_from_iterator(LEARNT, trainer)
"""


def token_lines(corpus: Corpus, vocab: Vocab) -> str:
    """Return source that defines ``tokens``; if the text is cut at a character, ``num_train``, too.

    Raises
    ------
    CorpusError
        When a script cannot make these tokens.
    """
    limit = corpus.config.max_tokens
    cut_off = "" if limit is None else f"tokens = tokens[:{limit}]\n"
    if vocab.token == "given":
        return cut_off
    text, d2l = str(corpus.data), corpus.config.d2l
    if vocab.token not in ("char", "word") and _SURROGATES.search(text):
        raise CorpusError(
            say("{name!r} has halves of characters, which no file holds", name=corpus.name)
        )
    whole = kept_whole(vocab.tokenizer, vocab.config.reserved)
    # The reserved tokens that occur; cleaned as in the book, each line is split by itself.
    tokens = () if whole is None else whole.tokens
    reserved = [token for token in tokens if token in text and not (d2l and "\n" in token)]
    _refuse_double(corpus, vocab)
    made = _splitting(corpus, vocab, reserved)
    characters_kept = corpus.cut.characters
    size = len(text) - text.count("\n") * d2l
    is_cut = characters_kept is not None and characters_kept < size
    joined = 'text = "\\n".join(lines)\n' * d2l
    if is_cut and (vocab.token != "char" or reserved):
        joined += _cut(corpus.held_out_share, d2l=d2l)
        return joined + made.learning("[text[:cut]]") + _apart(made)
    learnt = "[text]"
    if limit is not None:
        learnt = f'[text.encode()[:{corpus.cut.num_train(limit)}].decode(errors="ignore")]'
    if made.in_loop:
        return joined + made.learning(learnt) + _in_loop(made, is_cut=False) + cut_off
    return f"{joined}{made.learning(learnt)}tokens = {made.split.format('text')}\n{cut_off}"


class _Splitting(NamedTuple):
    # The lines before, of which LEARNT in `learn` is the text that is learnt from; the expression
    # that splits a text, in which {} is its name; whether it splits what reserved tokens part.
    before: str
    split: str
    learn: str = ""
    in_loop: bool = False

    def learning(self, text: str) -> str:
        return self.before + self.learn.replace("LEARNT", text)


def _apart(made: _Splitting) -> str:
    # The training part and the held-out part, each by itself.
    if made.in_loop:
        return _in_loop(made, is_cut=True)
    parts = f"({made.split.format('part')} for part in (text[:cut], text[cut:]))"
    return f"train, valid = {parts}\ntokens, num_train = train + valid, len(train)\n"


def _in_loop(made: _Splitting, *, is_cut: bool) -> str:
    # Reserved tokens stand between the parts that are split.
    within = f"enumerate(re.split(kept, {'part' if is_cut else 'text'}))"
    loop = f"for i, p in {within}:\n    tokens += [p] if i % 2 else {made.split.format('p')}\n"
    if is_cut:
        each = textwrap.indent(f"num_train = len(tokens)\n{loop}", "    ")
        loop = f"for part in (text[:cut], text[cut:]):\n{each}"
    return f"tokens = []\n{loop}"


def _refuse_double(corpus: Corpus, vocab: Vocab) -> None:
    # The library writes the bytes of a learnt piece as letters; a reserved token stays as it is.
    if vocab.learnt is None:
        return
    learnt = {*vocab.tokenizer.alphabet}
    double = [t for t in vocab.config.reserved if t in learnt and not _PLAIN.fullmatch(t)]
    if double:
        raise CorpusError(
            say(
                "{name!r} has a reserved token that was learnt, too ({token}), which a script"
                " cannot tell apart; reserve another",
                name=corpus.name,
                token=quoted(double[0]),
            )
        )


def _cut(share: float, *, d2l: bool) -> str:
    if not d2l:
        return f"cut = len(text) - int(len(text) * {share!r})  # the rest is held out\n"
    places = 'places = [i for i, c in enumerate(text) if c != "\\n"]  # line ends do not count\n'
    return f"{places}cut = places[len(places) - int(len(places) * {share!r})]\n"


def _splitting(corpus: Corpus, vocab: Vocab, reserved: list[str]) -> _Splitting:
    text, d2l = str(corpus.data), corpus.config.d2l
    flat = '{}.replace("\\n", "")' if d2l else "{}"
    inner, before, learn = "", "", ""
    if vocab.token == "char":
        if not reserved:
            return _Splitting("", f"list({flat})")
        return _Splitting(_kinds(reserved, d2l=d2l), "re.findall(kinds, {})")
    if vocab.token == "word":
        before, inner = _words(text, reserved, d2l=d2l)
    elif vocab.token == "byte":
        inner = f"list({flat}.encode())"
    elif vocab.token == "grapheme":
        clusters = _clusters(corpus, vocab)
        before, inner = _kinds(clusters, d2l=d2l), "re.findall(kinds, {})"
        if not clusters:
            before, inner = "", f"list({flat})"
    else:
        learn, inner = _learning(vocab), "tokenizer.encode({}).tokens"
        if d2l:
            inner = f'[t for t in {inner} if t != "\\u010a"]'  # the line end
    made = _Splitting(before, inner, learn)
    return _around(corpus, vocab, reserved, made) if reserved else made


def _around(corpus: Corpus, vocab: Vocab, reserved: list[str], made: _Splitting) -> _Splitting:
    # The same, with reserved tokens that stay whole.
    text, d2l = str(corpus.data), corpus.config.d2l
    if vocab.tokenizer.breaks == "":
        kept = anywhere(reserved)
    else:
        marks = characters.class_of(text, characters.joined())
        kept = bounded(reserved, _INNER if vocab.token == "word" else INNER, marks)
    if found := re.fullmatch(r'(?s)(\w+) = r"(.*)"(.*)', made.before):
        # Reserved tokens come first in the pattern, if that finds what splitting around them does.
        pattern = f"{kept}|{found[2]}"
        whole = kept_whole(vocab.tokenizer, vocab.config.reserved)
        tokens = [] if whole is None else whole.split(text)
        if re.findall(pattern, text) == [t for t in tokens if not (d2l and t == "\n")]:
            return made._replace(before=f'{found[1]} = r"{pattern}"{found[3]}')
    before, inner = f'kept = r"({kept})"\n{made.before}', made.split
    learn = made.learn.replace("LEARNT", "re.split(kept, *LEARNT)[::2]")
    if d2l and vocab.token == "bpe":
        learn += "encode = tokenizer.encode\n"
        inner = inner.replace("tokenizer.encode", "encode")
    return _Splitting(before, inner, learn, in_loop=True)


def _kinds(tokens: list[str], *, d2l: bool) -> str:
    other = r"[^\n]" if d2l else r"[\s\S]"
    return f'kinds = r"{anywhere(tokens)}|{other}"\n' if tokens else ""


def _words(text: str, reserved: list[str], *, d2l: bool) -> tuple[str, str]:
    said, words = "Words with inner apostrophes, numbers, line ends, single marks.", _WORDS
    marks = characters.class_of(text, characters.joined())
    if d2l:
        if not reserved:
            return "", "{}.split()"
        said, words = "without those of several words", "[a-z]+"
    elif re.search(f"{characters.attached()}|{characters.FLAG}", text):
        said = "each with what Unicode joins to it"
        attached = characters.class_of(text, characters.attached()) or _NO_MARKS
        kinds = kinds_of_words(r"[^\W\d_]+", marks or _NO_MARKS, attached)
        words = "|".join(kind for kind in kinds if re.search(kind, text))
    elif UNK in text:
        words = f"{UNK}|{_WORDS}"
    return f'words = r"{words}"  # {said}\n', "re.findall(words, {})"


def _clusters(corpus: Corpus, vocab: Vocab) -> list[str]:
    # The clusters of several characters that occur; of two that begin alike, the longer is first.
    tokens = corpus.tokens(vocab.token, vocab.config.reserved)
    reserved = {*vocab.config.reserved}
    found = sorted({t for t in tokens if len(t) > 1 and t not in reserved}, key=len, reverse=True)
    if len(found) > _MOST_CLUSTERS:
        raise CorpusError(
            say(
                "{name!r} has {number:,} clusters of several characters, too many for a script; use"
                " characters: %vocab --token char",
                name=corpus.name,
                number=len(found),
            )
        )
    return found


def _learning(vocab: Vocab) -> str:
    config = vocab.config
    size = (config.max_size or DEFAULT_SIZE) - len({UNK, *config.reserved})
    marks = {"PIECES": PIECES, "SIZE": str(size), "FREQ": str(max(config.min_freq, LEAST_FREQ))}
    lines = _LEARN
    for name, value in marks.items():
        lines = lines.replace(name, value)
    return lines


def vocab_lines(vocab: Vocab, counted: str, *, has_unk: bool) -> str:
    """Return source that defines ``vocab``.

    Parameters
    ----------
    vocab
        The vocabulary.
    counted
        An expression for the counts of the tokens that are trained on.
    has_unk
        Whether ``<unk>`` is among them.
    """
    config, in_bytes = vocab.config, isinstance(vocab.tokenizer, ByteTokenizer)
    first = list(dict.fromkeys((UNK, *config.reserved)))
    is_rare = config.min_freq > 1 and not in_bytes
    conditions = [f"n >= {config.min_freq}"] * is_rare
    if config.reserved:
        conditions.append("t not in vocab")
    elif has_unk:
        conditions.append(f't != "{UNK}"')
    limit = None if in_bytes or config.max_size is None else config.max_size - len(first)
    most = "" if limit is None else f"[:{limit}]"
    if conditions or most:
        source = f"counts = {counted}.most_common()\n{listed('vocab', first)}"
        when = f" if {' and '.join(conditions)}" if conditions else ""
        source += f"vocab += [t for t, {'n' if 'n >=' in when else '_'} in counts{when}]{most}\n"
    else:
        source = f'vocab = ["{UNK}", *(token for token, _ in {counted}.most_common())]\n'
    if vocab.token == "byte":
        # A reserved token of one byte is that byte.
        same = [ord(token) for token in config.reserved if len(token) == 1 and token.isascii()]
        known = f"[*vocab, {', '.join(map(str, same))}]" if same else "vocab"
        source += f"vocab += [byte for byte in range(256) if byte not in {known}]\n"
    elif in_bytes:
        source += "learnt = tokenizer.get_vocab()\n"
        source += "vocab += sorted(learnt.keys() - {*vocab}, key=learnt.get)\n"
    return source


__all__ = ["WRITTEN", "token_lines", "vocab_lines"]
