"""Take the pictures of the READMEs: JupyterLab in Chromium, with runs that are trained for them.

    python -m tools.pictures [--quick] [NAME ...]

Writes docs/images/NAME.png, all by default; with ``--quick``, which hardly trains, the same into
artefacts/, to see how they look. It needs a Chromium, as the browser tests do, and about
six minutes on two quiet CPU cores. Every picture is what a reader gets who types the lines of
`CELLS`. The text is the standard library of the Python that runs this.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARTEFACTS, FLAGS, ROOT, Page, serving

IMAGES = ROOT / "docs" / "images"
QUICK = {"--epochs 4": "--max-tokens 300000", "2000000": "60000"}
WIDTH, HEIGHT = 1240, 9000  # of the window, high enough that every cell is drawn
SCALE = 2  # pixels of a picture for one of the page
MOST_BYTES = 250_000
PATIENCE = 1_800_000  # milliseconds
SHORT = "%train_rnn --num-hiddens 128 --max-tokens 2000000 --clip 1"
CELLS = {
    "prepare": "%load_ext rnn_magics\n%corpus python_source\n%vocab\n"
    "%sample seq --batch-size 32 --num-steps 64",
    "dashboard": "run = %train_rnn --cell lstm --num-hiddens 256 --epochs 4 --clip 1",
    "generate": '%generate "    def __init__(self, name" --length 500 --temperature 0.5 --surprise',
    "inspect": "%inspect_rnn hidden \"        raise ValueError('the name of a class')\"",
    "play": '%inspect_rnn play "    def close(self"',
    "train": f"%%capture\n{SHORT} --cell rnn --name rnn\n{SHORT} --cell gru --name gru\n"
    f"{SHORT} --cell lstm --name lstm",
    "compare": "%rnn compare rnn gru lstm",
    "lab": "%rnn_lab",
}


def shrunk(picture: bytes) -> bytes:
    """Return a PNG of the same pixels in fewer bytes; if they are too many, with fewer colours."""
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    for image in (whole, whole.quantize(256, dither=Image.Dither.NONE)):
        written = io.BytesIO()
        image.save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()


def cell(page: Page, name: str) -> Any:
    """Return a cell of the notebook, with its line and what it shows."""
    return page.tab.locator(".jp-CodeCell").nth(list(CELLS).index(name))


def changed(page: Page) -> Any:
    """Hold a unit at its highest value and see what is written instead."""
    found = cell(page, "play")
    found.locator(".rnn-heatmap canvas").click(position={"x": 300, "y": 30})
    slider = found.locator(".rnn-editor input[type=range]")
    slider.evaluate("node => { node.value = node.max; node.dispatchEvent(new Event('input')); }")
    found.locator(".rnn-branch").nth(1).locator("[role=listbox]").wait_for()
    return found


def read(page: Page) -> Any:
    """Read a text in the panel."""
    found = cell(page, "lab")
    found.locator(".rnn-step").first.click()  # folded, since the session has a text
    found.get_by_label("Text", exact=True).fill("python_source")
    found.get_by_label("Text", exact=True).press("Tab")
    found.get_by_role("button", name="Read the text", exact=True).click()
    found.locator(".rnn-step[data-done=true]").first.wait_for(timeout=PATIENCE)
    return found


# What is done before a picture is taken; it returns what is seen on it.
PICTURES: dict[str, Callable[[Page], Any]] = {
    "dashboard": lambda page: cell(page, "dashboard"),
    "generate": lambda page: cell(page, "generate"),
    "inspect": lambda page: cell(page, "inspect"),
    "play": changed,
    "compare": lambda page: cell(page, "compare"),
    "lab": read,
}


def take(page: Page, names: list[str], folder: Path) -> None:
    """Take pictures of a notebook that has run."""
    for name in names:
        what = PICTURES[name](page)
        page.tab.mouse.move(0, 0)
        page.tab.wait_for_timeout(500)  # what was pointed at is told for a moment
        written = shrunk(what.screenshot())
        if len(written) > MOST_BYTES:
            sys.exit(f"{name}: {len(written):,} bytes are more than {MOST_BYTES:,}")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(written)
        print(f"{folder.name}/{name}.png: {len(written):,} bytes", flush=True)


def main(names: list[str], *, is_quick: bool) -> None:
    """Take the named pictures, or all."""
    if unknown := set(names) - set(PICTURES):
        sys.exit(f"no picture is called {', '.join(sorted(unknown))}; known: {', '.join(PICTURES)}")
    chromium = os.environ.get("RNN_MAGICS_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium on PATH; install one or name it in RNN_MAGICS_CHROMIUM")
    home = Path(tempfile.mkdtemp())
    with serving(home, "jupyterlab") as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
        )
        page = Page(context.new_page())
        lines = "\0".join(CELLS.values())
        for long, short in QUICK.items() if is_quick else ():
            lines = lines.replace(long, short)
        page.open(lab.write("pictures.ipynb", *lines.split("\0")))
        page.run("application:toggle-left-area")
        page.run("notebook:run-all-cells")
        last = cell(page, list(CELLS)[-1])
        last.locator(".rnn-step").first.wait_for(timeout=PATIENCE)
        take(page, names or list(PICTURES), ARTEFACTS if is_quick else IMAGES)
        browser.close()
    shutil.rmtree(home)


if __name__ == "__main__":
    given = sys.argv[1:]
    main([name for name in given if name != "--quick"], is_quick="--quick" in given)
