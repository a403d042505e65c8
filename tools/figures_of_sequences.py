"""The figures of lessons 01, 03 and 04: what becomes of a text, and ways to predict a series."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise

from tools.drawing import (
    BLUE,
    DASHED,
    GREEN,
    INK,
    ORANGE,
    RED,
    SOFT,
    THICK,
    Cell,
    Label,
    arrows,
    cells,
    drawing,
    labels,
    lines,
    text,
)

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "magics": "What the magics make of a text, from left to right",
        "text": "time",
        "tokens": "t i m e",
        "indices": "3 5 13 2",
        "of corpus": "text",
        "of vocab": "tokens, indices",
        "of sample": "minibatches",
        "of train": "a network",
        "of generate": "new text",
        "of evaluate": "perplexity",
        "window_or_state": "Two ways to predict the fifth value: from a window, or from a state",
        "by window": "autoregressive: a window of three",
        "by state": "with a latent state",
        "unread": "not read",
        "window": "window",
        "sums up": "the state sums up all that came before",
        "one_or_many_steps": "Predictions one step ahead, and further ahead",
        "one": "one step ahead: reads true values",
        "many": "further ahead: reads its predictions",
        "true": "true value",
        "predicted": "prediction",
        "units": "The characters, words and bigrams of a sentence, with their indices",
        "trained": "training text: the cat saw the dog",
        "sentence": "the dog saw the goat",
        "sizes": "3 1 3 1 3 1 3 1 4",
        "characters": "2 3 4 1 9 10 11 1 7 5 8 1 2 3 4 1 11 10 5 2",
        "words": "1 4 3 1 0",
        "never": "1 3",
        "character": "characters",
        "word": "words",
        "bigram": "bigrams",
        "unknown": "red: not in the training text",
        "zipf": "Zipf’s law: straight lines when both axes are logarithmic (a sketch)",
        "of 1": "words",
        "of 2": "bigrams",
        "of 3": "trigrams",
        "rank": "rank (log scale)",
        "count": "count (log scale)",
        "often": "often",
        "once": "once",
        "first": "most frequent",
        "last": "rarest",
    },
    "zh": {
        "magics": "从左到右：各个魔法命令把一段文本变成什么",
        "text": "春江花月",
        "tokens": "春 江 花 月",
        "indices": "14 41 18 11",
        "of corpus": "文本",
        "of vocab": "词元与索引",
        "of sample": "小批量",
        "of train": "网络",
        "of generate": "新的文本",
        "of evaluate": "困惑度",
        "window_or_state": "预测第五个值的两种办法：看一个窗口，或者靠一个状态",
        "by window": "自回归：只看最近三个值",
        "by state": "隐变量模型：靠一个状态",
        "unread": "不看",
        "window": "窗口",
        "sums up": "状态概括了此前的一切",
        "one_or_many_steps": "预测一步，与预测多步",
        "one": "预测一步：读的都是真实值",
        "many": "预测多步：读自己的预测",
        "true": "真实值",
        "predicted": "预测值",
        "units": "一句话的字、词与二元语法，以及它们的索引",
        "trained": "训练文本：我们看月亮，明天我们喝茶",
        "sentence": "我们喝茶看明月",
        "sizes": "2 2 1 2",
        "characters": "1 2 9 10 3 7 4",
        "words": "1 6 2 0",
        "never": "1 2",
        "character": "字",
        "word": "词",
        "bigram": "二元语法",
        "unknown": "红色：训练文本里没有",
        "zipf": "齐普夫定律：两个坐标轴都取对数时是直线（示意图）",
        "of 1": "词",
        "of 2": "二元语法",
        "of 3": "三元语法",
        "rank": "名次（对数刻度）",
        "count": "次数（对数刻度）",
        "often": "很多次",
        "once": "一次",
        "first": "最常见",
        "last": "最少见",
    },
}


def magics(words: dict[str, str]) -> str:
    """Draw what each magic makes of a text of four characters."""
    tokens, indices = words["tokens"].split(), words["indices"].split()
    left = [16 + 152 * place for place in range(5)]
    middle = [x + 56 for x in left]
    columns = [middle[1] - 39 + 26 * place for place in range(4)]
    rows = [middle[2] - 12 + 26 * place for place in range(3)]
    names = ("%corpus", "%vocab", "%sample", "%train_rnn")
    kinds = ("corpus", "vocab", "sample", "train")
    pieces = [
        cells([(x, 62, 112, 62) for x in left[:4]], INK),
        cells([(left[4], 36, 112, 40), (left[4], 118, 112, 40)], GREEN),
        cells([(middle[3] - 18, 86, 36, 28)], BLUE),
        arrows(
            [
                *(f"M{x + 112} 94H{x + 150}" for x in left[:3]),
                f"M{left[3] + 112} 94L{left[4] - 2} 58",
                f"M{left[3] + 112} 94L{left[4] - 2} 138",
                f"M{middle[3] + 18} 100h14v-28h-46v12",
            ]
        ),
        labels(
            [
                *((x, 52, name) for x, name in zip(middle, names, strict=False)),
                (middle[4], 27, "%generate"),
                (middle[4], 109, "%evaluate_rnn"),
            ],
            more=' font-family="monospace"',
        ),
        labels(
            [(middle[0], 98, words["text"]), *zip(columns, [86] * 4, tokens, strict=True)], ORANGE
        ),
        labels(
            [
                *zip(columns, [112] * 4, indices, strict=True),
                *zip(rows, [86] * 3, indices, strict=False),
                *zip(rows, [112] * 3, indices[1:], strict=True),
                (middle[3], 105, "h"),
            ],
            BLUE,
        ),
        labels([(left[2] + 18, 86, "X"), (left[2] + 18, 112, "Y")], SOFT),
        labels([(x, 144, words[f"of {kind}"]) for x, kind in zip(middle, kinds, strict=False)]),
        labels(
            [(middle[4], 61, words["of generate"]), (middle[4], 143, words["of evaluate"])], GREEN
        ),
    ]
    return drawing(752, 174, words["magics"], pieces)


WINDOW = 3  # the values that a rule reads


def value(place: int, *, predicted: bool = False) -> str:
    """Return the name of a value of a series, with its place below the line."""
    return f"x{'̂' if predicted else ''}{chr(0x2080 + place)}"


def window_or_state(words: dict[str, str]) -> str:
    """Draw a prediction from the last three values, and one from a state."""
    low, high = 156, 70
    window = [24 + 62 * place for place in range(4)]
    state = [400 + 62 * place for place in range(4)]
    names = [value(place) for place in range(1, 5)]
    pieces = [
        labels([(188, 32, words["by window"]), (564, 32, words["by state"])]),
        cells([(window[0], low, 44, 34)], INK, DASHED),
        cells([(x, low, 44, 34) for x in (*window[1:], *state)], ORANGE),
        cells([(x, high, 44, 34) for x in state], BLUE),
        cells([(x, high, 44, 34) for x in (300, 680)], GREEN),
        lines("M78 148h184v50h-184z", SOFT, DASHED),
        arrows(
            [
                *(f"M{x + 22} {low}L298 {high + 17 + 4 * n}" for n, x in enumerate(window[1:], -1)),
                *(f"M{x + 22} {low}V{high + 36}" for x in state),
                *(f"M{x + 44} {high + 17}h16" for x in state[:3]),
                f"M{state[3] + 44} {high + 17}H678",
            ]
        ),
        labels([(window[0] + 22, low + 22, names[0])], SOFT),
        labels(
            [
                (x + 22, low + 22, name)
                for at in (window, state)
                for x, name in zip(at, names, strict=True)
            ][1:],
            ORANGE,
        ),
        labels(
            [(x + 22, high + 22, f"h{name[1]}") for x, name in zip(state, names, strict=True)], BLUE
        ),
        labels([(x, high + 22, value(5, predicted=True)) for x in (322, 702)], GREEN),
        labels(
            [
                (window[0] + 22, 218, words["unread"]),
                (170, 218, words["window"]),
                (564, 218, words["sums up"]),
            ],
            SOFT,
            13,
        ),
    ]
    return drawing(752, 236, words["window_or_state"], pieces)


def one_or_many_steps(words: dict[str, str]) -> str:
    """Draw windows of true values, and windows that fill with predictions."""
    true: list[tuple[Cell, str]] = []
    predicted: list[tuple[Cell, str]] = []
    paths = []
    for left, own in ((24, False), (396, True)):
        for row in range(4):
            y = 50 + 40 * row
            for place in range(row, row + WINDOW):
                guess = own and place >= WINDOW  # the first values are known
                cell = (left + 44 * place, y, 40, 30)
                (predicted if guess else true).append((cell, value(place + 1, predicted=guess)))
            x = left + 44 * (row + WINDOW)
            paths.append(f"M{x - 2} {y + 15}h20")
            predicted.append(((x + 20, y, 40, 30), value(row + WINDOW + 1, predicted=True)))
    predicted.append(((396, 220, 26, 22), "x̂"))
    true.append(((200, 220, 26, 22), "x"))
    pieces = [labels([(192, 32, words["one"]), (564, 32, words["many"])]), arrows(paths)]
    for found, color in ((true, ORANGE), (predicted, GREEN)):
        pieces += [
            cells([cell for cell, _ in found], color),
            labels([(x + w / 2, y + h / 2 + 5, name) for (x, y, w, h), name in found], color),
        ]
    pieces += [
        text(234, 236, words["true"], ORANGE, 13, "start"),
        text(430, 236, words["predicted"], GREEN, 13, "start"),
    ]
    return drawing(752, 256, words["one_or_many_steps"], pieces)


def units(words: dict[str, str]) -> str:
    """Draw a sentence as characters, as words and as bigrams."""
    sentence, left = words["sentence"], 132
    wide = 480 / len(sentence)
    borders = [0, *accumulate(int(size) for size in words["sizes"].split())]
    spans = [(at, end - at) for at, end in pairwise(borders) if sentence[at] != " "]
    numbers = words["words"].split()
    known: list[Cell] = []
    new: list[Cell] = []
    marks: dict[str, list[Label]] = {INK: [], RED: []}
    for (start, size), number in zip(spans, numbers, strict=True):
        cell = (left + wide * start, 116, wide * size, 24)
        color = INK if number != "0" else RED
        (known if number != "0" else new).append(cell)
        x = cell[0] + cell[2] / 2
        marks[color].append((x, 133, sentence[start : start + size]))
        marks[color].append((x, 154, number if number != "0" else "0 <unk>"))
    never = {int(number) for number in words["never"].split()}
    for number, ((first, _), (second, size)) in enumerate(pairwise(spans)):
        y = 176 + 34 * (number % 2)
        cell = (left + wide * first, y, wide * (second + size - first), 24)
        (new if number in never else known).append(cell)
        color = RED if number in never else INK
        x = cell[0] + cell[2] / 2
        named = " ".join(sentence[at : at + long] for at, long in spans[number : number + 2])
        indices = ", ".join(numbers[number : number + 2])
        marks[color].append((x, y + 17, f"{named} ({indices})"))
    letters = [(left + wide * (place + 0.5), letter) for place, letter in enumerate(sentence)]
    pieces = [
        text(left, 30, words["trained"], INK, 14, "start"),
        cells([(left + wide * place, 52, wide, 24) for place in range(len(sentence))], BLUE),
        cells(known, INK),
        cells(new, RED),
        labels([(x, 69, letter) for x, letter in letters if letter != " "], BLUE),
        labels(
            [(x, 90, n) for (x, _), n in zip(letters, words["characters"].split(), strict=True)],
            BLUE,
            11,
        ),
        labels(marks[INK], INK, 13),
        labels(marks[RED], RED, 13),
        *(
            text(left - 12, y, words[name], SOFT, 13, "end")
            for name, y in (("character", 69), ("word", 133), ("bigram", 193))
        ),
        text(left, 258, words["unknown"], RED, 13, "start"),
    ]
    return drawing(640, 274, words["units"], pieces)


def zipf(words: dict[str, str]) -> str:
    """Draw the counts of words, bigrams and trigrams by rank, without numbers."""
    sketched = ((BLUE, "M90 46L314 218"), (ORANGE, "M90 92L363 218"), (GREEN, "M90 132L425 218"))
    pieces = [
        arrows(("M80 218H440", "M80 218V30")),
        *(lines(path, color, THICK) for color, path in sketched),
        *(
            lines(f"M330 {46 + 26 * place}h26", color, THICK)
            for place, (color, _) in enumerate(sketched)
        ),
        *(
            text(366, 51 + 26 * place, words[f"of {place + 1}"], color, 14, "start")
            for place, (color, _) in enumerate(sketched)
        ),
        text(72, 50, words["often"], SOFT, 13, "end"),
        text(72, 222, words["once"], SOFT, 13, "end"),
        text(80, 238, words["first"], SOFT, 13, "start"),
        text(440, 238, words["last"], SOFT, 13, "end"),
        text(260, 260, words["rank"], INK, 13),
        labels([(24, 134, words["count"])], INK, 13, ' transform="rotate(-90 24 134)"'),
    ]
    return drawing(480, 274, words["zipf"], pieces)


FIGURES: dict[str, Callable[[dict[str, str]], str]] = {
    "magics": magics,
    "one_or_many_steps": one_or_many_steps,
    "units": units,
    "window_or_state": window_or_state,
    "zipf": zipf,
}
