"""The notes that stand under a run; what became of a prediction is one of them."""

from __future__ import annotations

import math

from rnn_magics.digits import apart, rounded
from rnn_magics.language import say
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.run_report import report_run
from rnn_magics.training.run import Run

_NO_DIFFERENCE = 0.0005  # shares below it are written as 0.0%


def run_notes(run: Run) -> list[str]:
    """Return the notes that a reader needs to interpret the numbers of a run."""
    said = [run.message, *reveal_prediction(run), *cautions(run), *report_run(run).lines]
    return list(filter(None, said))


def cautions(run: Run) -> list[str]:
    """Return what else a reader has to know: that it was steered, that it reads backwards."""
    notes = []
    if run.earlier:
        before = say("; ").join(map(str, run.earlier))
        notes.append(say("It went on from the weights of {earlier}.", earlier=before))
    if run.steered:
        notes.append(
            say(
                "Steered while it trained: {changes}.",
                changes=say("; ").join(map(str, run.steered)),
            )
        )
    if run.config.model.bidirectional:
        notes.append(
            say(
                "A bidirectional model sees the tokens it has to predict: these are not"
                " language-model perplexities, and %generate refuses the model."
            )
        )
    return notes


def baselines_note(run: Run) -> list[str]:
    """Return what the baselines reach and when the run passed them, if they were fitted."""
    if run.ladder is None or not len(run.history):
        return []
    found = compare_with_baselines(run)
    return [line for line in (found.words, found.passages) if line]


def reveal_prediction(run: Run) -> list[str]:
    """Return how far the prediction of a run was off, and what would have been nearer.

    Who predicts what will happen understands better what then does (Crouch et al. 2004,
    doi:10.1119/1.1707018). What counting n-grams reaches can be known before a model is trained. So
    the best n-gram is a prediction, too: that a recurrent model reaches as much.

    Returns
    -------
    list of str
        One sentence or two, in one text; nothing without a prediction, and while the run trains.
    """
    predicted = run.predicted
    if predicted is None or run.reason is None:
        return []
    said = rounded(predicted)
    if (scored := run.scored) is None:
        text = say("You predicted {said}; the held-out text was not scored.", said=said)
        return [text]
    reached = scored.perplexity
    told = {"said": said, "reached": f"{scored}"}
    if abs(1 - reached / predicted) < _NO_DIFFERENCE:
        first = say("You predicted {said}, and it reached {reached}.", **told)
    elif reached < predicted:
        far = apart(reached, predicted)
        first = say("You predicted {said}; it reached {reached}, lower {far}.", far=far, **told)
    else:
        far = apart(reached, predicted)
        first = say("You predicted {said}; it reached {reached}, higher {far}.", far=far, **told)
    return [" ".join(filter(None, [first, _beside_counting(run, predicted, reached)]))]


def _beside_counting(run: Run, predicted: float, reached: float) -> str:
    marks = compare_with_baselines(run).marks
    if not marks or not math.isfinite(reached):
        return ""
    best = min(marks, key=lambda mark: mark.perplexity)
    told = {"name": best.counting, "perplexity": rounded(best.perplexity)}
    if _distance(best.perplexity, reached) < _distance(predicted, reached):
        return say(
            "The best {name} ({perplexity}) would have told you: it was off {far}.",
            far=apart(reached, best.perplexity),
            **told,
        )
    return say("That is as near as the best {name} ({perplexity}), or nearer.", **told)


def _distance(one: float, other: float) -> float:
    # In nats per token, the scale on which perplexities are drawn.
    return abs(math.log(one / other))
