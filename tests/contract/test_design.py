"""The design is one: colours that can be seen, the same in the page, in pictures and in views."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path

import jupyterlab
import pytest
from matplotlib.colors import Colormap

from rnn_magics.plotting.style import DIVERGING, GOOD, HUES, INK, MARKERS, SEQUENTIAL

LABEXTENSION = Path(__file__).parents[2] / "labextension"
DESIGN = (LABEXTENSION / "style" / "design.css").read_text(encoding="utf-8")
THEMES = Path(jupyterlab.__file__).parent / "themes" / "@jupyterlab"
TEXT, DRAWN = 4.5, 3.0  # WCAG 2 AA

Rgb = tuple[float, ...]
GROUNDS = ("bg", "raised")
# What is written: everywhere, and on buttons. What is only drawn needs less.
WRITTEN = ("fg", "muted", "good", "bad", "wait")
HUE_NAMES = [f"hue-{place}" for place in range(1, 7)]
PAIRS = [
    *((ink, ground, TEXT) for ink, ground in product(WRITTEN, GROUNDS)),
    *(("fg", ground, TEXT) for ground in ("button", "button-hover")),
    *((ink, ground, DRAWN) for ink, ground in product(("edge", "focus", *HUE_NAMES), GROUNDS)),
    ("focus", "grid", 1.5),  # the bar of progress on its ground, beside which the share is written
]
DECLARED = dict(re.findall(r"--rnn-([a-z0-9-]+): ([^;]+);", DESIGN))


@cache
def theme(name: str) -> dict[str, str]:
    """Return the variables of a theme of JupyterLab; none for a page without one."""
    if name.startswith("none"):
        return {}
    css = (THEMES / f"theme-{name}-extension" / "index.css").read_text(encoding="utf-8")
    return dict(re.findall(r"(--[a-z0-9-]+):\s*([^;}]+?)\s*[;}]", css))


def colour(name: str, of: str) -> Rgb:
    """Return a colour of the design as it is on a page of this theme, on white or black."""
    dark = "dark" in of
    return value(DECLARED[name], theme(of), dark)


def value(text: str, variables: dict[str, str], dark: bool) -> Rgb:  # noqa: FBT001
    text = text.strip()
    if found := re.fullmatch(r"var\((--[a-z0-9-]+)(?:,\s*(.+))?\)", text, re.DOTALL):
        name, fallback = found.groups()
        return value(variables.get(name) or fallback, variables, dark)
    if found := re.fullmatch(r"light-dark\((#\w+), (#\w+)\)", text):
        return value(found[2] if dark else found[1], variables, dark)
    if found := re.fullmatch(r"rgba?\(([^)]+)\)", text):
        *parts, alpha = [float(part) for part in re.split(r"[,\s/]+", found[1].strip())]
        return (*parts, alpha)
    if text in ("white", "black"):
        return (255.0,) * 3 if text == "white" else (0.0,) * 3
    digits = text.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    return tuple(float(int(digits[at : at + 2], 16)) for at in (0, 2, 4))


def over(ink: Rgb, ground: Rgb) -> Rgb:
    """Return the colour of something that is seen through."""
    *parts, alpha = ink if len(ink) == 4 else (*ink, 1.0)
    return tuple(alpha * a + (1 - alpha) * b for a, b in zip(parts, ground, strict=True))


def contrast(ink: Rgb, ground: Rgb) -> float:
    """Return the ratio of contrast of WCAG 2."""

    def luminance(rgb: Rgb) -> float:
        shares = [part / 255 for part in rgb]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(over(ink, ground)), luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", ["light", "dark", "none light", "none dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_every_pair_can_be_seen(page: str, ink: str, ground: str, least: float) -> None:
    found = contrast(colour(ink, page), colour(ground, page))
    assert found >= least, f"{ink} on {ground} has {found:.2f}"


def test_a_contrast_is_measured_as_it_should_be() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert contrast((0, 0, 0, 0.54), (255, 255, 255)) == pytest.approx(4.6, abs=0.05)


def test_every_colour_of_the_design_is_in_a_pair() -> None:
    used = {name for ink, ground, _ in PAIRS for name in (ink, ground)}
    colours = {name for name, text in DECLARED.items() if "#" in text}
    assert colours - used == set()


def test_a_view_names_no_colour_of_its_own() -> None:
    """But for the editor, which has Jupyter's colours, and icons, which Jupyter colours."""
    written = [*(LABEXTENSION / "src").rglob("*.ts"), *(LABEXTENSION / "style").glob("*.css")]
    literal = re.compile(r"(?<![\w&])#(?:[0-9a-f]{3}){1,2}\b(?!-)|\brgba?\(\s*\d", re.IGNORECASE)
    found = {
        path.name: matches
        for path in written
        if path.name not in ("design.css", "scales.ts", "icons.ts")
        and (matches := literal.findall(_without_editor(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def _without_editor(text: str) -> str:
    return re.sub(r"\.rnn-code-[^}]+\}", "", text)


def test_pictures_have_the_hues_of_the_page() -> None:
    light = [re.findall(r"#\w+", DECLARED[name])[0] for name in HUE_NAMES]
    assert list(HUES) == light
    assert re.findall(r"#\w+", DECLARED["good"])[0] == GOOD


@pytest.mark.parametrize("drawn", [*HUES, GOOD, INK])
def test_what_a_picture_draws_is_seen_on_a_light_and_on_a_dark_page(drawn: str) -> None:
    for page in ("light", "dark"):
        assert contrast(value(drawn, {}, False), colour("bg", page)) >= DRAWN, page


def test_what_a_picture_writes_is_read_on_a_light_page_and_on_a_dark_one_as_well_as_can_be() -> (
    None
):
    light, dark = (
        contrast(value(INK, {}, False), colour("bg", page)) for page in ("light", "dark")
    )
    assert light >= TEXT
    assert dark >= 0.9 * contrast(colour("bg", "light"), colour("bg", "dark")) / TEXT


def test_there_are_as_many_shapes_in_a_page_as_in_a_picture() -> None:
    source = (LABEXTENSION / "src/views/design/colours.ts").read_text(encoding="utf-8")
    (shapes,) = re.findall(r"export const SHAPES = \[(.*?)\]", source)
    assert len(set(shapes.split(", "))) == len(set(MARKERS))


@pytest.mark.parametrize(("name", "made"), [("SEQUENTIAL", SEQUENTIAL), ("DIVERGING", DIVERGING)])
def test_a_colour_means_the_same_in_a_picture(name: str, made: Colormap) -> None:
    source = (LABEXTENSION / "src/views/design/scales.ts").read_text(encoding="utf-8")
    (block,) = re.findall(rf"const {name}: Rgb\[\] = \[(.*?)\];", source, re.DOTALL)
    stops = [tuple(map(int, rgb)) for rgb in re.findall(r"\[(\d+), (\d+), (\d+)\]", block)]
    for place, stop in enumerate(stops):
        drawn = [255 * part for part in made(place / (len(stops) - 1))[:3]]
        assert drawn == pytest.approx(stop, abs=2)  # a map has 256 colours


def test_a_view_has_no_size_of_type_of_its_own() -> None:
    found = {
        path.name: sizes
        for path in (LABEXTENSION / "style").glob("*.css")
        if (sizes := re.findall(r"font-size: (?!var\(--(?:rnn|jp)-)[^;]+", path.read_text("utf-8")))
    }
    assert found == {}
