"""Draw corrupted saved outputs in JupyterLab, and print the rows of the table.

    python benchmarks/torture/outputs.py [--quick]

Parts of each payload that a notebook keeps are changed (`tests/browser/mutants.py`), and the
renderer of the extension draws the result. Then every control of the view is used and every button
is pressed. This needs Chromium and the built extension; without them there are no rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import FLAGS, Page, serving  # noqa: E402
from tests.browser.mutants import mutants, originals  # noqa: E402
from tests.browser.renders import Drawn, draw  # noqa: E402

EACH = 10_000
SEED = 14
LIMIT = 1.0  # second, for one output


def tortured(chromium: str, count: int) -> list[Drawn]:
    """Draw `count` mutants of each payload."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only where there is one)

    found = []
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), "jupyterlab") as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for view, (mime, payload) in originals().items():
            page = Page(browser.new_page())
            page.tab.on("pageerror", lambda error, page=page: page.errors.append(str(error)))
            page.open(lab.write("torture.ipynb", "1"))
            begun, drawn = time.perf_counter(), Drawn()
            draw(page, mime, list(mutants(payload, count, SEED)), drawn)
            seconds = time.perf_counter() - begun
            print(f"# {view}: {seconds:.0f} s, {drawn.refused} in words", flush=True)
            for said, text in drawn.wrong:
                print(f"# {view}: {said}: {text[:2000]}", flush=True)
            found.append(drawn)
            page.tab.close()
        browser.close()
    return found


def main() -> None:
    """Draw the outputs and print the rows."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a hundredth of the counts")
    quick = options.parse_args().quick
    chromium = os.environ.get("RNN_MAGICS_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("# no Chromium on PATH: no outputs are drawn")
        return
    found = tortured(chromium, EACH // 100 if quick else EACH)
    tried = sum(drawn.tried for drawn in found)
    wrong = sum(len(drawn.wrong) for drawn in found)
    words = sum(drawn.refused for drawn in found)
    slow = max(drawn.slow for drawn in found)
    print("| what was done | times | held |")
    print("| --- | --- | --- |")
    print(
        f"| saved outputs spoilt, {len(found)} kinds: each is shown, nothing is run or thrown |"
        f" {tried:,} | {tried - wrong:,}; {words:,} of them as their words |"
    )
    in_time = sum(drawn.slow <= LIMIT for drawn in found)
    print(
        f"| the same: the slowest of each kind is drawn within {LIMIT:g} s | {len(found)} |"
        f" {in_time}; longest {slow:.2f} s |"
    )


if __name__ == "__main__":
    main()
