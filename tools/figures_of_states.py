"""The figures of lessons 05 and 06: a state between minibatches, and what becomes of a gradient."""

from __future__ import annotations

from collections.abc import Callable

from tools.drawing import (
    BLUE,
    DASHED,
    GREEN,
    INK,
    PALE,
    RED,
    SOFT,
    THICK,
    arrow,
    arrows,
    cells,
    drawing,
    labels,
    lines,
    text,
)

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "carried": "The state between minibatches, for both batchings",
        "carries": "sequential: the state is carried on, the gradient stops at the border",
        "begins": "random: each minibatch begins with a zero state",
        "batch": "minibatch",
        "state": "state",
        "gradient": "gradient",
        "clipping": "Clipping shortens a long gradient and leaves a short one alone",
        "long": "g, longer than θ",
        "clipped": "clipped: same direction, length θ",
        "short": "shorter than θ: stays as it is",
        "factors": "A gradient on its way back in time, multiplied by a factor at each step",
        "shrink": "factors that shrink: it vanishes",
        "stretch": "factors that stretch: it explodes",
        "back": "back in time",
    },
    "zh": {
        "carried": "两种切法中，小批量之间的隐状态",
        "carries": "顺序分区：隐状态传下去，梯度停在边界",
        "begins": "随机采样：每个小批量都从零状态开始",
        "batch": "小批量",
        "state": "隐状态",
        "gradient": "梯度",
        "clipping": "梯度裁剪：长的缩短，短的不变",
        "long": "g：比 θ 长",
        "clipped": "裁剪之后：方向不变，长度为 θ",
        "short": "比 θ 短：保持不变",
        "factors": "梯度沿时间往回走，每一步乘一个因子",
        "shrink": "因子把它缩短：梯度消失",
        "stretch": "因子把它拉长：梯度爆炸",
        "back": "往回走",
    },
}


def carried(words: dict[str, str]) -> str:
    """Draw the state from minibatch to minibatch, with the windows of the figure of batchings."""
    boxes = (120, 340, 560)
    windows = ((50, ("0–3", "4–7", "8–11")), (182, ("16–19", "0–3", "20–23")))
    names = [f"{words['batch']} {number}" for number in (1, 2, 3)]
    zeros = [(24, 50), *((x - 96, 182) for x in boxes)]
    borders = boxes[1:]
    pieces = [
        text(24, 32, words["carries"], INK, 14, "start"),
        text(24, 164, words["begins"], INK, 14, "start"),
        cells([(x, y, 110, 46) for y, _ in windows for x in boxes], BLUE),
        cells([(x, y + 8, 30, 30) for x, y in zeros], INK),
        labels([(x + 15, y + 28, "0") for x, y in zeros]),
        labels(
            [(x + 55, y + 19, n) for y, _ in windows for x, n in zip(boxes, names, strict=True)],
            BLUE,
        ),
        labels(
            [
                (x + 55, y + 37, each)
                for y, of in windows
                for x, each in zip(boxes, of, strict=True)
            ],
            SOFT,
            12,
        ),
        arrows(
            [
                *(f"M{x + 30} {y + 23}h64" for x, y in zeros),
                *(f"M{x - 110} 65H{x - 2}" for x in borders),
                "M670 65h62",
            ]
        ),
        labels([(x - 55, 59, words["state"]) for x in borders], INK, 12),
        arrows([f"M{x} 86H{x - 50}" for x in borders], RED, DASHED),
        lines("".join(f"M{x - 52} 76v20" for x in borders), RED, THICK),
        labels([(x - 52, 112, words["gradient"]) for x in borders], RED, 12),
    ]
    return drawing(752, 246, words["carried"], pieces)


def clipping(words: dict[str, str]) -> str:
    """Draw a gradient that is scaled back to a circle, and one inside it."""
    x, y, theta = 140, 150, 100
    pieces = [
        (f'<circle cx="{x}" cy="{y}" r="{theta}" fill="{PALE[BLUE]}" stroke="{BLUE}"{DASHED}/>'),
        lines(f"M{x} {y}h-{theta}", SOFT, DASHED),
        text(x - 56, y - 6, "θ", SOFT),
        arrows([f"M{x} {y}L374 36"], SOFT, DASHED),
        arrows([f"M{x} {y}L229.9 106.2"], BLUE, ' stroke-width="2"'),
        arrows([f"M{x} {y}l30 52"], GREEN, ' stroke-width="2"'),
        text(386, 38, words["long"], SOFT, 14, "start"),
        text(256, 116, words["clipped"], BLUE, 14, "start"),
        text(256, 206, words["short"], GREEN, 14, "start"),
        lines("M180 202H248", SOFT, ' stroke-dasharray="1 3"'),
    ]
    return drawing(560, 276, words["clipping"], pieces)


def factors(words: dict[str, str]) -> str:
    """Draw the length of a gradient, step by step back in time, for two kinds of factors."""
    pieces = []
    for left, name, color, first, factor in (
        (24, "shrink", BLUE, 110.0, 0.62),
        (400, "stretch", RED, 8.0, 1.55),
    ):
        columns = [left + 320 - 51 * step for step in range(7)]
        lengths = [first * factor**step for step in range(7)]
        pieces += [
            text(left, 32, words[name], color, 14, "start"),
            arrow((left + 330, 180), (left - 12, 180)),
            lines(
                "".join(f"M{x} 180v-{high:.0f}" for x, high in zip(columns, lengths, strict=True)),
                color,
                ' stroke-width="8"',
            ),
            labels([(x - 25, 197, "×") for x in columns[:6]], SOFT),
            text(left, 218, words["back"], SOFT, 13, "start"),
            text(columns[0], 198, "h_T"),
        ]
    return drawing(752, 236, words["factors"], pieces)


FIGURES: dict[str, Callable[[dict[str, str]], str]] = {
    "carried": carried,
    "clipping": clipping,
    "factors": factors,
}
