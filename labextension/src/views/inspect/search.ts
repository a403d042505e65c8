/** Similar places in the corpus, found by the kernel for tokens that a reader chooses. */

import { ContractError } from '../../contract/check';
import { inspection } from '../../contract/inspection';
import { element, shown } from '../page/dom';
import { MagicLine, magicLine } from '../text/line';
import { visible } from '../text/visible';
import type { About } from '../look/about';
import { excerpt, lineButton } from '../look/parts';
import { marked, say } from '../text/say';

/** How long a choice by keyboard must stay as it is before it is searched for. */
const SETTLED = 250;
/** How long the kernel may take before the reader is told. */
const PATIENCE = 1500;
const NO_KERNEL = marked('No kernel can search from here; this line does:');
const NO_ANSWER = marked(
  'The kernel has not answered yet: it is busy, or does not know this view. This line does the same:'
);

export interface Finder {
  /** Look for places that are like tokens [first, last) in a layer. */
  find(first: number, last: number, layer: number): void;
  /** Look again, for another epoch is shown. */
  again(): void;
  dispose(): void;
}

/** Return what searches, and shows what it finds in `host`. */
export function finder(
  host: HTMLElement,
  { origin, epoch, ask }: About<unknown>,
  tokens: () => readonly string[]
): Finder {
  const status = element('div', 'rnn-status');
  status.setAttribute('role', 'status');
  const found = element('div');
  host.append(status, found);
  let wanted: [number, number, number] | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const search = (first: number, last: number, layer: number): void => {
    asked += 1;
    const number = asked;
    const line = lineFor(origin, first, last, layer);
    const instead = (words: string): void => {
      if (number === asked) {
        status.textContent = words;
        found.replaceChildren(lineButton(say('Insert as cell'), line));
      }
    };
    const answer = ask({ first, last, layer, epoch: epoch() });
    if (answer === null) {
      instead(say(NO_KERNEL));
      return;
    }
    status.textContent = say('searching …');
    const late = setTimeout(instead, PATIENCE, say(NO_ANSWER));
    const show = (reply: unknown): void => {
      clearTimeout(late);
      if (number !== asked) {
        return; // something else was chosen meanwhile
      }
      const [words, list] = read(reply);
      status.textContent = words;
      found.replaceChildren(...(list === null ? [lineButton(say('Insert as cell'), line)] : [list]));
    };
    answer.then(show, () => {
      show(null);
    });
  };
  const soon = (): void => {
    clearTimeout(timer);
    if (wanted === null) {
      return;
    }
    const [first, last, layer] = wanted;
    const span = tokens().slice(first, last).map(visible).join('');
    status.textContent = say('tokens %1 to %2: %3', first, last - 1, span);
    found.replaceChildren();
    asked += 1; // what is under way is not wanted any more
    timer = setTimeout(search, SETTLED, first, last, layer);
  };
  return {
    find: (...question) => {
      wanted = question;
      soon();
    },
    again: soon,
    dispose: () => {
      clearTimeout(timer);
      asked += 1;
    }
  };
}

/** Return places with their similarity and surroundings, as a list. */
export function places(
  matches: { tokens: string[]; focus: number[]; similarity: number | null; start: number }[]
): HTMLElement {
  const list = element('ol', 'rnn-places');
  list.setAttribute('aria-label', say('similar places, the most similar first'));
  list.append(
    ...matches.map(({ tokens, focus, similarity, start }) => {
      const item = element('li', 'rnn-place');
      const at = start + (focus[0] ?? 0);
      const where = say('%1 at %2', shown(similarity), at);
      item.append(element('span', 'rnn-where', where), ...excerpt(tokens, focus));
      return item;
    })
  );
  return list;
}

/** Return how many units, in words. */
export function units(number: number): string {
  return number === 1 ? say('1 unit') : say('%1 units', number);
}

function read(reply: unknown): [string, HTMLElement | null] {
  const { data, said } = (reply ?? {}) as { data?: unknown; said?: unknown };
  if (typeof said === 'string') {
    return [said, null];
  }
  try {
    const match = inspection(data, 'data');
    if (match.view === 'match') {
      const [first = 0, last = 0] = match.span;
      const words = say(
        '%1 places like “%2”: %3 of layer %4, %5 tokens searched',
        match.matches.length,
        match.tokens.slice(first, last).map(visible).join(''),
        units(match.units.length),
        match.layer,
        match.searched.toLocaleString('en')
      );
      return [words, places(match.matches)];
    }
  } catch (error) {
    if (!(error instanceof ContractError)) {
      throw error;
    }
  }
  return [say('The kernel gave no answer that this page knows. This line does the same:'), null];
}

function lineFor(
  { text, run, folder }: About<unknown>['origin'],
  first: number,
  last: number,
  layer: number
): MagicLine | null {
  const span = `${first}:${last}`;
  if (folder !== '') {
    return magicLine`%inspect_rnn match ${text} --span ${span} --layer ${layer} --epochs ${folder}`;
  }
  return run === ''
    ? magicLine`%inspect_rnn match ${text} --span ${span} --layer ${layer}`
    : magicLine`%inspect_rnn match ${text} --span ${span} --layer ${layer} --run ${run}`;
}
