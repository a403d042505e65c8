"""A text on disk is numbered and counted by workers, and is the same as one process makes it."""

from __future__ import annotations

import glob
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from filelock import FileLock

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.indexing.on_disk import bytes_needed, index_file
from rnn_magics.text.reading.progress import ReadingProgress, Watch
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.sharding.executors import Executor
from rnn_magics.text.sharding.mapping import Part, Shard, Splitting, number_shard
from rnn_magics.text.sharding.reducing import Joined, num_characters, with_borders, with_cut
from rnn_magics.text.sharding.stretches import Stretch, shards
from rnn_magics.text.splitting.config import VocabConfig
from rnn_magics.text.splitting.tokenizer import Learnt
from rnn_magics.text.tokenizers import PACKAGED, require_kind, tokenizer_of
from rnn_magics.text.vocab import Vocab

_SHARDS, _LOCK = ".shards-", "lock"
_LEFT_SECONDS = 3600
_SHARDS_A_WORKER = 4  # so that a slow worker keeps nobody waiting for long
_MOST_BYTES = 1 << 26  # of a shard, so that whoever watches sees it go on


def count_shards(
    corpus: Corpus,
    config: VocabConfig,
    executor: Executor,
    workers: int,
    watch: Watch | None = None,
) -> Vocab:
    """Count the tokens of a text on disk, shard by shard.

    Parameters
    ----------
    corpus, config
        As for `Vocab.from_corpus`.
    executor
        Where the shards are worked on.
    workers
        How many of them are worked on at once there.
    watch
        Is told how much of the text has been read.

    Raises
    ------
    CorpusError
        When the text cannot be shared out, its files have changed since, or a worker sees neither
        them nor the folder of the indices.
    VocabError
        As for `Vocab.from_corpus`.
    """
    text, how = sharable(corpus, config)
    number = partial(_numbered, corpus, text, how, workers, executor, watch)
    return Vocab.from_corpus(corpus, config, number=number)


def sharable(corpus: Corpus, config: VocabConfig) -> tuple[StreamedText, Splitting]:
    """Return a text on disk, and how it becomes tokens.

    Raises
    ------
    CorpusError
        When it cannot be shared out among workers; nothing has been read then.
    """
    token = config.token or corpus.default_token
    require_kind(token, corpus.name, is_text=corpus.is_text)
    how = Splitting(corpus.config, token, config.reserved)
    text, border, why = corpus.data, how.border, ""
    tokenizer = tokenizer_of(token)
    if not isinstance(text, StreamedText):
        why = say("it is in memory; %corpus --storage DIR leaves its files on disk")
    elif corpus.config.max_tokens is not None:
        why = say("--max-tokens keeps its first tokens alone")
    elif PACKAGED.get(token) is not tokenizer:
        why = say("workers do not know the tokenizer {token!r} of this process", token=token)
    elif tokenizer.breaks != "" and border not in (tokenizer.breaks or ""):
        why = say(
            "{token!r} may be cut at line ends alone, and --letters-only leaves none", token=token
        )
    elif across := [each for each in how.reserved if border in each]:
        why = say("the reserved token {token!r} may lie across two shards", token=across[0])
    if why or not isinstance(text, StreamedText):
        raise _not_shared(corpus, why)
    return text, how


def _not_shared(corpus: Corpus, why: str) -> CorpusError:
    text = marked("{name!r} cannot be shared out among workers: {why}; leave --workers out")
    return CorpusError(say(text, name=corpus.name, why=why))


