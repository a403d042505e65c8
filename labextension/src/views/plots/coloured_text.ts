import { element } from '../page/dom';
import { colour, css, ink, ScaleName, share } from '../design/scales';
import { heading, isSpaced } from '../text/visible';
import { scaleBar } from './legend';

export interface ColouredText {
  label: string;
  /** What is measured; a bar of colours says so. */
  measure?: string;
  scale: ScaleName;
  low: number;
  high: number;
  tokens: string[];
  /** One value for each token. */
  values: number[];
}

export interface TextEvents {
  /** What is told of a token, right below it. */
  tooltip?: (index: number) => string;
  onPick?: (index: number) => void;
}

/** Write tokens into `host`, each on the colour of its value; arrow keys walk, Enter picks. */
export function colouredText(host: HTMLElement, data: ColouredText, events: TextEvents = {}): void {
  const list = element('div', isSpaced(data.tokens) ? 'rnn-text rnn-spaced' : 'rnn-text');
  const tip = element('div', 'rnn-tip');
  tip.setAttribute('aria-live', 'polite');
  const hide = (): void => {
    tip.textContent = '';
  };
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', data.label);
  const spans = data.tokens.map((token, index) => span(token, data, index));
  spans.forEach((made, index) => {
    const show = (): void => {
      tip.textContent = events.tooltip?.(index) ?? '';
      const left = Math.max(0, Math.min(made.offsetLeft, list.clientWidth - tip.offsetWidth));
      const top = made.offsetTop + made.offsetHeight + 2;
      tip.style.transform = `translate(${left}px, ${top}px)`; // which shifts no layout
    };
    made.addEventListener('pointerenter', show);
    made.addEventListener('focus', show);
    made.addEventListener('blur', hide);
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
  list.addEventListener('pointerleave', hide);
  const box = element('div', 'rnn-told-text');
  box.append(list, tip);
  host.classList.add('rnn-view');
  const { measure } = data;
  host.replaceChildren(...(measure === undefined ? [] : [scaleBar({ ...data, measure })]), box);
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
