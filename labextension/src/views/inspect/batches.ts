import { Batches } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element } from '../page/dom';
import { hue } from '../design/colours';
import { heading } from '../text/visible';
import { redrawn } from '../look/about';
import { table } from '../plots/table';
import { say } from '../text/say';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 900;
const ROW = 22;
const TOP = 18;

/** Where the windows of the first minibatches stand in the text, and where the state goes on. */
export const batches = redrawn<Batches>((host, data) => {
  captioned(host)(data);
  host.append(
    schematic(data),
    element(
      'div',
      'rnn-part',
      say(
        'Where they stand in the text: each line is a minibatch, each colour a row; offset %1, %2 tokens left over',
        data.offset,
        data.left_over
      )
    ),
    picture(data),
    element('div', 'rnn-hidden')
  );
  host.lastElementChild?.append(
    table(
      [say('minibatch'), say('windows begin at')],
      data.starts.map((starts, at) => [String(at + 1), starts.join(', ')])
    )
  );
});

/** X over Y for the first windows, minibatch by minibatch, and the state that each begins with. */
function schematic({ windows, num_steps, arrows }: Batches): HTMLElement {
  const grid = element('div', 'rnn-schematic');
  const rows = windows[0]?.length ?? 0;
  grid.style.gridTemplateColumns = `auto repeat(${windows.length}, auto minmax(0, 1fr))`;
  const head = [element('span'), ...windows.flatMap((_, at) => [element('span'), told(say('minibatch %1', at))])];
  for (const name of head) {
    name.classList.add('rnn-schematic-head');
  }
  grid.append(...head);
  const isCarried = (to: number, next: number): boolean =>
    arrows.some(([, , minibatch, row]) => minibatch === to && row === next);
  for (let row = 0; row < rows; row++) {
    grid.append(told('X\nY'));
    windows.forEach((window, at) => {
      grid.append(
        before(isCarried(at, row), row),
        xOverY(window[row] ?? [], num_steps, hue(row))
      );
      grid.lastElementChild?.setAttribute('title', say('minibatch %1', at));
    });
  }
  const part = element('div', 'rnn-schematic-part');
  part.append(grid);
  return part;
}

function told(words: string): HTMLElement {
  return element('span', 'rnn-schematic-told', words);
}

function before(isCarried: boolean, row: number): HTMLElement {
  const made = element('span', isCarried ? 'rnn-carried' : 'rnn-zero', isCarried ? '' : '0');
  made.title = isCarried ? say('the state goes on') : say('the state starts anew');
  made.style.color = isCarried ? hue(row) : '';
  return made;
}

function xOverY(tokens: string[], steps: number, colour: string): HTMLElement {
  const box = element('span', 'rnn-window');
  box.style.borderColor = colour;
  const more = tokens.length - 1 < steps ? ['…'] : [];
  box.style.gridTemplateColumns = `repeat(${Math.max(1, tokens.length - 1 + more.length)}, minmax(0, 1fr))`;
  for (const line of [tokens.slice(0, -1), tokens.slice(1)]) {
    box.append(...[...line.map(heading), ...more].map(token => element('span', '', token)));
  }
  return box;
}

function picture(data: Batches): SVGSVGElement {
  const height = TOP + data.starts.length * ROW + 6;
  const svg = make('svg', { viewBox: `0 0 ${WIDTH} ${height}`, class: 'rnn-windows', role: 'img' });
  svg.setAttribute('aria-label', say('windows of the minibatches along the text'));
  const x = (token: number): number => (token / Math.max(data.num_tokens, 1)) * WIDTH;
  const y = (minibatch: number): number => TOP + minibatch * ROW;
  svg.append(make('rect', { x: '0', y: '6', width: String(WIDTH), height: '3', fill: 'currentcolor' }));
  data.starts.forEach((starts, minibatch) => {
    starts.forEach((start, row) => {
      const window = make('rect', {
        x: String(x(start)),
        y: String(y(minibatch)),
        width: String(Math.max(1.5, x(data.num_steps) - 0.5)),
        height: String(ROW - 8),
        style: `fill: ${hue(row)}`
      });
      const told = make('title', {});
      const [number, place, last] = [minibatch + 1, row + 1, start + data.num_steps - 1];
      told.textContent = say('minibatch %1, row %2: tokens %3 to %4', number, place, start, last);
      window.append(told);
      svg.append(window);
    });
  });
  for (const [from = 0, row = 0, to = 0, next = 0] of data.arrows) {
    const begin = x((data.starts[from]?.[row] ?? 0) + data.num_steps);
    const end = x(data.starts[to]?.[next] ?? 0);
    const path = `M ${begin} ${y(from) + ROW - 8} L ${end} ${y(to)}`;
    svg.append(make('path', { d: path, style: `stroke: ${hue(row)}`, 'stroke-width': '1.5', fill: 'none' }));
  }
  return svg;
}

function make<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string>
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  return made;
}
