"""How figures are written: bounded, whatever they are, and the same everywhere."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnn_magics
from rnn_magics.digits import apart, rounded

ROOM = Path(rnn_magics.__file__).parent
SOURCES = {
    str(path.relative_to(ROOM)): path.read_text(encoding="utf-8") for path in ROOM.rglob("*.py")
}
# A perplexity, or the bits and nats behind it, written by hand: ".3f" of what may be infinite.
BY_HAND = re.compile(r"\{[^{}]*(?:perplexity|ppl|bits|nats)[^{}]*:[,+]?\.\d[fge%]\}")
SCRIPTS = "handout/pieces.py"  # what a plain script prints, which has no rnn_magics to import
BOUNDED = {  # of one token, whose probability is a float
    "decoding/score.py": "{self.surprise[place]:.1f} bits",
    "inspection/views/surprise.py": "{bits:.2f}",
    "notebook/show/decoded.py": "{bits:.2f}",
}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (1.0, "1.000"),
        (22.6349, "22.635"),
        (999.9999, "1000.000"),
        (1000.0, "1,000.0"),
        (21124.4, "21,124.4"),
        (999999.99, "1e+06"),
        (8.43e61, "8.43e+61"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (-0.5, "-0.500"),
    ],
)
def test_a_figure_is_written_in_one_way(value: float | None, words: str) -> None:
    assert rounded(value) == words


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 3))
def test_no_figure_is_long(value: float, digits: int) -> None:
    words = rounded(value, digits)
    assert len(words) <= 10
    if math.isfinite(value):
        assert float(words.replace(",", "")) == pytest.approx(value, rel=5e-3, abs=0.5)


@given(st.floats(1.0, allow_infinity=True), st.floats(1.0, 1e308))
def test_no_distance_is_long(value: float, other: float) -> None:
    assert len(apart(value, other)) <= 24


def test_a_distance_is_a_percentage_or_a_factor() -> None:
    assert apart(7.04, 8.0) == "by 12.0%"
    assert apart(87.9, 8.0) == "by 998.8%"
    assert apart(8.0 * 1.69e17, 8.0) == "by a factor of 1.69e+17"


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - {SCRIPTS}))
def test_no_module_writes_a_perplexity_by_hand(name: str) -> None:
    found = [match[0] for match in BY_HAND.finditer(SOURCES[name])]
    assert all(BOUNDED.get(name, " ").startswith(words) for words in found), found
