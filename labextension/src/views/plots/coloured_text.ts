import { element } from '../page/dom';
import { heading } from '../text/visible';
import { colour, css, ink, ScaleName, share } from '../design/scales';

export interface ColouredText {
  label: string;
  scale: ScaleName;
  low: number;
  high: number;
  tokens: string[];
  /** One value for each token. */
  values: number[];
}

export interface TextEvents {
  /** What the tooltip of a token says. */
  tooltip?: (index: number) => string;
  onPick?: (index: number) => void;
}

/** Write tokens into `host`, each on the colour of its value; arrow keys walk, Enter picks. */
export function colouredText(host: HTMLElement, data: ColouredText, events: TextEvents = {}): void {
  const list = element('div', 'rnn-text');
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', data.label);
  const spans = data.tokens.map((token, index) => span(token, data, index));
  spans.forEach((made, index) => {
    const show = (): void => {
      made.title = events.tooltip?.(index) ?? '';
    };
    made.addEventListener('pointerenter', show);
    made.addEventListener('focus', show);
    made.addEventListener('click', () => {
      pick(spans, index);
      events.onPick?.(index);
    });
    made.addEventListener('keydown', event => {
      walk(event, spans, index);
    });
  });
  spans.at(0)?.setAttribute('tabindex', '0');
  list.append(...spans);
  host.classList.add('rnn-view');
  host.replaceChildren(list);
}

function span(token: string, data: ColouredText, index: number): HTMLSpanElement {
  const made = element('span', '', token);
  const back = colour(data.scale, share(data.values[index] ?? data.low, data.low, data.high));
  made.style.backgroundColor = css(back);
  made.style.color = ink(back);
  made.tabIndex = -1;
  made.setAttribute('role', 'option');
  made.setAttribute('aria-selected', 'false');
  if (token.trim() === '') {
    made.setAttribute('aria-label', heading(token)); // a space alone is read as nothing
  }
  return made;
}

function pick(spans: HTMLSpanElement[], index: number): void {
  spans.forEach((made, at) => {
    made.setAttribute('aria-selected', String(at === index));
    made.tabIndex = at === index ? 0 : -1;
  });
}

function walk(event: KeyboardEvent, spans: HTMLSpanElement[], index: number): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step !== undefined) {
    event.preventDefault();
    spans[index + step]?.focus();
  } else if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    spans[index]?.click();
  }
}
