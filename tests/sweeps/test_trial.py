from __future__ import annotations

from itertools import pairwise

import pytest

from rnn_magics.sweeps.trial import thinned


@pytest.mark.parametrize("number", [0, 1, 31, 32, 33, 1000])
def test_what_is_thinned_is_bounded_and_keeps_the_last(number: int) -> None:
    kept = thinned(range(number), 32)
    assert min(number, 17) <= len(kept) <= 32
    assert kept[-1:] == list(range(number))[-1:]
    assert len({b - a for a, b in pairwise(kept)}) <= 1
