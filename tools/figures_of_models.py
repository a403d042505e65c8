"""The figures of lessons 07 to 12: models from the outside, from the inside, and what is chosen."""

from __future__ import annotations

from collections.abc import Callable

from tools.drawing import BLUE, GREEN, INK, ORANGE, PALE, RED, SOFT, box, drawing, knot, text
from tools.paths import arrows, dashed, letters, named, path, squares, thick, words_at


def numbered(words: str, number: int) -> str:
    """Return words with a number: behind them, or where they have a place for it."""
    return words.format(number) if "{}" in words else f"{words} {number}"


def deep(words: dict[str, str]) -> str:
    """Draw two layers over three steps, and two directions over four."""
    read, wanted = "time", "imer"
    left, right = [90, 170, 250], [420, 500, 580, 660]
    first, second = 140, 84  # layers and directions: their upper edges
    pieces = [
        words_at(170, 26, words["is deep"]),
        words_at(540, 26, words["is bidirectional"]),
        words_at(58, first + 20, numbered(words["layer"], 1), SOFT, "end"),
        words_at(58, second + 20, numbered(words["layer"], 2), SOFT, "end"),
        words_at(384, first + 20, words["forwards"], BLUE, "end"),
        words_at(384, second + 20, words["backwards"], ORANGE, "end"),
        path(
            squares([(x - 22, y) for x in left for y in (first, second)], 44, 30), BLUE, PALE[BLUE]
        ),
        path(squares([(x - 30, first) for x in right], 30, 30), BLUE, PALE[BLUE]),
        path(squares([(x + 4, second) for x in right], 30, 30), ORANGE, PALE[ORANGE]),
        letters([*left, *(x + 2 for x in right)], 222, read[:3] + read, ORANGE, 18),
        letters([*left, *(x + 2 for x in right)], 56, wanted[:3] + wanted, GREEN, 18),
    ]
    ways = [((x, top), (x, top - 24)) for x in left for top in (200, 140, 84)]
    ways += [((x + 22, y + 15), (x + 58, y + 15)) for x in left[:2] for y in (first, second)]
    ways += [((x, first + 15), (x + 50, first + 15)) for x in right[:3]]
    ways += [((x + 84, second + 15), (x + 34, second + 15)) for x in right[:3:2]]
    for x in right:
        ways += [((x - 15, 204), (x - 15, 172)), ((x - 15, first), (x - 6, 64))]
    ways += [((x + 19, 204), (x + 19, 116)) for x in right if x != right[2]]
    ways += [((x + 19, second), (x + 10, 64)) for x in right if x != right[1]]
    told = [
        ((right[2] + 19, 204), (right[2] + 19, 116)),
        ((right[2] + 4, second + 15), (right[1] + 34, second + 15)),
        ((right[1] + 19, second), (right[1] + 10, 64)),
    ]
    pieces += [
        arrows(ways),
        arrows(told, RED, 2),
        words_at(540, 248, words["read before"], RED),
    ]
    return drawing(720, 262, words["deep"], pieces)


def one_gate(words: dict[str, str]) -> str:
    """Draw the way of the state through a minimal gated unit, as that through a GRU is drawn."""
    pieces = [
        words_at(130, 30, "MGU"),
        text(28, 77, "h_t-1"),
        text(338, 77, "h_t"),
        text(250, 256, "x_t"),
        arrows(
            [
                ((48, 72), (119, 72)),
                ((141, 72), (239, 72)),
                ((261, 72), (318, 72)),
                ((250, 124), (250, 84)),
                ((250, 186), (250, 147)),
                ((250, 242), (250, 221)),
                ((141, 203), (199, 203)),
                ((65, 203), (118, 203)),
            ]
        ),
        path("M65,72v131"),
        arrows([((130, 118), (130, 84)), ((155, 135), (238, 135)), ((130, 152), (130, 191))], RED),
        box(105, 118, 50, 34, RED, "f_t"),
        box(200, 186, 100, 34, GREEN, "h̃_t  = tanh"),
        knot(130, 72, "×", RED),
        knot(250, 72, "+"),
        knot(250, 135, "×", RED),
        knot(130, 203, "×", RED),
        text(196, 128, "f_t", RED, 13),
        text(140, 107, f"1 − f_t : {words['keep']}", RED, 13, "start"),
        words_at(196, 152, words["replace"], RED),
        words_at(140, 176, words["reset"], RED, "start"),
        words_at(310, 208, words["candidate"], GREEN, "start"),
    ]
    return drawing(400, 270, words["one_gate"], pieces)


