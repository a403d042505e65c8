/**
 * The reader's prediction of the held-out perplexity: a line across the chart, moved by the pointer
 * or by keys until the held-out text is scored for the first time.
 */

import type { RunData } from '../../contract/run';
import { element, steady } from '../page/dom';
import type { YScale } from '../plots/chart';
import { say } from '../text/say';
import { perplexity } from './words';

/** By which factor a key moves the line. */
const KEYS: Partial<Record<string, number>> = {
  ArrowUp: 1.02,
  ArrowRight: 1.02,
  ArrowDown: 1 / 1.02,
  ArrowLeft: 1 / 1.02,
  PageUp: 1.2,
  PageDown: 1 / 1.2,
  Enter: 1
};
/** Of a chart without axes, in pixels: as much is free above and below. */
const FREE = 16;
/** `.rnn-chart` in style/plots.css has it, too. */
const HEIGHT = 236;
/** So close to the upper edge a label stands below its line. */
const LABEL = 24;

export interface PredictionLine {
  update(run: RunData): void;
  /** Put the line where its value is on the axis. */
  place(): void;
}

/**
 * Return the line of a chart in `host`; `send` takes the perplexity where it is left.
 *
 * It is beside the chart, not in it: a chart is a picture to a screen reader, the line a slider.
 */
export function predictionLine(
  host: HTMLElement,
  first: RunData,
  scale: () => YScale | null,
  send: (value: number) => void
): PredictionLine {
  let run = first;
  let left: number | null = null; // where the reader left it; the kernel may not know yet
  let moved: number | null = null; // where it is meanwhile
  const over = element('div', 'rnn-predict');
  const line = element('div', 'rnn-predict-line');
  const label = element('div', 'rnn-predict-label');
  line.tabIndex = 0;
  line.setAttribute('role', 'slider');
  line.setAttribute('aria-orientation', 'vertical');
  line.setAttribute('aria-label', say('your prediction of the held-out perplexity'));
  label.setAttribute('aria-hidden', 'true'); // the slider says it
  line.append(label);
  over.append(line);
  host.append(over);

  const value = (): number | null => moved ?? left ?? perplexity(run.predicted_nats);
  /** Before anything is predicted the line is half way between certainty and guessing. */
  const shownAt = (): number => value() ?? Math.sqrt(run.vocab_size);
  const place = (): void => {
    const on = scale() ?? emptyScale(host, run.vocab_size);
    const at = Math.min(on.bottom, Math.max(on.top, on.at(shownAt())));
    line.style.top = `${at}px`;
    line.style.left = `${on.left}px`;
    line.style.width = `${on.right - on.left}px`;
    label.toggleAttribute('data-below', at - on.top < LABEL);
    over.toggleAttribute('data-free', scale() === null);
  };
  const draw = (): void => {
    over.hidden = !run.may_predict;
    if (over.hidden) {
      [left, moved] = [null, null];
      return;
    }
    const now = value();
    const text = now === null ? say('your prediction? Drag it, or use the arrow keys') : say('your prediction: %1', steady(now));
    label.textContent = text;
    line.setAttribute('aria-valuemin', '1');
    line.setAttribute('aria-valuemax', String(run.vocab_size));
    line.setAttribute('aria-valuenow', String(rounded(shownAt())));
    line.setAttribute('aria-valuetext', now === null ? say('nothing predicted yet') : steady(now));
    place();
  };
  const leave = (at: number): void => {
    [left, moved] = [rounded(at), null];
    draw();
    send(left);
  };

  over.addEventListener('pointerdown', event => {
    over.setPointerCapture(event.pointerId);
    moved = pointed(event);
    event.preventDefault();
    line.focus();
    draw();
  });
  over.addEventListener('pointermove', event => {
    if (moved !== null) {
      moved = pointed(event);
      draw();
    }
  });
  over.addEventListener('pointerup', () => {
    if (moved !== null) {
      leave(moved);
    }
  });
  over.addEventListener('pointercancel', () => {
    moved = null;
    draw();
  });
  line.addEventListener('keydown', event => {
    const factor = KEYS[event.key];
    if (factor !== undefined) {
      leave(within(shownAt() * factor));
      event.preventDefault();
      event.stopPropagation(); // a notebook would go to another cell
    }
  });
  function within(at: number): number {
    return Math.min(run.vocab_size, Math.max(1, at));
  }
  function pointed(event: PointerEvent): number {
    const on = scale() ?? emptyScale(host, run.vocab_size);
    return within(on.of(event.clientY - host.getBoundingClientRect().top));
  }
  draw();
  return {
    update: next => {
      if (next.predicted_nats !== run.predicted_nats) {
        left = null; // the kernel knows it now
      }
      run = next;
      draw();
    },
    place: () => {
      if (!over.hidden) {
        place();
      }
    }
  };
}

/** The axis of a chart that has none yet: from a model that is always right to one that guesses. */
function emptyScale(host: HTMLElement, vocabSize: number): YScale {
  const above = host.querySelector<HTMLElement>('.rnn-chart')?.offsetTop ?? 0;
  const [top, bottom] = [above + FREE, above + HEIGHT - FREE];
  const most = Math.log(Math.max(2, vocabSize));
  return {
    at: value => bottom - ((bottom - top) * Math.log(value)) / most,
    of: pixels => Math.exp((most * (bottom - pixels)) / (bottom - top)),
    top,
    bottom,
    left: 0,
    right: host.clientWidth
  };
}

/** Three digits say enough of a guess. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
