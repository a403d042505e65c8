import uPlot from 'uplot';

import { faint, Inks, inks } from '../design/colours';
import { element, onceAFrame, shown } from '../page/dom';
import { onTheme } from '../page/theme';
import { say } from '../text/say';
import { fitted, linearTicks, logTicks, moved } from './axis';
import { decimate } from './decimate';
import { Drawing, rowsOf } from './drawing';
import { legend } from './legend';
import { Link, link } from './link';
import { drawMarks, HEADROOM, roomForLevels } from './marks';

/** More points than this are thinned before they are drawn. */
const POINTS = 2000;
/** `.rnn-chart` in style/plots.css has it, too: the room is there before the chart. */
const HEIGHT = 236;
/** A line of fewer points has them marked, so that one alone is seen. */
const MARKED = 60;
/** How far a key moves or zooms, as a share of what is shown. */
const KEYS: Partial<Record<string, [move: number, grow: number]>> = {
  ArrowLeft: [-0.25, 1],
  ArrowRight: [0.25, 1],
  '+': [0, 0.5],
  '-': [0, 2]
};

/** The y axis as it is drawn, in pixels below the top of the host and right of its left edge. */
export interface YScale {
  at(value: number): number;
  of(pixels: number): number;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface ChartView {
  update(data: Drawing): void;
  /** null while nothing is drawn. */
  scale(): YScale | null;
  dispose(): void;
}

/**
 * Draw lines into `host`; calls of `update` are drawn at most once a frame.
 *
 * Dragging over it shows a part, a double click all; + and -, the arrow keys and 0 do the same.
 * `drawn` is called after each drawing.
 */
export function chart(
  host: HTMLElement,
  first: Drawing,
  linked: Link = link(),
  drawn: () => void = () => undefined
): ChartView {
  let data = first;
  let plot: uPlot | null = null;
  let form = '';
  const picture = element('div', 'rnn-chart');
  picture.setAttribute('role', 'img');
  picture.tabIndex = 0;
  const key = legend();
  const waits = element('div', 'rnn-chart-wait');
  const numbers = element('div', 'rnn-hidden');
  host.classList.add('rnn-view');
  picture.append(waits);
  host.append(key.node, picture, numbers);

  const tell = (): void => {
    const lines = data.series.filter(({ faint }) => !faint).map(({ label }) => label);
    const place = plot?.cursor.idx ?? null;
    const x = place === null ? null : (plot?.data[0][place] ?? null);
    key.tell(
      lines.map(label => {
        const line = data.series.find(series => series.label === label);
        const row = x === null ? data.x.length - 1 : data.x.findLastIndex(value => value <= x);
        return line?.values.slice(0, row + 1).findLast(value => value !== null) ?? null;
      }),
      x === null ? '' : `${data.x_label} ${axisText(x)}`
    );
  };
  const draw = (): void => {
    const wanted = formOf(data);
    const rows = aligned(data);
    if (data.x.length === 0) {
      plot?.destroy(); // axes without a line would say something
      [plot, form] = [null, ''];
      key.name(data);
    } else if (plot === null || wanted !== form) {
      plot?.destroy();
      form = wanted;
      key.name(data);
      const width = picture.clientWidth || 600;
      plot = new uPlot(options(host, width, () => data, linked, tell), rows, picture);
    } else {
      plot.setData(rows, linked.zoom === null);
    }
    if (linked.zoom !== null) {
      plot?.setScale('x', { min: linked.zoom[0], max: linked.zoom[1] });
    }
    tell();
    waits.textContent = data.x.length === 0 ? (data.waits ?? '') : '';
    picture.setAttribute('aria-label', summary(data));
    numbers.replaceChildren(table(data));
    drawn();
  };
  const frame = onceAFrame(draw);
  const forgetZoom = linked.follow(frame.ask);
  const resized = new ResizeObserver(() => {
    if (picture.clientWidth > 0) {
      plot?.setSize({ width: picture.clientWidth, height: HEIGHT });
      drawn();
    }
  });
  resized.observe(picture);
  picture.addEventListener('dblclick', () => {
    linked.show(null);
  });
  picture.addEventListener('keydown', event => {
    const seen = plot?.scales['x'];
    const [move, grow] = KEYS[event.key] ?? [0, 0];
    if (event.key === '0') {
      linked.show(null);
    } else if (grow > 0 && seen?.min !== undefined && seen.max !== undefined) {
      linked.show(moved([seen.min, seen.max], move, grow, data.x));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // a notebook would go to another cell
  });
  const forgetTheme = onTheme(host, () => {
    form = ''; // a plot keeps the colours that it was made with
    frame.ask();
  });
  frame.ask();
  return {
    update: next => {
      data = next;
      frame.ask();
    },
    scale: () => (plot === null ? null : scaleOf(plot, host)),
    dispose: () => {
      frame.cancel();
      resized.disconnect();
      forgetTheme();
      forgetZoom();
      plot?.destroy();
      for (const node of [key.node, picture, numbers]) {
        node.remove();
      }
    }
  };
}

function scaleOf(plot: uPlot, host: HTMLElement): YScale {
  const [over, around] = [plot.over.getBoundingClientRect(), host.getBoundingClientRect()];
  const top = over.top - around.top;
  return {
    at: value => top + plot.valToPos(value, 'y'),
    of: pixels => plot.posToVal(pixels - top, 'y'),
    top,
    bottom: over.bottom - around.top,
    left: over.left - around.left,
    right: over.right - around.left
  };
}

/** Return one line that tells the chart to those who do not see it. */
export function summary(data: Drawing): string {
  const lines = data.series
    .filter(({ faint }) => !faint)
    .map(({ label, values }) => `${label} ${shown(values.findLast(value => value !== null))}`);
  const levels = data.references.map(({ label, value }) => say('%1 at %2', label, shown(value)));
  const what = say('%1: %2 against %3', data.title, data.y_label, data.x_label);
  const moments = (data.moments ?? []).map(({ label }) => label);
  const best = data.best ? [data.best.label] : [];
  return [what, ...lines, ...levels, ...best, ...moments].join('; ');
}

/** Everything that makes uPlot start anew when it changes. */
function formOf({ title, scale, x_label, y_label, series, references, envelope }: Drawing): string {
  const lines = series.map(({ label, hue, dashed, faint }) => [label, hue, dashed, faint]);
  return JSON.stringify([title, scale, x_label, y_label, lines, references, envelope?.hue]);
}

/** Return the rows as uPlot wants them; a log axis has no place for zero and below. */
function aligned(data: Drawing): uPlot.AlignedData {
  const { x, scale } = data;
  const lines = rowsOf(data).map(values =>
    scale === 'log' ? values.map(value => (value !== null && value > 0 ? value : null)) : values
  );
  const rows = decimate(lines, x.length, POINTS);
  return [rows.map(row => x[row] ?? 0), ...lines.map(line => rows.map(row => line[row] ?? null))];
}

function options(
  host: HTMLElement,
  width: number,
  current: () => Drawing,
  linked: Link,
  tell: () => void
): uPlot.Options {
  const data = current();
  const colours = inks(host);
  const { fontFamily } = getComputedStyle(host);
  const isLog = data.scale === 'log';
  const grid = { stroke: colours.role.grid, width: 1 };
  const axis: uPlot.Axis = {
    stroke: colours.role.muted,
    grid,
    ticks: { ...grid, size: 4 },
    font: `11px ${fontFamily}`,
    gap: 3,
    values: (_plot, places) => places.map(axisText)
  };
  const hidden: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false }, spanGaps: true };
  const lines = data.series.length;
  const envelope = data.envelope ?? null;
  return {
    width,
    height: HEIGHT,
    padding: [HEADROOM, roomForLevels(data.references.filter(({ unseen }) => !unseen), fontFamily, width), 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false },
      y: {
        // uPlot's enum has no values at run time.
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
        distr: isLog ? 3 : 1,
        range: (_plot, low, high) => fitted(low, high, current(), linked.zoom !== null)
      }
    },
    axes: [
      {
        ...axis,
        size: 22,
        label: data.x_label,
        labelFont: `11px ${fontFamily}`,
        labelSize: 16,
        labelGap: 0,
        splits: (plot, _axis, low, high) => linearTicks([low, high], plot.width / 110)
      },
      {
        ...axis,
        size: 52,
        filter: (_plot, places) => places,
        splits: (_plot, _axis, low, high) =>
          isLog ? logTicks([low, high], 6) : linearTicks([low, high], 6)
      }
    ],
    series: [
      {},
      ...data.series.map((line, index) => seriesOf(line, index, colours)),
      ...(envelope === null ? [] : [hidden, hidden])
    ],
    bands:
      envelope === null
        ? []
        : [{ series: [lines + 2, lines + 1], fill: faint(colours.hue(envelope.hue), 0.14) }],
    cursor: { y: false, sync: { key: linked.key }, drag: { x: true, y: false, setScale: false } },
    hooks: {
      setCursor: [tell],
      draw: [
        plot => {
          drawMarks(plot, current(), colours, fontFamily);
        }
      ],
      setSelect: [
        plot => {
          const { left, width: wide } = plot.select;
          if (wide > 3) {
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            linked.show([plot.posToVal(left, 'x'), plot.posToVal(left + wide, 'x')]);
          }
        }
      ]
    }
  };
}

function seriesOf(line: Drawing['series'][number], index: number, colours: Inks): uPlot.Series {
  const colour = colours.hue(line.hue ?? index);
  return {
    stroke: line.faint ? faint(colour, 0.35) : colour,
    width: line.faint ? 1 : 2,
    ...(line.dashed ? { dash: [6, 4] } : {}),
    spanGaps: true,
    points: {
      size: 6,
      fill: colour,
      show: (plot: uPlot, at: number) =>
        !line.faint && (plot.data[at] ?? []).filter(value => value !== null).length <= MARKED
    }
  };
}

function axisText(value: number): string {
  return Math.abs(value) >= 1000 && Math.abs(value) < 1e7 ? value.toLocaleString('en') : shown(value);
}

/** Return the newest numbers of each line as a table. */
function table({ title, x, series }: Drawing): HTMLTableElement {
  const made = element('table');
  made.createCaption().textContent = say('%1: %2 points', title, x.length);
  for (const { label, values } of series.filter(({ faint }) => !faint)) {
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
