import { Batches } from '../../contract/inspection';
import { element } from '../page/dom';
import { hue } from '../design/colours';
import { redrawn } from './about';
import { table } from '../plots/table';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 900;
const ROW = 22;
const TOP = 18;

/** Where the windows of the first minibatches stand in the text, and where the state goes on. */
export const batches = redrawn<Batches>((host, data) => {
  host.append(
    element(
      'div',
      '',
      `${data.batching}: ${data.num_batches} minibatches in the epoch, offset ${data.offset}, ` +
        `${data.left_over} tokens left over; each line is a minibatch, each colour a row` +
        (data.arrows.length ? ', and arrows carry the state' : '')
    ),
    picture(data),
    element('div', 'rnn-hidden')
  );
  host.lastElementChild?.append(
    table(
      ['minibatch', 'windows begin at'],
      data.starts.map((starts, at) => [String(at + 1), starts.join(', ')])
    )
  );
});

function picture(data: Batches): SVGSVGElement {
  const height = TOP + data.starts.length * ROW + 6;
  const svg = make('svg', { viewBox: `0 0 ${WIDTH} ${height}`, class: 'rnn-windows', role: 'img' });
  svg.setAttribute('aria-label', 'windows of the minibatches along the text');
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
      told.textContent = `minibatch ${minibatch + 1}, row ${row + 1}: tokens ${start} to ${start + data.num_steps - 1}`;
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
