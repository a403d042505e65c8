/** Labelled fields: a choice, a number, a slider. */

import { element, shown } from './dom';

/** Return a labelled choice among names. */
export function choice(
  name: string,
  names: readonly string[],
  first: string,
  chosen: (name: string) => void
): HTMLLabelElement {
  const label = element('label', 'rnn-field', `${name} `);
  const select = label.appendChild(element('select'));
  select.append(...names.map(value => element('option', '', value)));
  select.value = first;
  select.addEventListener('change', () => {
    chosen(select.value);
  });
  return label;
}

/** Return a labelled whole number between bounds. */
export function count(
  name: string,
  [low, high]: [number, number],
  first: number,
  chosen: (value: number) => void
): HTMLLabelElement {
  const label = element('label', 'rnn-field', `${name} `);
  const input = label.appendChild(element('input'));
  input.type = 'number';
  [input.min, input.max, input.value] = [String(low), String(high), String(first)];
  input.addEventListener('change', () => {
    const value = Math.min(high, Math.max(low, Math.round(Number(input.value)) || low));
    input.value = String(value);
    chosen(value);
  });
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook takes letters for commands
  });
  return label;
}

/** Return a labelled slider, with its value beside it; `moved` is told of every value it passes. */
export function slider(
  name: string,
  [low, high]: [number, number],
  first: number,
  moved: (value: number) => void
): { label: HTMLLabelElement; set: (value: number, low?: number, high?: number) => void } {
  const label = element('label', 'rnn-field', `${name} `);
  const input = label.appendChild(element('input'));
  const value = label.appendChild(element('span', 'rnn-slider-value'));
  value.setAttribute('aria-hidden', 'true'); // the slider itself says it
  input.type = 'range';
  const set = (next: number, from = low, to = high): void => {
    [input.min, input.max, input.step] = [String(from), String(to), String((to - from) / 200)];
    input.value = String(next);
    value.textContent = shown(next);
  };
  input.addEventListener('input', () => {
    value.textContent = shown(Number(input.value));
    moved(Number(input.value));
  });
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook would go to another cell
  });
  set(first);
  return { label, set };
}
