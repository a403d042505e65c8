"""Exercises of lesson 04: text and Zipf's law."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

from rnn_magics.errors import ExerciseError
from rnn_magics.exercises.exercise import Choice, Exercise, Mistake, Number
from rnn_magics.exercises.work import Work
from rnn_magics.language import marked, say
from rnn_magics.text.statistics import text_statistics

UNKNOWN = 0.02


def _words(work: Work) -> list[str]:
    train, _ = work.need_text().split("word")
    return train


def _size(work: Work, unknown: float = UNKNOWN) -> int:
    """Return the smallest --max-size with a share of unknown training words below `unknown`."""
    counts = Counter(_words(work)).most_common()
    total = sum(count for _, count in counts)
    known = accumulate(count for _, count in counts)
    kept = next(n for n, count in enumerate(known, start=1) if 1 - count / total < unknown)
    return kept + 1  # index 0 is <unk>


def _types(work: Work) -> int:
    return len(set(_words(work)))


def _lower_types(work: Work) -> int:
    return len({word.lower() for word in _words(work)})


def _exponent(work: Work, n: int = 1, of: str = "word") -> float:
    fit = text_statistics(work.need_text(), of).fits[n - 1]
    if fit is None:
        msg = say("your text is too short for a line through its counts: take a longer one")
        raise ExerciseError(msg)
    return -fit.slope


def _characters_follow(work: Work) -> str:
    fit = text_statistics(work.need_text(), "char").fits[0]
    return "yes" if fit is not None and fit.holds else "no"


SIZE = Exercise(
    marked(
        "Words are tokens. How large must --max-size be at least, for less than 2 % of the"
        " training tokens of your text to be <unk>?"
    ),
    Number(
        _size,
        (
            Mistake(
                lambda work: _size(work) - 1,
                marked("One short: <unk> has an index, too, and --max-size counts it."),
            ),
            Mistake(
                lambda work: _size(work, 0.2),
                marked("With this size, nearly 20 % are <unk>. 2 % is a tenth of that."),
            ),
            Mistake(
                lambda work: round(0.98 * _types(work)),
                marked("That is 98 % of the different words. 98 % of the running words is asked."),
            ),
        ),
        within=0,
    ),
    marked("Add up the counts of `vocab.token_freqs` until 98 % of the training text is reached."),
    marked("With --max-size {answer} the counts of the words kept reach 98 % of the text."),
)

LOWER = Exercise(
    marked("By how many different words does your training text shrink if it is lower-cased?"),
    Number(
        lambda work: _types(work) - _lower_types(work),
        (
            Mistake(
                lambda work: _lower_types(work) - _types(work),
                marked("The size is right. It shrinks, so the difference is counted positive."),
            ),
            Mistake(
                _lower_types,
                marked("That is how many remain. By how many are there fewer than before?"),
            ),
            Mistake(
                lambda work: sum(word != word.lower() for word in _words(work)),
                marked("That is how many running words change. Different words are asked."),
            ),
        ),
        within=0,
    ),
    marked("Compare `len(set(words))` before and after, of the training part alone."),
    marked("{answer}: words that differed from another one only by their capitals."),
)

CHARACTERS = Exercise(
    marked("Do the characters of your text follow Zipf's law (`%vocab --zipf`): yes or no?"),
    Choice(
        _characters_follow,
        {
            "yes": marked("Look at the rare characters: how far are they below the line?"),
            "no": marked("Look again: the counts stay near the line at every rank."),
        },
    ),
    marked("A law holds only if the line is near at both ends, not only in the middle."),
    marked("{answer}: compare the line with the counts of the rarest characters."),
)

EXPONENT = Exercise(
    marked("With which exponent alpha do the words of your text follow Zipf's law?"),
    Number(
        _exponent,
        (
            Mistake(
                lambda work: -_exponent(work),
                marked("That is the slope of the line. alpha is the same without the minus."),
            ),
            Mistake(
                lambda work: _exponent(work, 2),
                marked("That is the exponent of the bigrams. The words are asked."),
            ),
            Mistake(
                lambda work: _exponent(work, 1, "char"),
                marked("That is the exponent of the characters: type %vocab --token word --zipf."),
            ),
        ),
        within=0.02,
    ),
    marked("`%vocab --token word --zipf` writes it beside the line; two digits are enough."),
    marked("alpha is {answer}; for many languages it is near 1."),
)