def _numbered(
    corpus: Corpus,
    text: StreamedText,
    how: Splitting,
    workers: int,
    executor: Executor,
    watch: Watch | None,
    learnt: Learnt | None,
) -> None:
    # Leaves the numbers where one process would keep them, unless they are there.
    feed = corpus.feed(how.token, how.reserved, learnt)
    file = index_file(text, corpus.config, corpus.name, how.token, feed)
    found: list[Joined] = []

    def blocks() -> Iterator[Ids]:
        stretches = shards(text.sources, _number_of_shards(text, workers))
        if len(stretches) < 2:  # noqa: PLR2004
            why = say("it is one file that is packed, small or without lines, or has records")
            raise _not_shared(corpus, why)
        _remove_left(file.folder, f"{file.stem}{_SHARDS}")
        folder = tempfile.mkdtemp(dir=file.folder, prefix=f"{file.stem}{_SHARDS}")
        lock = FileLock(Path(folder, _LOCK), timeout=0)
        try:
            with suppress(OSError, NotImplementedError):  # where there are none, time alone tells
                lock.acquire()
            given = _shards(stretches, replace(how, learnt=learnt), folder)
            parts = _worked(executor, given, _telling(watch, corpus.name, given))
            found.append(_joined(executor, parts, text, corpus))
            yield from found[0].blocks()
        finally:
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)

    file.mapped(
        blocks,
        lambda: found[0].types,
        bytes_needed(text, feed.tokenizer) * 2,
        mark=lambda: found[0].num_train,
        counted=lambda: found[0].counted,
    )


def _remove_left(top: Path, prefix: str) -> None:
    # What a killed process has left: nobody holds its lock, and nothing was written for an hour,
    # since another machine may be counting there that does not see the lock.
    for left in top.glob(f"{glob.escape(prefix)}*"):
        with suppress(OSError, NotImplementedError):  # among them: it is locked
            newest = max(each.stat().st_mtime for each in (left, *left.iterdir()))
            if time.time() - newest > _LEFT_SECONDS:
                FileLock(left / _LOCK, timeout=0).acquire().lock.release()
                shutil.rmtree(left, ignore_errors=True)


def _number_of_shards(text: StreamedText, workers: int) -> int:
    size = sum(Stretch(source).size for source in text.sources)
    return max(workers * _SHARDS_A_WORKER, size // _MOST_BYTES)


def _shards(stretches: Sequence[tuple[Stretch, ...]], how: Splitting, folder: str) -> list[Shard]:
    last = len(stretches) - 1
    return [
        Shard(number, each, how, folder, "" if number == last else how.between)
        for number, each in enumerate(stretches)
    ]


def _joined(executor: Executor, parts: list[Part], text: StreamedText, corpus: Corpus) -> Joined:
    parts = _again(executor, parts, with_borders(parts, text.within))
    kept = num_characters(parts) if text.within is None else None
    if kept not in (None, len(text)):
        raise CorpusError(
            say(
                "the workers do not read the same text as %corpus (characters of {name!r}:"
                " {found:,} instead of {size:,}): its files have changed, or are others where they"
                " run; type %corpus again",
                found=kept,
                name=corpus.name,
                size=len(text),
            )
        )
    cut = corpus.cut.characters
    return Joined.of(_again(executor, parts, with_cut(parts, cut)), cut)


def _again(executor: Executor, parts: list[Part], placed: list[Shard]) -> list[Part]:
    # Those of which more is known now. What was measured of all of their text stays.
    changed = [shard for part, shard in zip(parts, placed, strict=True) if part.shard != shard]
    for part in _worked(executor, changed):
        before = parts[part.shard.number]
        parts[part.shard.number] = replace(
            part, num_characters=before.num_characters, is_empty=before.is_empty
        )
    return parts


def _worked(
    executor: Executor, given: Sequence[Shard], tell: Callable[[Part], object] | None = None
) -> list[Part]:
    parts, coming = [], executor.map(number_shard, given)
    try:
        for part in coming:
            parts.append(part)
            if tell is not None:
                tell(part)
    finally:
        if isinstance(coming, Generator):  # nobody writes any more when the folder is removed
            coming.close()
    return parts


def _telling(
    watch: Watch | None, name: str, given: Sequence[Shard]
) -> Callable[[Part], object] | None:
    if watch is None:
        return None
    done, total = 0, sum(shard.size for shard in given)

    def tell(part: Part) -> None:
        nonlocal done
        done += part.shard.size
        watch(ReadingProgress(name, done, total))

    return tell
