"""Workers count a text: processes of this machine, or those of a Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from rnn_magics.cluster.connection import Connection, connect
from rnn_magics.errors import CorpusError
from rnn_magics.language import language, say, speaking
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.progress import Watch
from rnn_magics.text.sharding.counting import count_shards, sharable
from rnn_magics.text.sharding.executors import Answer, Processes, answered
from rnn_magics.text.vocab import Vocab, VocabConfig

T = TypeVar("T")
R = TypeVar("R")
_MOST_RETRIES = 2  # of an item whose worker was killed, or whose machine was lost
_SECONDS_BETWEEN_LOOKS = 0.2


def count_vocab(
    corpus: Corpus,
    config: VocabConfig | None = None,
    *,
    workers: int = 2,
    cluster: str | None = None,
    watch: Watch | None = None,
) -> Vocab:
    r"""Count the tokens of a text on disk on several workers: the vocabulary of one process.

    .. math:: c(w) = \sum_k c_k(w)

    A worker reads a shard k: whole files, or lines of one. It counts the tokens, and writes them as
    numbers of their types to the folder of the indices. The shards joined in their order are the
    numbers that `Vocab.from_corpus` makes, bit for bit, so everything that follows is the same.

    Parameters
    ----------
    corpus
        A text on disk: of large files, or read with ``storage=``.
    config
        As for `Vocab.from_corpus`.
    workers
        How many shards are worked on at once.
    cluster
        ``host:port`` of a Ray cluster, or ``auto``, whose machines see the files and the folder of
        the indices; by default processes of this machine, started for it.
    watch
        Is told how much of the text has been read.

    Raises
    ------
    CorpusError
        When the text cannot be shared out, its files have changed since, or a worker sees neither
        them nor the folder of the indices.
    VocabError
        As for `Vocab.from_corpus`.
    ConfigError
        When nobody answers at the address of the cluster, or Ray is not installed.
    TrainingError
        When the cluster has other versions of Python, Ray, torch or rnn_magics.
    """
    config = config or VocabConfig()
    if cluster is None:
        return count_shards(corpus, config, Processes(workers), workers, watch)
    sharable(corpus, config)  # else no cluster is joined
    with connect(cluster) as connection:
        return count_shards(corpus, config, OnRay(connection, workers), workers, watch)


class OnRay:
    """Works on items on a Ray cluster.

    Parameters
    ----------
    connection
        The cluster.
    number
        How many items are worked on at once.
    """

    def __init__(self, connection: Connection, number: int) -> None:
        self._ray, self._number = connection.ray, number

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of the items.

        Raises
        ------
        CorpusError
            If the workers of one item keep dying, or one of them fails.
        """
        task = self._ray.remote(num_cpus=1, max_retries=_MOST_RETRIES)(_in_language)
        coming = (task.remote(language(), function, item) for item in items)
        asked = deque(islice(coming, self._number))
        try:
            while asked:
                answer: Answer = self._waited_for(asked[0])
                asked.popleft()
                asked.extend(islice(coming, 1))
                yield answer.result()
        finally:
            for each in asked:
                self._ray.cancel(each, force=True)

    def _waited_for(self, asked: Any) -> Any:
        failed = self._ray.exceptions
        while True:
            try:
                return self._ray.get(asked, timeout=_SECONDS_BETWEEN_LOOKS)
            except failed.GetTimeoutError:
                continue
            except failed.RayError as error:
                why = " ".join(f"{error}".split())
                raise CorpusError(say("a worker of the cluster failed: {why}", why=why)) from None


def _in_language(name: str, function: Callable[[Any], Any], item: Any) -> Answer:
    with speaking(name):
        return answered(function, item)
