"""Time how long an update of the dashboard takes to be drawn in a page.

    python benchmarks/drawing.py [--quick]

The view is the one that a notebook has, in Chromium without a window and without a GPU, and gets
what a kernel sends it: a run of 3,000 steps, recorded at fifty of them. A time begins when the new
state is in the page, and ends when the frame that shows it has been painted. Whole milliseconds of
it are the wait for the next frame, of which there are sixty a second.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
from collections.abc import Iterator
from typing import Any

from page import browser
from report import Row, table

from rnn_magics import BatchConfig, Corpus, ModelConfig, TrainConfig, Vocab, make_batches
from rnn_magics.notebook.page.telemetry import Telemetry
from rnn_magics.notebook.widgets.base import STATIC
from rnn_magics.reports.run_payload import series_bytes
from rnn_magics.training.curve import MOST_POINTS
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, iter_train

STEPS, UPDATES = 3_000, 50
_SHOW = """async ([code, first]) => {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const { default: widget } = await import(url);
  const heard = new Map();
  const state = {};
  window.take = sent => {
    for (const [name, value] of Object.entries(sent)) {
      const bytes = ['loss', 'grad_norm'].includes(name);
      state[name] = bytes
        ? new DataView(Uint8Array.from(atob(value), each => each.charCodeAt(0)).buffer)
        : value;
    }
    heard.get('change:run')?.();
  };
  window.take(first);
  const model = {
    get: name => state[name],
    on: (name, call) => heard.set(name, call),
    off: name => heard.delete(name),
    send: () => undefined
  };
  const el = document.createElement('div');
  document.body.append(el);
  widget.render({ model, el });
}"""
_UPDATE = """async sent => {
  const begun = performance.now();
  window.take(sent);
  const computed = performance.now() - begun;
  // A task that is posted in a frame runs after the frame has been painted.
  await new Promise(requestAnimationFrame);
  await new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });
  return [computed, performance.now() - begun];
}"""


def states() -> Iterator[dict[str, Any]]:
    """Yield what a dashboard sends, as often as `UPDATES` says, over a run of `STEPS` steps."""
    corpus = Corpus.from_text("a run of many steps, " * 2500)
    batches = make_batches(
        corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=4, num_steps=8)
    )
    run, state = begin(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1000), "long")
    telemetry, taken = Telemetry(run), 0
    for event in iter_train(run, state):
        telemetry(event)
        if isinstance(event, StepEnd):
            taken += 1
            if taken % (STEPS // UPDATES) == 0:
                curve = telemetry.curve
                yield {
                    "run": telemetry.payload(),
                    "loss": _sent(series_bytes(curve.loss, MOST_POINTS)),
                    "grad_norm": _sent(series_bytes(curve.grad_norm, MOST_POINTS)),
                }
            if taken == STEPS:
                return


def _sent(values: bytes) -> str:
    return base64.b64encode(values).decode("ascii")


def measure(*, quick: bool) -> list[Row]:
    """Return the row of the table."""
    recorded = [json.loads(json.dumps(each)) for each in states()]
    first = {"_view": "training", "is_kept": True, "samples": [], "answered": 0, **recorded[0]}
    with browser() as chromium:
        tab = chromium.new_page(viewport={"width": 1100, "height": 900})
        tab.add_style_tag(content=(STATIC / "widgets.css").read_text(encoding="utf-8"))
        tab.evaluate(_SHOW, [(STATIC / "widgets.js").read_text(encoding="utf-8"), first])
        tab.locator("canvas").first.wait_for()
        for sent in recorded[:5]:
            tab.evaluate(_UPDATE, sent)
        rounds = 1 if quick else 5
        times = [tab.evaluate(_UPDATE, sent) for _ in range(rounds) for sent in recorded]
        tab.get_by_text("long").first.wait_for()
    computed, whole = zip(*times, strict=True)
    slow = sorted(whole)[-1 - len(whole) // 20]
    return [
        Row(
            f"an update of the dashboard, up to {STEPS:,} steps: from the page until it is painted",
            f"{statistics.median(whole):.1f} ms",
            "",
            None,
            "<= 50 ms with its way there",
            f"a twentieth above {slow:.1f} ms; {statistics.median(computed):.1f} ms of it compute;"
            f" {len(whole)} updates",
        )
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(table(measure(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
