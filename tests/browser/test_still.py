"""Nothing jumps and nothing scrolls: heights are there from the first paint, at any width."""

from __future__ import annotations

from typing import Any

import pytest

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
RUN = "run = %train_rnn --cell gru --num-hiddens 32 --threads 1"
PATIENCE = 120_000
CARD = ".rnn-run-card"
# The heights of the last cell's outputs, frame by frame, as a reader sees them.
WATCH = """() => {
  const cell = [...document.querySelectorAll('.jp-CodeCell')].at(-1);
  window.__heights = [];
  const look = () => {
    const height = cell.querySelector('.jp-OutputArea')?.getBoundingClientRect().height ?? 0;
    if (window.__heights.at(-1) !== height) {
      window.__heights.push(height);
    }
    requestAnimationFrame(look);
  };
  look();
}"""
# Elements of ours that have something to scroll to, and a bar for it.
SCROLLING = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .flatMap(output => [output, ...output.querySelectorAll('*')])
  .filter(node => {
    const { overflowX, overflowY } = getComputedStyle(node);
    const scrolls = value => value === 'auto' || value === 'scroll';
    return (scrolls(overflowX) && node.scrollWidth > node.clientWidth + 1) ||
      (scrolls(overflowY) && node.scrollHeight > node.clientHeight + 1);
  })
  .map(node => node.outerHTML.slice(0, 200))"""
# What a page shifts from now on; what it did before may be told late.
SHIFTS = """() => {
  const begun = performance.now();
  window.__shifts = [];
  window.__observer?.disconnect();
  window.__observer = new PerformanceObserver(list => {
    for (const { startTime, value, sources } of list.getEntries()) {
      // In a cell, or with a cell in it: JupyterLab's notes at the corner and the words in its
      // status bar come and go, whoever points at what.
      const ours = sources.filter(({ node }) => {
        const at = node?.closest ? node : node?.parentElement;
        return at?.closest('.jp-Cell') || at?.querySelector('.jp-Cell');
      });
      if (startTime >= begun && ours.length > 0) {
        const moved = ours.map(({ node }) => node?.outerHTML ?? node?.textContent ?? '');
        window.__shifts.push([value, moved.map(text => text.slice(0, 160))]);
      }
    }
  });
  window.__observer.observe({ type: 'layout-shift' });
}"""
WIDTHS = (600, 700, 1000, 1400, 2000)


def hover(page: Any, selector: str) -> None:
    """Go over a view from left to right and from top to bottom."""
    box = page.tab.locator(selector).first.bounding_box()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        page.tab.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        page.tab.evaluate("() => new Promise(requestAnimationFrame)")
    page.tab.mouse.move(0, 0)


def pointed_at_in_both(page: Any) -> None:
    """See that the cursor of one chart is that of the other."""
    over = page.tab.locator(f"{CARD} .u-over").first
    over.scroll_into_view_if_needed()
    over.hover()
    page.tab.wait_for_function(
        """() => {
          const told = [...document.querySelectorAll('.rnn-run-card .rnn-legend-at')];
          // Of the nearest points of each: they are not at the same steps.
          const [left, right] = told.map(node => Number(node.textContent.replace(/[^0-9]/g, '')));
          return left > 0 && Math.abs(left - right) <= 16;
        }"""
    )
    page.tab.mouse.move(0, 0)


def settled(page: Any) -> None:
    """Wait until charts have followed the width of the page."""
    for _ in range(3):
        page.tab.evaluate("() => new Promise(requestAnimationFrame)")


@pytest.mark.parametrize("width", [700, 1400])
def test_a_run_changes_the_height_of_its_cell_at_most_twice(
    lab: Any, page: Any, width: int
) -> None:
    page.tab.set_viewport_size({"width": width, "height": 1300})
    page.open(lab.write(f"still-{width}.ipynb", CORPUS, f"{RUN} --epochs 3"))
    page.tab.evaluate(WATCH)
    page.run("notebook:run-all-cells")
    page.tab.wait_for_selector(f".rnn-saved{CARD} canvas", timeout=PATIENCE)
    page.idle()
    page.tab.wait_for_function(
        "() => document.querySelector('.rnn-verdict')?.textContent.includes('gram')",
        timeout=PATIENCE,
    )
    settled(page)
    page.screenshot(f"still-{width}")
    first, *changes = page.tab.evaluate("() => window.__heights")
    assert first == 0
    assert len(changes) <= 2, changes
    assert changes[-1] > 400


TABLES = "%rnn\n%rnn doctor\n%baseline --order 1-4\n%evaluate_rnn\n%rnn compare"
VIEWS = [
    *(f'%inspect_rnn {view} "the time of day"' for view in ("hidden", "gates", "surprise", "play")),
    *(f"%inspect_rnn {view}" for view in ("batches", "units", "ablate", "probe")),
    *(f'%generate "the " --length 60{option}' for option in ("", " --surprise", " --novelty")),
    '%generate "the " --length 60 --num 3',
    "%vocab --zipf",
]


def test_nothing_scrolls_beside_an_open_side_panel(lab: Any, page: Any) -> None:
    cells = [f"{RUN} --epochs 2", *TABLES.split("\n"), *VIEWS, "%rnn_lab"]
    page.tab.set_viewport_size({"width": 1000, "height": 9000})  # every cell is drawn
    page.run_all(lab.write("narrow.ipynb", CORPUS, *cells))
    last = page.tab.locator(".jp-CodeCell").last
    last.locator(".rnn-step").first.wait_for(timeout=PATIENCE)
    assert page.tab.locator(".jp-OutputArea-output").count() >= len(cells)
    for width in WIDTHS:
        page.tab.set_viewport_size({"width": width, "height": 9000})
        settled(page)
        assert page.tab.evaluate(SCROLLING) == [], f"at {width} pixels"
    assert page.errors == []


def test_hovering_moves_nothing_and_nothing_scrolls_at_any_width(lab: Any, page: Any) -> None:
    inspected = "\n".join(
        f'%inspect_rnn {view} "the time of day, and what was said of it by those who came"'
        for view in ("hidden", "gates", "surprise", "gradient")
    )
    page.run_all(lab.write("hovered.ipynb", CORPUS, f"{RUN} --epochs 2", inspected))
    page.tab.wait_for_selector(f".rnn-saved{CARD} canvas", timeout=PATIENCE)
    page.tab.wait_for_function(
        "() => document.querySelectorAll('.rnn-inspection').length === 4", timeout=PATIENCE
    )
    page.run("application:toggle-left-area")
    page.tab.locator(f"{CARD} .rnn-details summary").click()
    for width in WIDTHS:
        page.tab.set_viewport_size({"width": width, "height": 1300})
        settled(page)
        assert page.tab.evaluate(SCROLLING) == [], f"at {width} pixels"
    page.tab.set_viewport_size({"width": 1000, "height": 1300})
    settled(page)
    pointed_at_in_both(page)
    for selector in (f"{CARD} .rnn-chart", CARD, ".rnn-heatmap", ".rnn-text"):
        page.tab.locator(selector).first.scroll_into_view_if_needed()
        settled(page)
        page.tab.evaluate(SHIFTS)
        hover(page, selector)
        assert page.tab.evaluate("() => window.__shifts") == [], selector
    assert page.errors == []
