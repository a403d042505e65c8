"""Draw a training as a moving picture, from a real run: docs/site/learning.webp and its last frame.

    python tools/moving_picture.py

A GRU reads Python's own documentation. Each frame has the curve so far beside what counting n-grams
reaches, and what the model writes at that moment. It takes about a minute on two cores.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from rnn_magics import (
    BaselineConfig,
    Corpus,
    DecodingConfig,
    EpochEnd,
    ModelConfig,
    StepEnd,
    TrainConfig,
    Vocab,
    begin,
    evaluate,
    fit_ladder,
    generate,
    iter_train,
    make_batches,
)
from rnn_magics.batching import BatchConfig
from rnn_magics.text.corpus import CorpusConfig

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "site"
PIXELS = (760, 400)
DPI = 100
BETWEEN_MS, LAST_MS = 420, 4000
EPOCHS = 6
# The steps after which a frame is drawn: close at first, when most happens.
FIRST, GROWTH = 4, 1.32
PREFIX = "The "
INK, MUTED, HUE, GRID = "#212121", "#616161", "#0072b2", "#e0e0e0"


def frame(
    curve: list[tuple[int, float]], text: str, ladder: dict[str, float], steps: int
) -> Image.Image:
    """Return one picture of the training."""
    width, height = (pixels / DPI for pixels in PIXELS)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.38, 0.87, 0.56))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(FIRST * 0.9, steps)
    axes.set_ylim(4, 120)
    axes.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.tick_params(colors=MUTED, labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color=GRID, linewidth=0.6)
    for name, level in ladder.items():
        axes.axhline(level, color=MUTED, linewidth=1, linestyle=":")
        axes.text(steps, level, name, ha="right", va="bottom", fontsize=9, color=MUTED)
    axes.plot(*zip(*curve, strict=True), color=HUE, linewidth=2)
    axes.plot(*curve[-1], marker="o", color=HUE)
    axes.set_title(
        f"held-out perplexity {curve[-1][1]:.1f} after {curve[-1][0]:,} steps",
        loc="left",
        fontsize=11,
        color=INK,
    )
    lines = [text[:84], text[84:168]]
    for row, line in enumerate(lines):
        figure.text(0.03, 0.17 - 0.08 * row, line, family="monospace", fontsize=10, color=INK)
    figure.text(0.03, 0.26, "what it writes", fontsize=9, color=MUTED)
    file = BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def main() -> int:
    """Train, and write the pictures."""
    corpus = Corpus.load("python_docs", CorpusConfig(max_tokens=150_000))
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig("seq", batch_size=16, num_steps=35))
    counted = fit_ladder(corpus, vocab, BaselineConfig(order="1-3"))
    names = {1: "counting characters", 2: "counting pairs", 3: "counting threes"}
    ladder = {names[row.order]: row.valid_perplexity for row in counted if row.order in names}
    run, state = begin(
        batches, ModelConfig("gru", num_hiddens=128), TrainConfig(epochs=EPOCHS, lr=0.004, clip=1)
    )
    drawn, curve, total = [], [], 0
    at, step = float(FIRST), 0
    shots: list[tuple[int, float, str]] = []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            step += 1
            if step >= at:
                at *= GROWTH
                score = evaluate(run.model, batches.valid).perplexity
                written = generate(run, PREFIX, DecodingConfig(length=165, temperature=0.6)).text
                shots.append((step, score, " ".join(written.split())))
        elif isinstance(event, EpochEnd):
            total = step
    for number, score, text in shots:
        curve.append((number, score))
        drawn.append(frame(curve, text, ladder, total))
    FOLDER.mkdir(exist_ok=True)
    first, *others = drawn
    first.save(
        FOLDER / "learning.webp",
        save_all=True,
        append_images=others,
        duration=[BETWEEN_MS] * (len(drawn) - 1) + [LAST_MS],
        loop=0,
        quality=70,
        method=6,
    )
    drawn[-1].save(FOLDER / "learning-still.webp", quality=80, method=6)
    for path in sorted(FOLDER.glob("*.webp")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB, {len(drawn)} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
