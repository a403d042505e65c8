"""Draw the figures of the course, in both languages.

    python tools/figures.py

Writes `examples/figures/` and `examples/zh/figures/`. Each figure has a light ground of its own, so
it can be read on a dark page too. A drawing is changed here, once for both languages.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # typed as a command, this file finds its neighbours too

from tools import (  # noqa: E402
    figures_of_models,
    figures_of_sequences,
    figures_of_states,
    words_of_models,
)
from tools.drawing import (  # noqa: E402
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    SOFT,
    arrow,
    box,
    drawing,
    knot,
    text,
)

FOLDERS = {"en": ROOT / "examples/figures", "zh": ROOT / "examples/zh/figures"}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "unrolled": "A recurrent network, folded and unrolled over four steps",
        "tokens": "t i m e r",
        "network": "one network",
        "steps": "the same weights at each step",
        "input": "input",
        "state": "state",
        "expects": "expects",
        "gates": "The paths through a GRU and through an LSTM",
        "keep": "keep",
        "replace": "replace",
        "reset": "reset",
        "forget": "forget",
        "write": "write",
        "show": "show",
        "candidate": "candidate",
        "memory": "memory cell",
        "batchings": "Two ways to cut a text into minibatches of two rows",
        "text": "text",
        "sequential": "sequential: each row goes on where it stopped; the state is carried",
        "random": "random: windows from anywhere; each begins with a zero state",
        "batch": "minibatch",
        "row": "row",
        "ladder": "The ladder: what a perplexity is worth",
        "uniform": "uniform guess: the size of the vocabulary",
        "order1": "1-gram: how frequent is each token?",
        "order2": "2-gram: which token follows this one?",
        "order6": "6-gram: which one follows these five?",
        "rnn": "a network that has learnt more than counting",
        "perfect": "1: certain, and always right",
        "axis": "perplexity (log scale)",
    },
    "zh": {
        "unrolled": "循环神经网络：折叠的样子，以及按四个时间步展开的样子",
        "tokens": "床 前 明 月 光",
        "network": "一个网络",
        "steps": "每个时间步使用同一组权重",
        "input": "输入",
        "state": "隐状态",
        "expects": "预测",
        "gates": "信息在门控循环单元与长短期记忆网络中的走法",
        "keep": "保留",
        "replace": "替换",
        "reset": "重置",
        "forget": "遗忘",
        "write": "写入",
        "show": "输出",
        "candidate": "候选",
        "memory": "记忆元",
        "batchings": "把一段文本切成小批量（每批两行）的两种办法",
        "text": "文本",
        "sequential": "顺序分区：每一行接着自己上次停下的地方，隐状态传下去",
        "random": "随机采样：窗口来自任意位置，每个窗口都从零状态开始",
        "batch": "小批量",
        "row": "行",
        "ladder": "阶梯：一个困惑度值多少",
        "uniform": "均匀猜测：词表的大小",
        "order1": "一元语法：每个词元有多常见？",
        "order2": "二元语法：这个词元后面常跟什么？",
        "order6": "六元语法：这五个词元后面常跟什么？",
        "rnn": "学到的东西比计数更多的网络",
        "perfect": "1：每次都确定，而且都对",
        "axis": "困惑度（对数刻度）",
    },
}


def unrolled(words: dict[str, str]) -> str:
    """Draw a network with its loop, and the same network once for each step."""
    read = words["tokens"].split()
    low, middle, top = 216, 126, 40  # inputs, states, outputs
    pieces = [
        box(40, middle, 60, 40, BLUE, "h_t"),
        arrow((70, low), (70, middle + 42)),
        arrow((70, middle), (70, top + 32)),
        arrow(
            (100, middle + 12),
            (128, middle + 12),
            (128, middle - 16),
            (85, middle - 16),
            (85, middle - 2),
        ),
        text(70, low + 18, "x_t"),
        text(70, top + 20, "o_t"),
        text(136, middle + 3, "W_hh", SOFT, 13, "start"),
        text(64, middle + 68, "W_xh", SOFT, 13, "end"),
        text(64, middle - 28, "W_hq", SOFT, 13, "end"),
        text(70, low + 44, words["network"], SOFT, 13),
        text(176, middle + 27, "=", INK, 22),
    ]
    for step, (token, following) in enumerate(pairwise(read)):
        x = 280 + 100 * step
        pieces += [
            arrow((x - 56, middle + 20), (x - 2, middle + 20)),
            box(x, middle, 44, 40, BLUE, f"h_{step + 1}"),
            arrow((x + 22, low), (x + 22, middle + 42)),
            arrow((x + 22, middle), (x + 22, top + 32)),
            text(x + 22, low + 18, token, ORANGE, 18),
            text(x + 22, top + 22, following, GREEN, 18),
        ]
    end = 280 + 400
    pieces += [
        arrow((end - 56, middle + 20), (end - 14, middle + 20)),
        text(206, middle + 25, "h_0"),
        text(end - 8, low + 18, words["input"], ORANGE, 13, "start"),
        text(end - 8, middle + 25, words["state"], BLUE, 13, "start"),
        text(end - 8, top + 20, words["expects"], GREEN, 13, "start"),
        text(450, low + 44, words["steps"], SOFT, 13),
    ]
    return drawing(752, 276, words["unrolled"], pieces)


def gates(words: dict[str, str]) -> str:
    """Draw the way of the state through a GRU, and of the memory cell through an LSTM."""
    gru = [
        text(180, 30, "GRU", INK, 16),
        text(28, 77, "h_t-1"),
        arrow((48, 72), (119, 72)),
        knot(130, 72, "×", BLUE),
        arrow((141, 72), (239, 72)),
        knot(250, 72, "+"),
        arrow((261, 72), (318, 72)),
        text(338, 77, "h_t"),
        box(105, 118, 50, 34, BLUE, "z_t"),
        arrow((130, 118), (130, 85), color=BLUE),
        text(118, 104, words["keep"], BLUE, 13, "end"),
        knot(250, 135, "×", BLUE),
        arrow((250, 124), (250, 85)),
        arrow((155, 135), (237, 135), color=BLUE),
        text(196, 128, "1 − z_t", BLUE, 13),
        text(264, 104, words["replace"], BLUE, 13, "start"),
        box(200, 186, 100, 34, GREEN, "h̃_t  = tanh"),
        arrow((250, 186), (250, 148)),
        text(310, 208, words["candidate"], GREEN, 13, "start"),
        box(40, 186, 50, 34, RED, "r_t"),
        text(65, 238, words["reset"], RED, 13),
        knot(130, 203, "×", RED),
        arrow((90, 203), (117, 203), color=RED),
        arrow((141, 203), (198, 203)),
        arrow((60, 72), (60, 166), (130, 166), (130, 190)),
        text(250, 256, "x_t"),
        arrow((250, 242), (250, 222)),
    ]
    lstm = [
        text(590, 30, "LSTM", INK, 16),
        text(422, 77, "c_t-1"),
        arrow((442, 72), (495, 72)),
        knot(506, 72, "×", RED),
        arrow((517, 72), (595, 72)),
        knot(606, 72, "+"),
        arrow((617, 72), (738, 72)),
        text(758, 77, "c_t"),
        text(660, 60, words["memory"], SOFT, 13),
        box(481, 118, 50, 34, RED, "f_t"),
        arrow((506, 118), (506, 85), color=RED),
        text(494, 104, words["forget"], RED, 13, "end"),
        knot(606, 135, "×", BLUE),
        arrow((606, 124), (606, 85)),
        box(540, 160, 40, 34, BLUE, "i_t"),
        arrow((560, 160), (560, 135), (593, 135), color=BLUE),
        text(570, 126, words["write"], BLUE, 13),
        box(556, 208, 100, 34, GREEN, "c̃_t  = tanh"),
        arrow((606, 208), (606, 148)),
        text(546, 230, words["candidate"], GREEN, 13, "end"),
        box(670, 112, 54, 30, INK, "tanh"),
        arrow((697, 72), (697, 110)),
        knot(697, 175, "×", ORANGE),
        arrow((697, 142), (697, 162)),
        box(676, 212, 42, 30, ORANGE, "o_t"),
        arrow((697, 212), (697, 188), color=ORANGE),
        text(726, 204, words["show"], ORANGE, 13, "start"),
        arrow((708, 175), (738, 175)),
        text(758, 180, "h_t"),
    ]
    return drawing(790, 276, words["gates"], [*gru, *lstm])


def batchings(words: dict[str, str]) -> str:
    """Draw which windows of a text make up the first three minibatches, for both batchings."""
    cell, left, steps = 22.0, 92.0, 4
    colors = (BLUE, ORANGE, GREEN)
    ways = {"sequential": [[0, 12], [4, 16], [8, 20]], "random": [[16, 4], [0, 20], [12, 8]]}
    pieces, y = [], 24.0
    for way, minibatches in ways.items():
        pieces += [text(16, y + 8, words[way], INK, 14, "start")]
        y += 20
        pieces += [text(left - 12, y + 16, words["text"], SOFT, 13, "end")]
        of = {start: number for number, starts in enumerate(minibatches) for start in starts}
        for place in range(24):
            color = colors[of[place // steps * steps]]
            pieces.append(box(left + cell * place, y, cell, 24, color))
            pieces.append(text(left + cell * (place + 0.5), y + 16, str(place), color, 11))
        y += 40
        for row in range(2):
            pieces.append(text(left - 12, y + 16, f"{words['row']} {row + 1}", SOFT, 13, "end"))
            for number, starts in enumerate(minibatches):
                x = left + number * (steps * cell + 46)
                for step in range(steps):
                    color = colors[number]
                    pieces.append(box(x + cell * step, y, cell, 24, color))
                    words_of = str(starts[row] + step)
                    pieces.append(text(x + cell * (step + 0.5), y + 16, words_of, color, 11))
                if number and way == "sequential":
                    pieces.append(arrow((x - 42, y + 12), (x - 4, y + 12)))
            y += 28
        for number, color in enumerate(colors):
            x = left + number * (steps * cell + 46) + steps * cell / 2
            pieces.append(text(x, y + 13, f"{words['batch']} {number + 1}", color, 12))
        y += 46
    return drawing(640, int(y) - 18, words["batchings"], pieces)


def ladder(words: dict[str, str]) -> str:
    """Draw the rungs from a uniform guess down to certainty."""
    left, right = 150, 190
    rungs = {
        "uniform": (46, SOFT),
        "order1": (92, SOFT),
        "order2": (128, SOFT),
        "order6": (176, SOFT),
        "rnn": (206, BLUE),
        "perfect": (258, GREEN),
    }
    pieces = [
        f'<line x1="{x}" y1="30" x2="{x}" y2="268" stroke="{INK}" stroke-width="3"/>'
        for x in (left, right)
    ]
    for name, (y, color) in rungs.items():
        wide = 4 if color != SOFT else 2
        pieces += [
            (
                f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{color}"'
                f' stroke-width="{wide}"/>'
            ),
            text(right + 16, y + 5, words[name], INK if color == SOFT else color, 14, "start"),
        ]
    pieces += [arrow((110, 40), (110, 260)), text(75, 155, words["axis"], SOFT, 13)]
    pieces[-1] = pieces[-1].replace("<text ", '<text transform="rotate(-90 75 155)" ')
    return drawing(600, 290, words["ladder"], pieces)


FIGURES: dict[str, Callable[[dict[str, str]], str]] = {
    "unrolled": unrolled,
    "gates": gates,
    "batchings": batchings,
    "ladder": ladder,
}


DRAWN = (
    (WORDS, FIGURES),
    (figures_of_sequences.WORDS, figures_of_sequences.FIGURES),
    (figures_of_states.WORDS, figures_of_states.FIGURES),
    (words_of_models.WORDS, figures_of_models.FIGURES),
)


def figures() -> dict[Path, str]:
    """Return every figure, by the path of its file."""
    return {
        folder / f"{name}.svg": draw(words[language])
        for words, drawings in DRAWN
        for language, folder in FOLDERS.items()
        for name, draw in drawings.items()
    }


def main() -> None:
    """Write them."""
    for path, drawn in figures().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
