/** One way a text goes on: each token on the colour of its surprise, what is written set off. */

import { bitsOf, ranked } from '../../model/decoding';
import type { Step } from '../../model/walk';
import { element, shown } from '../page/dom';
import { colouredText } from '../plots/coloured_text';
import { percent } from '../runs/words';
import { say } from '../text/say';
import { heading, visible } from '../text/visible';

const ALTERNATIVES = 5;
/** Where the scale of colours ends, in bits; what is more surprising is as dark. */
const DARKEST = 8;

export interface Branch {
  node: HTMLElement;
  /** Show the steps; `read` of them are the text, and those in which `other` differs are marked. */
  show(steps: readonly Step[], read: number, other: readonly Step[] | null): void;
  /** Say something in its place. */
  say(words: string): void;
}

export function branch(title: string, vocab: readonly string[], picked: (place: number) => void): Branch {
  const node = element('section', 'rnn-branch');
  const text = element('div');
  node.setAttribute('aria-label', title);
  node.append(element('div', 'rnn-part', title), text);
  return {
    node,
    show: (steps, read, other) => {
      const told = (place: number): string => {
        const { token, bits } = steps[place] as Step;
        const first = `${heading(vocab[token] ?? '')}: ${bits === null ? say('not predicted') : say('%1 bits', shown(bits))}`;
        const before = steps[place - 1];
        return before === undefined ? first : say('%1; expected %2', first, expected(before, vocab));
      };
      colouredText(
        text,
        {
          label: title,
          measure: say('surprise in bits'),
          scale: 'sequential',
          low: 0,
          high: DARKEST,
          tokens: steps.map(({ token }) => visible(vocab[token] ?? '')),
          values: steps.map(({ bits }) => bits ?? 0)
        },
        { tooltip: told, onPick: picked }
      );
      text.querySelectorAll('[role=option]').forEach((span, place) => {
        span.classList.toggle('rnn-written', place >= read);
        span.classList.toggle('rnn-differs', other !== null && other[place]?.token !== steps[place]?.token);
      });
    },
    say: words => {
      text.replaceChildren(element('div', 'rnn-told', words));
    }
  };
}

/** Return the likeliest tokens after a step, with their probabilities. */
function expected({ logits }: Step, vocab: readonly string[]): string {
  const bits = bitsOf(logits);
  return ranked(logits, ALTERNATIVES)
    .map(token => `${heading(vocab[token] ?? '')} ${percent(2 ** -(bits[token] ?? 0))}`)
    .join(', ');
}

/** Return in how many of the written tokens two branches differ, and where first, in words. */
export function difference(plain: readonly Step[], changed: readonly Step[], read: number): string {
  const differs = changed.flatMap(({ token }, place) => (plain[place]?.token === token ? [] : [place]));
  const written = changed.length - read;
  const [first] = differs;
  if (first === undefined) {
    return say('The change writes the same %1 tokens.', written);
  }
  return say('%1 of the %2 tokens written differ, from token %3 on.', differs.length, written, first - read + 1);
}
