"""Time a model that runs in a page: tokens per second of `labextension/src/model` in Chromium.

    python benchmarks/page.py [--quick]

The model has random weights, since the time does not depend on them. Chromium is the one on PATH,
or the one named by RNN_MAGICS_CHROMIUM; it has no window and no GPU, and this process and all that
it starts are kept on one core. Two things are timed: the model alone, reading and then writing; and
the page of `%rnn page` as a person has it, from a key pressed until 1,000 characters are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from report import Row, table

from rnn_magics import (
    BatchConfig,
    Corpus,
    ModelConfig,
    RNNModel,
    TrainConfig,
    Vocab,
    make_batches,
    train,
    write_page,
)
from rnn_magics.inspection.play.packed_model import packed_model

LABEXTENSION = Path(__file__).resolve().parents[1] / "labextension"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LETTERS = "".join(map(chr, range(33, 97)))  # 64; with <unk> there are 65 tokens
READ, WRITTEN = 1000, 3000
_ENTRY = """
export { Network } from './src/model/network';
export { walk } from './src/model/walk';
export { packedModel } from './src/contract/model';
"""
_ALONE = """([data, read, written]) => {
  const network = new model.Network(model.packedModel(data, 'model'));
  const text = Array.from({ length: read }, (_, place) => 1 + ((place * 7) % 64));
  const going = { length: written, seed: 1, decoding: { temperature: 1, topK: null, topP: null } };
  const begun = performance.now();
  let steps = 0;
  for (const step of model.walk(network, text, going)) {
    steps += step.logits.length > 0 ? 1 : 0;
  }
  return (1000 * steps) / (performance.now() - begun);
}"""
_IN_PAGE = """length => new Promise(done => {
  const view = document.querySelector('.rnn-inspection');
  const typed = view.querySelector('textarea');
  const count = () => view.querySelectorAll('.rnn-branch:first-child [role=option]').length;
  const text = 'AB';
  typed.value = text + String.fromCharCode(33 + Math.floor(60 * Math.random()));
  const wanted = typed.value.length + length;
  let longest = 0;
  const begun = performance.now();
  let before = begun;
  typed.dispatchEvent(new Event('input', { bubbles: true }));
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    if (count() === wanted) {
      done([now - begun, longest]);
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
})"""


@contextmanager
def browser() -> Iterator[Any]:
    """Start a Chromium without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    found = os.environ.get("RNN_MAGICS_CHROMIUM") or shutil.which("chromium")
    if not found:
        sys.exit("no Chromium on PATH; name one in RNN_MAGICS_CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


def bundled() -> str:
    """Return the model in TypeScript as one script, with the name `model`."""
    command = [LABEXTENSION / "node_modules/.bin/esbuild", "--bundle", "--minify"]
    options = ["--format=iife", "--global-name=model", "--target=es2022", "--loader=ts"]
    done = subprocess.run(  # noqa: S603
        [*command, *options],
        input=_ENTRY,
        cwd=LABEXTENSION,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def model_of(cell: str, layers: int) -> dict[str, Any]:
    """Return a model of 256 units with random weights, as JSON."""
    vocab = Vocab.from_corpus(Corpus.from_text(LETTERS * 4))
    model = RNNModel(ModelConfig(cell, 256, layers), len(vocab))
    packed: dict[str, Any] = json.loads(
        json.dumps(packed_model(SimpleNamespace(model=model, vocab=vocab)))
    )
    return packed


def measure(*, quick: bool) -> list[Row]:
    """Return the rows of the table."""
    rounds = 2 if quick else 9
    rows = []
    with browser() as chromium, tempfile.TemporaryDirectory() as folder:
        tab = chromium.new_page()
        tab.add_script_tag(content=bundled())
        for cell, layers in (("rnn", 1), ("gru", 1), ("lstm", 1), ("gru", 2)):
            data = model_of(cell, layers)
            tab.evaluate(_ALONE, [data, 100, 100])  # compiled once
            speeds = [tab.evaluate(_ALONE, [data, READ, WRITTEN]) for _ in range(rounds)]
            rows.append(
                Row(
                    f"the model alone, {cell} 256, {layers} layer{'s' * (layers > 1)}, 65 tokens:"
                    f" {READ:,} characters read, {WRITTEN:,} written",
                    f"{statistics.median(speeds):,.0f} characters/s",
                    "",
                    None,
                    ">= 2,000/s" if (cell, layers) == ("gru", 1) else "",
                    f"{min(speeds):,.0f} to {max(speeds):,.0f}, {rounds} rounds",
                )
            )
        rows.append(in_page(chromium, Path(folder), rounds))
    return rows


def in_page(chromium: Any, folder: Path, rounds: int) -> Row:
    """Time a key pressed in the page of a GRU 256."""
    corpus = Corpus.from_text(LETTERS * 40)
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig())
    run = train(batches, ModelConfig("gru", 256), TrainConfig(epochs=1, threads=1))
    page = write_page(run, folder / "run.html", corpus)
    tab = chromium.new_page(viewport={"width": 1100, "height": 900})
    tab.goto(page.path.as_uri())
    tab.locator(".rnn-written").first.wait_for()
    length = tab.get_by_label("tokens to write")
    length.fill("1000")
    length.press("Enter")
    tab.evaluate(_IN_PAGE, 1000)
    times = [tab.evaluate(_IN_PAGE, 1000) for _ in range(rounds)]
    whole, longest = (statistics.median(column) for column in zip(*times, strict=True))
    return Row(
        "the page of a GRU 256: from a key pressed to 1,000 characters written and drawn",
        f"{whole / 1000:.2f} s",
        "",
        None,
        "",
        f"{1e6 / whole:,.0f} characters/s, drawn; frames at most {longest:.0f} ms apart",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(table(measure(quick=quick)))


if __name__ == "__main__":
    main()