def own_cell(words: dict[str, str]) -> str:
    """Draw what a cell is given, and what it has to return."""
    pieces = [
        text(26, 90, "x_t"),
        path(squares([(80, 64)], 120, 42), BLUE, PALE[BLUE]),
        text(140, 90, "W_x x_t  + b", BLUE),
        named(266, 64, 160, 42, GREEN, "forward(x, state)"),
        named(490, 64, 90, 42, BLUE, words["scores"]),
        named(636, 64, 60, 42, RED, words["loss"]),
        arrows(
            [
                ((44, 85), (78, 85)),
                ((200, 85), (264, 85)),
                ((426, 85), (488, 85)),
                ((580, 85), (634, 85)),
                ((666, 36), (666, 62)),
            ]
        ),
        text(231, 78, "x"),
        text(456, 78, "h_t"),
        text(666, 28, "x_t+1"),
        words_at(140, 50, words["at once"], SOFT),
        words_at(346, 50, words["yours"], GREEN),
        path("M400,106v30H292", GREEN),
        arrows([((292, 136), (292, 107))], GREEN),
        words_at(346, 130, words["state"], GREEN),
        words_at(346, 164, words["returns"], INK),
    ]
    return drawing(720, 182, words["own_cell"], pieces)


def row(words: dict[str, str]) -> str:
    """Draw a small heatmap with one of its rows as a curve."""
    shown = "the state"
    table = ("+-+-+-+-+", "   +=====", "=+-= ++ -")  # the second is drawn as a curve
    shades = {"=": RED, "+": PALE[RED], "-": PALE[BLUE], " ": BLUE}
    heights = {"=": 16, "+": 6, "-": -6, " ": -16}
    width, left, top = 34, 130, 44
    spots = {
        (left + width * column, top + 22 * number): level
        for number, levels in enumerate(table)
        for column, level in enumerate(levels)
    }
    middles = [left + width * (column + 0.5) for column in range(len(shown))]
    curve = [f"{x:g},{154 - heights[level]}" for x, level in zip(middles, table[1], strict=True)]
    pieces = [
        path(
            squares([spot for spot, found in spots.items() if found == level], width, 22),
            "#fff",
            fill,
        )
        for level, fill in shades.items()
    ]
    pieces += [
        letters(middles, 34, shown, ORANGE),
        thick(squares([(left, top + 22)], width * len(shown), 22), INK),
        dashed(squares([(left + 7 * width, top)], width, 66), INK),
        words_at(450, top + 15, words["column"], SOFT, "start"),
        words_at(450, top + 38, words["a row"], INK, "start"),
        dashed(f"M{left},154h306"),
        words_at(left - 12, 159, "0", SOFT, "end"),
        thick(f"M{'L'.join(curve)}", INK),
        words_at(450, 159, words["values"], INK, "start"),
    ]
    return drawing(600, 192, words["row"], pieces)


def reach(words: dict[str, str]) -> str:
    """Draw how a gradient gets smaller on its way back."""
    shown, width, left = "functio", 50, 30
    middles = [left + width * (place + 0.5) for place in range(len(shown))]
    end = left + width * len(shown)
    pieces = [
        f'<path d="{squares([(left + width * place, 40)], width, 34)}" fill="{RED}"'
        f' fill-opacity="{0.75 * 0.62 ** (len(shown) - 1 - place):.2f}"/>'
        for place in range(len(shown))
    ]
    pieces += [
        path(squares([(x - width / 2, 40) for x in middles], width, 34), SOFT),
        letters(middles, 63, shown, INK, 18),
        arrows([((end, 57), (end + 46, 57))]),
        path(squares([(end + 48, 40)], 38, 34), GREEN, PALE[GREEN]),
        text(end + 67, 63, "n", GREEN, 18),
        words_at(end + 67, 30, words["expects"], GREEN),
        path(f"M{left + 6},104L{end + 67},93v22z", "none", RED),
        thick(f"M{end + 67},78v18", RED),
        words_at(249, 138, words["goes back"], RED),
    ]
    return drawing(498, 154, words["reach"], pieces)


def held(words: dict[str, str]) -> str:
    """Draw three units over time, of which one is held from a place on."""
    read, left, width = "f(g(x", 100, 42
    middles = [left + width * place for place in range(11)]
    at = middles[4]
    pieces = [
        letters(middles[:5], 48, read, ORANGE, 18),
        letters(middles[5:], 48, "??????", GREEN, 18),
        words_at(middles[2], 26, words["reads"], ORANGE),
        words_at(middles[7] + 21, 26, words["writes"], GREEN),
        dashed(f"M{at},58V206"),
        path("M100,90l42-16 42 20 42-14 42 12 42-20 42 14 42-8 42 18 42-18 42 10", BLUE),
        path("M100,188l42 8 42-20 42 12 42-10 42 16 42-16 42 20 42-8 42-14 42 10", BLUE),
        path("M100,152l42-6 42-8 42-6 42 2", RED),
        dashed(f"M{at},134l42 12 42 4 42-10 42-8 42 16 42 6", SOFT),
        thick(f"M{at},122H520", RED),
        thick(f"M{at},134v-12", RED),
        words_at(542, 127, words["is held"], RED, "start"),
    ]
    pieces += [
        words_at(86, y, numbered(words["unit"], number), color, "end")
        for number, (y, color) in enumerate(((95, BLUE), (157, RED), (193, BLUE)), 1)
    ]
    return drawing(610, 220, words["held"], pieces)


