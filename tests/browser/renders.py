"""Draws outputs in JupyterLab with the renderers that its extension has registered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.browser.mutants import SPELT

BATCH = 25
# Draw, let the frames pass, try every control, let a search settle, and press every button.
DRAW = (
    """async ([mime, payloads]) => {
  const spelt = """
    + SPELT
    + """;
  const { rendermime } = jupyterapp.shell.currentWidget.content;
  const frames = async () => {
    for (let i = 0; i < 2; i++) {
      await new Promise(requestAnimationFrame);
    }
  };
  const lines = [];
  const hear = event => lines.push(event.detail.text);
  document.addEventListener('rnn-magics:insert-cell', hear);
  const stage = document.createElement('div');
  stage.style.cssText = 'position:fixed;inset:0;overflow:auto;z-index:9999;background:#fff';
  document.body.append(stage);
  const drawn = payloads.map(text => {
    const data = { [mime]: JSON.parse(spelt(text)), 'text/plain': 'the words of it' };
    const begun = performance.now();
    const renderer = rendermime.createRenderer(mime);
    stage.append(renderer.node);
    const outcome = { renderer, said: '', seconds: 0 };
    try {
      renderer.renderModel(rendermime.createModel({ data, trusted: false }));
    } catch (error) {
      outcome.said = String(error);
    }
    outcome.seconds = (performance.now() - begun) / 1000;
    return outcome;
  });
  const begun = performance.now();
  await frames();
  const frame = (performance.now() - begun) / 1000;
  const act = (selector, kind, change) => {
    for (const node of stage.querySelectorAll(selector)) {
      change(node);
      node.dispatchEvent(kind);
    }
  };
  act('select', new Event('change'), node => { node.selectedIndex = node.options.length - 1; });
  act('input[type=range]', new Event('input'), node => { node.value = node.min; });
  act('input[type=number]', new Event('change'), node => { node.value = node.max; });
  const key = new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey: true, cancelable: true });
  act('canvas', key, () => undefined);
  act('.rnn-text [role=option]:first-child', new MouseEvent('click'), () => undefined);
  await new Promise(resolve => setTimeout(resolve, 300));
  act('button', new MouseEvent('click', { bubbles: true, composed: true }), () => undefined);
  await frames();
  const outcomes = drawn.map(({ renderer, said, seconds }) => {
    const { node } = renderer;
    const shown = node.isConnected && node.textContent.trim() !== '';
    const made = node.querySelector('script, img, iframe, object, embed, [onerror]');
    const refused = node.querySelector('.rnn-words') !== null;
    renderer.dispose();
    return { said: said || (made === null ? '' : made.outerHTML), shown, refused, seconds };
  });
  stage.remove();
  document.removeEventListener('rnn-magics:insert-cell', hear);
  return { outcomes, frame, lines, done: window.__done ?? null };
}"""
)


@dataclass
class Drawn:
    """What became of outputs that were drawn.

    Parameters
    ----------
    tried, refused
        How many, and for how many the words were shown instead.
    wrong
        What went wrong, with the payload.
    slow
        The longest that one took, in seconds.
    """

    tried: int = 0
    refused: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)
    slow: float = 0.0


def draw(page: Any, mime: str, payloads: list[Any], drawn: Drawn) -> None:
    """Draw payloads in the notebook that is open."""
    for begin in range(0, len(payloads), BATCH):
        texts = [json.dumps(payload) for payload in payloads[begin : begin + BATCH]]
        page.errors.clear()
        found = page.tab.evaluate(DRAW, [mime, texts])
        for text, outcome in zip(texts, found["outcomes"], strict=True):
            drawn.tried += 1
            drawn.refused += outcome["refused"]
            drawn.slow = max(drawn.slow, outcome["seconds"])
            if outcome["said"] or not outcome["shown"]:
                drawn.wrong.append((outcome["said"] or "nothing is shown", text))
        drawn.slow = max(drawn.slow, found["frame"] / len(texts))
        bad = [line for line in found["lines"] if len(line.splitlines()) != 1]
        # A page without a kernel says that it cannot find one; that is not ours.
        errors = [error for error in page.errors if "Failed to load resource" not in error]
        if bad or errors or found["done"] is not None:
            drawn.wrong.append((str([bad, errors, found["done"]])[:500], "\n".join(texts)))
