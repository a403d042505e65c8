"""How often a run gives the answers of a made-up task, by how far back they depend on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rnn_magics.digits import rounded
from rnn_magics.language import say
from rnn_magics.results import Result
from rnn_magics.scores.evaluation import Evaluation, iter_logits
from rnn_magics.tables import aligned
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.tasks.stream import MadeUp
from rnn_magics.training.run import Run

_MOST_ROWS = 12


@dataclass(frozen=True)
class Accuracy:
    """The answers that depend on tokens so many places back.

    Parameters
    ----------
    nearest, farthest
        The distances.
    right, num_answers
        How many answers the run gives, of how many.
    """

    nearest: int
    farthest: int
    right: int
    num_answers: int

    @property
    def share(self) -> float:
        """The share of the answers that are right."""
        return self.right / self.num_answers

    @property
    def distance(self) -> str:
        """The distances in words."""
        if self.nearest == self.farthest:
            return f"{self.nearest}"
        return f"{self.nearest} to {self.farthest}"


@dataclass(frozen=True, repr=False)
class TaskReport(Result):
    """What a run has learnt of the rule of a task.

    Parameters
    ----------
    task
        The name of the task.
    score, optimum
        The run on the same tokens as a model that knows the rule.
    by_distance
        The accuracy at each distance, rising.
    """

    task: str
    score: Evaluation
    optimum: Evaluation
    by_distance: tuple[Accuracy, ...]

    @property
    def accuracy(self) -> float:
        """The share of all answers that are right; nan where there are none."""
        total = sum(each.num_answers for each in self.by_distance)
        return sum(each.right for each in self.by_distance) / total if total else float("nan")

    @property
    def grouped(self) -> tuple[Accuracy, ...]:
        """The accuracy at each distance; more than twelve distances are put into groups."""
        if len(self.by_distance) <= _MOST_ROWS:
            return self.by_distance
        groups: dict[int, list[Accuracy]] = {}
        for each in self.by_distance:
            groups.setdefault(each.nearest.bit_length(), []).append(each)
        return tuple(
            Accuracy(
                group[0].nearest,
                group[-1].farthest,
                sum(each.right for each in group),
                sum(each.num_answers for each in group),
            )
            for group in groups.values()
        )

    @property
    def verdict(self) -> str:
        """How far the run is from knowing the rule."""
        right = say("{accuracy:.1%} of the answers are right", accuracy=self.accuracy)
        return say(
            "knowing the rule of {task}: perplexity {perplexity} on the same"
            " tokens, {nats} nats per token less; {answers}",
            task=self.task,
            perplexity=rounded(self.optimum.perplexity),
            nats=rounded(self.score.nats - self.optimum.nats),
            answers=right if self.by_distance else say("it has no answers"),
        )

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A head, and a row of text for each distance."""
        rows = [
            (each.distance, f"{each.share:.1%}", f"{each.num_answers:,}") for each in self.grouped
        ]
        return [(say("tokens back"), say("right"), say("answers")), *rows]

    @property
    def basis(self) -> str:
        """What the figures depend on."""
        return say("an answer is right if it is the most probable of all that can be answers")

    def __repr__(self) -> str:
        """Return the verdict, then the accuracy by distance."""
        table = [aligned(self.table), self.basis] if self.by_distance else []
        return "\n".join([self.verdict, *table])


def report_task(run: Run, corpus: Corpus, score: Evaluation) -> TaskReport | None:
    """Compare a run with a model that knows the rule of a task, on the part that was scored.

    An answer counts as right if the run finds it the most probable among the tokens that can be
    answers. Only examples that are whole are looked at: the first may be cut by the split.

    Parameters
    ----------
    run
        With a vocabulary.
    corpus
        A task, made with `task_corpus`.
    score
        The score of the run on the held-out part, or on everything where nothing is held out.

    Returns
    -------
    TaskReport or None
        None for another corpus.
    """
    made_up = corpus.behind
    if not isinstance(made_up, MadeUp):
        return None
    assert run.vocab is not None  # noqa: S101  (it has read the corpus)
    vocab, tokens = run.vocab, corpus.tokens()
    size = len(tokens)
    begin = size - score.num_tokens - 1  # of the part that was scored
    nats = float(made_up.nats[begin + 1 : size].mean())
    optimum = Evaluation(nats, score.num_tokens, score.state)
    ids = torch.from_numpy(vocab.indices(tokens[begin:]))
    answers = None if made_up.answers is None else torch.tensor(vocab[list(made_up.answers)])
    chosen = _chosen(run, ids, answers)  # of every token but the first
    right = chosen == ids[1:].numpy()
    distances = made_up.distances[begin + 1 : size].copy()
    whole = made_up.begins[made_up.begins >= begin]
    distances[: max(int(whole[0]) - begin - 1, 0) if len(whole) else None] = 0
    by_distance = tuple(
        Accuracy(int(d), int(d), int(right[distances == d].sum()), int((distances == d).sum()))
        for d in np.unique(distances[distances > 0])
    )
    return TaskReport(made_up.task, score, optimum, by_distance)


def _chosen(
    run: Run, ids: torch.Tensor, answers: torch.Tensor | None
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    device = run.model.output.weight.device
    found = torch.empty(len(ids), dtype=torch.long)
    for places, Y, logits in iter_logits(run.model, ids.to(device)):
        if answers is None:
            chosen = logits.argmax(dim=-1)
        else:
            among = answers.to(device)
            chosen = among[logits[..., among].argmax(dim=-1)]
        inside = Y >= 0
        found[places[inside].cpu()] = chosen[inside].cpu()
    return found[:-1].numpy()
