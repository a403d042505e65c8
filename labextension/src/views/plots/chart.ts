import uPlot from 'uplot';

import { ChartData } from '../../contract/chart';
import { element, onceAFrame, shown } from '../page/dom';
import { onTheme } from '../page/theme';
import { say } from '../text/say';
import { decimate } from './decimate';
import { LINES } from './scales';

/** More points than this are thinned before they are drawn. */
const POINTS = 2000;
const HEIGHT = 240;
/** A line of fewer points has them marked, so that one alone is seen. */
const MARKED = 60;

export interface ChartView {
  update(data: ChartData): void;
  dispose(): void;
}

/** Draw lines into `host`; calls of `update` are drawn at most once a frame. */
export function chart(host: HTMLElement, first: ChartData): ChartView {
  let data = first;
  let plot: uPlot | null = null;
  let form = '';
  const picture = element('div', 'rnn-chart');
  picture.setAttribute('role', 'img');
  picture.tabIndex = 0;
  const numbers = element('div', 'rnn-hidden');
  host.classList.add('rnn-view');
  host.append(picture, numbers);

  const draw = (): void => {
    const wanted = formOf(data);
    if (plot === null || wanted !== form) {
      plot?.destroy();
      form = wanted;
      plot = new uPlot(options(host, picture.clientWidth || 600, data), aligned(data), picture);
    } else {
      plot.setData(aligned(data));
    }
    tellNewest(plot);
    picture.setAttribute('aria-label', summary(data));
    numbers.replaceChildren(table(data));
  };
  const frame = onceAFrame(draw);
  const resized = new ResizeObserver(() => {
    if (picture.clientWidth > 0) {
      plot?.setSize({ width: picture.clientWidth, height: HEIGHT });
    }
  });
  resized.observe(picture);
  const forget = onTheme(host, () => {
    form = ''; // a plot keeps the colours that it was made with
    frame.ask();
  });
  frame.ask();
  return {
    update: next => {
      data = next;
      frame.ask();
    },
    dispose: () => {
      frame.cancel();
      resized.disconnect();
      forget();
      plot?.destroy();
      picture.remove();
      numbers.remove();
    }
  };
}

/** Let the legend tell the newest value of each line, unless the reader points at others. */
function tellNewest(plot: uPlot): void {
  if (plot.cursor.idx === null || plot.cursor.idx === undefined) {
    const newest = plot.data.map(values => values.findLastIndex(value => value !== null));
    plot.setLegend({ idxs: newest.map(place => (place < 0 ? null : place)) }, false);
  }
}

/** Return one line that tells the chart to those who do not see it. */
export function summary(data: ChartData): string {
  const lines = data.series.map(
    ({ label, values }) => `${label} ${shown(values.findLast(value => value !== null))}`
  );
  const levels = data.references.map(({ label, value }) => say('%1 at %2', label, shown(value)));
  const what = say('%1: %2 against %3', data.title, data.y_label, data.x_label);
  return [what, ...lines, ...levels].join('; ');
}

/** Everything that makes uPlot start anew when it changes. */
function formOf({ title, scale, x_label, y_label, series, references }: ChartData): string {
  const labels = series.map(({ label }) => label);
  return JSON.stringify([title, scale, x_label, y_label, labels, references]);
}

/** Return the rows as uPlot wants them; a log axis has no place for zero and below. */
function aligned({ x, series, references, scale }: ChartData): uPlot.AlignedData {
  const lines = series.map(({ values }) =>
    scale === 'log' ? values.map(value => (value !== null && value > 0 ? value : null)) : values
  );
  const rows = decimate(lines, x.length, POINTS);
  return [
    rows.map(row => x[row] ?? 0),
    ...lines.map(line => rows.map(row => line[row] ?? null)),
    ...references.map(({ value }) => rows.map(() => value))
  ];
}

function options(host: HTMLElement, width: number, data: ChartData): uPlot.Options {
  const style = getComputedStyle(host);
  const variable = (name: string, fallback: string): string =>
    style.getPropertyValue(name).trim() || fallback;
  const stroke = style.color || '#616161';
  const grid = { stroke: variable('--jp-border-color2', '#9e9e9e55'), width: 1 };
  const axis = (label: string): uPlot.Axis => ({ label, stroke, grid, ticks: grid });
  return {
    width,
    height: HEIGHT,
    title: data.title,
    // uPlot's enum has no values at run time.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
    scales: { x: { time: false }, y: { distr: data.scale === 'log' ? 3 : 1 } },
    axes: [axis(data.x_label), axis(data.y_label)],
    series: [
      { label: data.x_label, value: legible },
      ...data.series.map(({ label }, index) => ({
        label,
        stroke: LINES[index % LINES.length] ?? stroke,
        width: 2,
        spanGaps: true,
        value: legible,
        points: {
          size: 6,
          show: (plot: uPlot, line: number) =>
            (plot.data[line] ?? []).filter(value => value !== null).length <= MARKED
        }
      })),
      ...data.references.map(({ label }) => ({
        label,
        stroke,
        width: 1,
        dash: [6, 4],
        value: legible,
        points: { show: false }
      }))
    ]
  };
}

function legible(_plot: uPlot, value: number | null): string {
  return shown(value);
}

/** Return the newest numbers of each line as a table. */
function table({ title, x, series }: ChartData): HTMLTableElement {
  const made = element('table');
  made.createCaption().textContent = say('%1: %2 points', title, x.length);
  for (const { label, values } of series) {
    const known = values.filter(value => value !== null);
    const row = made.insertRow();
    row.append(element('th', '', label));
    const low = known.reduce((a, b) => Math.min(a, b), Infinity);
    const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
    const said = known.length
      ? say('last %1, least %2, greatest %3', shown(known.at(-1)), shown(low), shown(high))
      : say('no points yet');
    row.insertCell().textContent = said;
  }
  return made;
}
