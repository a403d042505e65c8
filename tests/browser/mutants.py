"""Saved outputs as somebody who means no good writes them: payloads changed where they have parts.

The same seed makes the same mutants. What JSON cannot say, or what is long, stands as a mark that
the page spells out: see `spelt`.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.notebook.page.view import INSPECTION_MIME
from rnn_magics.reports.run_payload import RUN_MIME

FOLDER = Path(__file__).parents[1] / "contract" / "payloads"
HUGE, LONG, DEEP = "@huge@", "@long@", "@deep@"
DO = "<img src=x onerror=window.__done=1>"
HOSTILE = "x? \n!touch pwned\n#"
POOL: list[Any] = [
    *(None, True, False, "", "x", [], {}, [None], [[]], [{}], DO, HOSTILE, HUGE, LONG, DEEP),
    *(-1, 0, 1, 2, 0.5, 255, 70_000, 100_000_000, 2**53, 1e15, 1e300, -1e300, 5e-324, "@text@"),
    *("__proto__", "constructor", "\ud800", "\u202e", [100_000_000, 0, 3], [0, 0], [1, 1, 1, 1]),
]
# What the page puts in the place of the marks in a JSON text.
SPELT = """text => text
  .replaceAll('"@huge@"', '1e999')
  .replaceAll('"@long@"', `[${'0,'.repeat(300000)}0]`)
  .replaceAll('"@deep@"', '['.repeat(5000) + ']'.repeat(5000))
  .replaceAll('@text@', 'long '.repeat(100000))"""


def originals() -> dict[str, tuple[str, Any]]:
    """Return each payload that a notebook keeps, with its MIME type."""

    def read(name: str) -> Any:
        return json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))

    run = read("run")
    found = {"run": (RUN_MIME, run)}
    found["compare"] = (RUN_MIME, read("compare"))
    origin = {"text": "the", "run": "gru-1", "folder": "", "look": "1", "note": "of the last"}
    found |= {
        view: (INSPECTION_MIME, {**read(view), **origin})
        for view, its in INSPECTORS.items()
        if its.is_drawn
    }
    scores = {"train_perplexity": 2.5, "valid_perplexity": None}
    frames = [{"epoch": at, **scores, "data": read("hidden")} for at in (1, 2, 3)]
    head = {"view": "epochs", "version": 1, "of": "hidden", "name": "gru-1", "planned": 3}
    epochs = {**head, **origin, "frames": frames, "left_out": [{"epoch": 4, "said": "why"}]}
    return {**found, "epochs": (INSPECTION_MIME, epochs)}


def mutants(payload: Any, count: int, seed: int) -> Iterator[Any]:
    """Yield payloads with one to three changes each."""
    draw = random.Random(seed)
    for _ in range(count):
        mutant = copy.deepcopy(payload)
        for _ in range(draw.choice([1, 1, 2, 3])):
            _change(mutant, draw)
        yield mutant


def _change(payload: Any, draw: random.Random) -> None:
    places = list(_places(payload))
    if not places:
        return
    holder, key = draw.choice(places)
    value = holder[key]
    other, place = draw.choice(places)
    kind = draw.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = copy.deepcopy(other[place])
    elif kind == 2 and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    elif isinstance(value, bool | None):
        holder[key] = draw.choice(POOL)
    elif isinstance(value, int | float):
        holder[key] = draw.choice([-value, value + 1, value - 1, value * 1e9, value / 3, HUGE])
    elif isinstance(value, str):
        holder[key] = _text(value, draw)
    elif isinstance(value, list):
        longer = value * draw.choice([0, 2, 50])
        holder[key] = draw.choice([longer, value[:-1], [*value, draw.choice(POOL)], value[::-1]])
    else:
        holder[key] = draw.choice(POOL)
    if draw.randrange(3) == 0 and isinstance(holder, dict) and key in holder:
        holder[key] = draw.choice(POOL)


def _text(value: str, draw: random.Random) -> str:
    cut = draw.randrange(len(value) + 1)
    return draw.choice([value[:cut], value + value, f"{value[:cut]}!{value[cut:]}", DO, HOSTILE])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = range(len(value)) if isinstance(value, list) else list(value)
    for key in keys:
        yield value, key
        if isinstance(value[key], list | dict):
            yield from _places(value[key])
