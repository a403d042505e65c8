/** Several runs side by side: a table of what differs and what was reached, and their curves. */

import type { ComparisonData, Group } from '../../contract/saved';
import { hue, shape } from '../design/colours';
import { copied } from '../page/clipboard';
import { element } from '../page/dom';
import { chart } from '../plots/chart';
import { link } from '../plots/link';
import { say } from '../text/say';
import { axisChoice, smoothingSlider } from './card';
import { Against, axesOf, normChart, perplexityChart } from './curves';
import { markdownOf } from './markdown';
import { button } from './steering';

/** What a cell of numbers looks like; numbers stand under each other. */
const NUMBER = /^[-+]?[\d.,]+(e[-+]?\d+)?$|^$|^inf$|^nan$/;

interface Look {
  against: Against;
  smoothing: number;
}

interface Part {
  node: HTMLElement;
  draw(look: Look): void;
  whole(): void;
  dispose(): void;
}

/** Draw compared runs; groups whose perplexities cannot be compared stand apart. */
export function comparison(host: HTMLElement, data: ComparisonData): () => void {
  const look: Look = { against: 'steps', smoothing: 0.02 };
  host.classList.add('rnn-view', 'rnn-several');
  host.setAttribute('role', 'group');
  host.setAttribute('aria-label', say('compared runs'));
  const parts = data.groups.map(group => groupPart(data, group, look));
  const draw = (): void => {
    for (const part of parts) {
      part.draw(look);
    }
  };
  const whole = (): void => {
    for (const part of parts) {
      part.whole();
    }
  };
  const told = element('div', 'rnn-told rnn-card-told');
  told.setAttribute('role', 'status');
  const tools = element('div', 'rnn-controls');
  tools.append(
    axisChoice(axesOf(data.groups.flatMap(({ runs }) => runs)), chosen => {
      look.against = chosen;
      whole();
      draw();
    }),
    smoothingSlider(share => {
      look.smoothing = share;
      draw();
    }),
    button(say('Whole run'), whole),
    button(say('Copy as Markdown'), () => {
      void copied(markdownOf(data)).then(done => {
        told.textContent = done
          ? say('The table is in the clipboard.')
          : say('This page may not copy. In Python: %1', 'comparison.to_markdown()');
      });
    })
  );
  host.append(tools, told);
  if (data.notes.length > 0) {
    const notes = element('ul', 'rnn-notes');
    notes.append(...data.notes.map(note => element('li', '', note)));
    host.append(notes);
  }
  host.append(...parts.map(({ node }) => node));
  return () => {
    for (const part of parts) {
      part.dispose();
    }
    host.replaceChildren();
  };
}

function groupPart(data: ComparisonData, group: Group, first: Look): Part {
  const { letter, basis, verdict, runs } = group;
  const node = element('section', 'rnn-group');
  const name = say('group %1', letter);
  if (data.groups.length > 1) {
    const head = element('div', 'rnn-group-head');
    head.append(element('span', 'rnn-head', letter), ` ${basis}`);
    node.append(head);
  }
  if (verdict !== '') {
    node.append(element('div', 'rnn-group-verdict', verdict));
  }
  const charts = element('div', 'rnn-charts');
  const [left, right] = [charts.appendChild(element('div')), charts.appendChild(element('div'))];
  node.append(table(data.head, group, name), charts);
  const forgetWidth = fitting(node);
  const linked = link();
  const perplexities = chart(left, perplexityChart(runs, first.against, first.smoothing), linked);
  const norms = chart(right, normChart(runs, first.against, first.smoothing), linked);
  return {
    node,
    draw: ({ against, smoothing }) => {
      perplexities.update(perplexityChart(runs, against, smoothing));
      norms.update(normChart(runs, against, smoothing));
    },
    whole: () => {
      linked.show(null);
    },
    dispose: () => {
      forgetWidth();
      perplexities.dispose();
      norms.dispose();
    }
  };
}

/** Where the table is wider than its group, each run becomes a block of named values. */
function fitting(node: HTMLElement): () => void {
  let known = -1;
  const fit = (): void => {
    const width = node.clientWidth;
    if (width !== known) {
      known = width;
      node.classList.remove('rnn-stacked');
      const needed = node.querySelector('table')?.offsetWidth ?? 0;
      node.classList.toggle('rnn-stacked', needed > width);
    }
  };
  const resized = new ResizeObserver(fit);
  resized.observe(node);
  return () => {
    resized.disconnect();
  };
}

/** Return the table of a group; each run stands beside its hue. */
function table(head: string[], { rows }: Group, name: string): HTMLTableElement {
  const made = element('table', 'rnn-table rnn-compared');
  made.createCaption().textContent = say('options that differ, and results, %1', name);
  made.caption?.classList.add('rnn-hidden');
  // The roles are said, since a table that is drawn as blocks has them no more in some browsers.
  made.setAttribute('role', 'table');
  const isNumber = head.map((_, at) => rows.every(row => NUMBER.test(row[at] ?? '')));
  const cell = (tag: 'th' | 'td', role: string, text: string, at: number): HTMLTableCellElement => {
    const one = element(tag, '', text);
    one.setAttribute('role', role);
    one.toggleAttribute('data-number', isNumber[at] ?? false);
    return one;
  };
  const line = (of: HTMLTableSectionElement): HTMLTableRowElement => {
    const one = of.insertRow();
    of.setAttribute('role', 'rowgroup');
    one.setAttribute('role', 'row');
    return one;
  };
  const words = headings();
  const names = head.map(text => words.get(text) ?? text);
  line(made.createTHead()).append(...names.map((text, at) => cell('th', 'columnheader', text, at)));
  const body = made.createTBody();
  rows.forEach((row, place) => {
    const [run = '', ...values] = row;
    const first = cell('th', 'rowheader', run, 0);
    first.style.setProperty('--rnn-line', hue(place));
    first.dataset['shape'] = shape(place);
    const others = values.map((text, at) => {
      const one = cell('td', 'cell', text, at + 1);
      one.dataset['name'] = names[at + 1];
      return one;
    });
    line(body).append(first, ...others);
  });
  return made;
}

/** Return the headings of results in the language of the page; those of options are code. */
function headings(): Map<string, string> {
  return new Map([
    ['run', say('run')],
    ['model', say('model')],
    ['parameters', say('parameters')],
    ['best held-out ppl', say('best held-out ppl')],
    ['after epoch', say('after epoch')],
    ['epochs trained', say('epochs trained')],
    ['train ppl', say('train ppl')],
    ['seconds', say('seconds')],
    ['tokens/s', say('tokens/s')],
    ['state', say('state')]
  ]);
}
