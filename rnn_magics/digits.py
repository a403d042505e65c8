"""How figures are written: short, and with no digit that says nothing."""

from __future__ import annotations

import math

from rnn_magics.language import say

_LARGE, _HUGE = 1e3, 1e6
_MANIFOLD = 10.0  # from here on a factor reads better than a percentage


def rounded(value: float | None, digits: int = 3) -> str:
    """Return a perplexity, a number of bits or nats, or their like as text.

    From a thousand on it has one digit behind the point, and from a million on it is in scientific
    notation, so it never has more than nine characters or a sign more.

    Parameters
    ----------
    value
        The figure; None, where there is none, is an empty text.
    digits
        How many digits behind the point a figure below a thousand has.
    """
    if value is None:
        return ""
    size = abs(value)
    if not math.isfinite(size):
        return str(value)
    if size < _LARGE:
        return f"{value:.{digits}f}"
    return f"{value:,.1f}" if round(size, 1) < _HUGE else f"{value:.3g}"


def apart(value: float, other: float) -> str:
    """Return how far a figure lies from another, both positive: a percentage, or a large factor.

    Read it after "below" or "above": ``above X by 12.0%``, ``above X by a factor of 1.69e+17``.
    """
    share = abs(1 - value / other)
    if share < _MANIFOLD:
        return say("by {share:.1%}", share=share)
    return say("by a factor of {factor}", factor=rounded(value / other, 1))