def patch(words: dict[str, str]) -> str:
    """Draw two runs, and a state that goes from one into the other."""
    ours, theirs, place, width, left = "f(x", "f(g(h(x,y),", 6, 44, 84
    above, below = 30, 116
    places = [left + width * number for number in range(len(theirs))]
    middles = [x + 14 for x in places]
    pieces = [
        words_at(70, above + 20, f"{words['text']} A", ORANGE, "end"),
        words_at(70, below + 20, f"{words['text']} B", BLUE, "end"),
        path(squares([(x, above) for x in places[: len(ours)]], 28, 28), ORANGE, PALE[ORANGE]),
        path(squares([(x, below) for x in places[:place]], 28, 28), BLUE, PALE[BLUE]),
        *(
            path(
                squares([(x, below)], 28, 28), BLUE, RED, f' fill-opacity="{0.7 * 0.6**number:.2f}"'
            )
            for number, x in enumerate(places[place:])
        ),
        letters(middles[: len(ours)], above + 20, ours),
        letters(middles, below + 20, theirs),
        arrows([((x - 16, above + 14), (x - 1, above + 14)) for x in places[1 : len(ours)]]),
        arrows([((x - 16, below + 14), (x - 1, below + 14)) for x in places[1:]]),
        path(f"M{places[place] - 14},{below + 6}l9,16m0,-16l-9,16", RED),
        path(f"M{places[2] + 28},{above + 14}H{middles[place]}", RED),
        arrows([((middles[place], above + 14), (middles[place], below - 1))], RED),
        words_at(middles[place] + 14, above + 42, words["put in"], RED, "start"),
        words_at(places[place], below + 52, words["felt"], RED, "start"),
    ]
    return drawing(600, 184, words["patch"], pieces)


def pruning(words: dict[str, str]) -> str:
    """Draw finished trials, and one on each side of their median."""
    pieces = [
        path("M60,34V210H560"),
        words_at(60, 24, words["score"], SOFT),
        words_at(560, 230, words["tokens"], SOFT, "end"),
        path("".join(f"M60,{y}Q140,{y + 90} 520,{y + 110}" for y in (46, 58, 70, 82)), SOFT),
        dashed("M200,34V210"),
        thick("M60,40Q110,80 200,98", RED),
        thick("M194,92l12,12m0,-12l-12,12", RED),
        thick("M60,64Q130,176 520,200", GREEN),
        f'<circle cx="200" cy="133" r="5" fill="{INK}"/>',
        words_at(200, 230, f"● {words['median']}"),
        words_at(214, 100, words["pruned"], RED, "start"),
        words_at(526, 204, words["goes on"], GREEN, "start"),
    ]
    return drawing(660, 242, words["pruning"], pieces)


def parts(words: dict[str, str]) -> str:
    """Draw a text as a bar of three parts."""
    of = (("training", "learns", BLUE, 30, 310), ("held out", "chooses", ORANGE, 340, 180))
    pieces = [
        words_at(30, 28, words["order"], SOFT, "start"),
        arrows([((30, 38), (650, 38))], SOFT),
    ]
    for name, use, color, x, width in (*of, ("test", "once", GREEN, 520, 130)):
        pieces += [
            named(x, 48, width, 40, color, words[name]),
            words_at(x + width / 2, 110, words[use], color),
        ]
    return drawing(680, 126, words["parts"], pieces)


def way(words: dict[str, str]) -> str:
    """Draw the steps of a lesson, each with its line."""
    lines = ("%corpus", "%vocab", "%baseline", "%train_rnn", "%evaluate_rnn", "%rnn page")
    colors = (ORANGE, BLUE, BLUE, BLUE, BLUE, GREEN)
    pieces = [arrows([((x, 44), (x + 22, 44)) for x in range(112, 600, 118)])]
    for number, name in enumerate(words["steps"].split(",")):
        x = 16 + 118 * number
        pieces += [
            named(x, 24, 96, 40, colors[number], name),
            words_at(x + 48, 86, lines[number], SOFT),
        ]
    return drawing(720, 104, words["way"], pieces)


def bars(words: dict[str, str]) -> str:
    """Draw the scores of one model on the three parts of a text, without numbers."""
    pieces = [
        path("M50,30V190H570"),
        words_at(14, 22, words["perplexity"], SOFT, "start"),
        words_at(60, 76, words["ngram"], INK, "start"),
    ]
    roles = words["roles"].split(",")
    of = (("training", BLUE, 80, 80), ("held out", ORANGE, 240, 120), ("test", GREEN, 400, 140))
    for (name, color, x, height), role in zip(of, roles, strict=True):
        pieces += [
            named(x, 190 - height, 100, height, color, words[name]),
            words_at(x + 50, 210, role, color),
        ]
    pieces.append(dashed("M50,82H350", INK))
    return drawing(590, 224, words["bars"], pieces)


FIGURES: dict[str, Callable[[dict[str, str]], str]] = {
    "deep": deep,
    "one_gate": one_gate,
    "own_cell": own_cell,
    "row": row,
    "reach": reach,
    "held": held,
    "patch": patch,
    "pruning": pruning,
    "parts": parts,
    "way": way,
    "bars": bars,
}
