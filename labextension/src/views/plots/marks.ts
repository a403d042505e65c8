/** What stands in a chart beside its lines: levels with their names, moments, the best point. */

import type uPlot from 'uplot';

import { Inks, shape } from '../design/colours';
import { shown } from '../page/dom';
import type { Drawing, Level } from './drawing';
import { Line, nameOf, Spot, spread } from './spread';

const SIZE = 12;
const LINE = 14;
const LEADER = 8;
/** The radius of the ring around the best point. */
const RING = 6;
/** What a chart leaves free above its axes, for a name that has no other place. */
export const HEADROOM = SIZE + 3;
/** No more of the width than this is given to the names of levels. */
const MOST_SHARE = 0.4;
/** The place of the hue of what is the reader's own. */
const MINE = 1;
/** Shapes on each line: enough to know it by, and few enough to see the line. */
const MOST_SHAPES = 8;

/** Return what is written at the edge: the name of a level and its value. */
export function levelText({ label, value }: Level): string {
  return `${label} ${shown(value)}`;
}

/** Return how much room the names of levels want at the right, in pixels of the page. */
export function roomForLevels(levels: readonly Level[], family: string, width: number): number {
  const context = document.createElement('canvas').getContext('2d');
  if (levels.length === 0 || context === null) {
    return 12;
  }
  context.font = `${SIZE}px ${family}`;
  const wide = levels.map(level => context.measureText(`↑ ${levelText(level)}`).width);
  return Math.min(Math.max(...wide) + LEADER + 4, width * MOST_SHARE);
}

/** Draw the marks of a chart; called by uPlot after its lines. */
export function drawMarks(plot: uPlot, data: Drawing, inks: Inks, family: string): void {
  const { ctx: context } = plot;
  const ratio = uPlotRatio(plot);
  context.save();
  context.font = `${SIZE * ratio}px ${family}`;
  context.lineWidth = ratio;
  shapes(plot, data, inks);
  levels(plot, data.references.filter(({ unseen }) => !unseen), inks, ratio);
  moments(plot, data, inks, ratio);
  best(plot, data, inks, ratio);
  context.restore();
}

function uPlotRatio(plot: uPlot): number {
  return plot.width > 0 ? plot.ctx.canvas.width / plot.width : 1;
}

function levels(plot: uPlot, all: readonly Level[], inks: Inks, ratio: number): void {
  const { ctx: context, bbox } = plot;
  const [top, bottom, right] = [bbox.top, bbox.top + bbox.height, bbox.left + bbox.width];
  const places = all.map(({ value }) => plot.valToPos(value, 'y', true));
  const wanted = places.map(y => Math.min(bottom, Math.max(top, y)));
  const labels = spread(wanted, LINE * ratio, top, bottom);
  context.fillStyle = inks.role.fg;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  all.forEach((level, index) => {
    context.strokeStyle = level.mine ? inks.hue(MINE) : inks.role.muted;
    const [y = 0, from = 0, to = 0] = [places[index], wanted[index], labels[index]];
    const beyond = y < top - 1 ? '↑ ' : y > bottom + 1 ? '↓ ' : '';
    context.beginPath();
    if (beyond === '') {
      context.setLineDash((level.mine ? [8, 4] : [2, 3]).map(long => long * ratio));
      context.moveTo(bbox.left, y);
      context.lineTo(right, y);
      context.stroke();
    }
    context.beginPath();
    context.setLineDash([]);
    context.moveTo(right, from);
    context.lineTo(right + (LEADER - 2) * ratio, to);
    context.stroke();
    const room = plot.ctx.canvas.width - right - LEADER * ratio;
    context.fillText(beyond + levelText(level), right + LEADER * ratio, to, room);
  });
}

function moments(plot: uPlot, { moments: all = [] }: Drawing, inks: Inks, ratio: number): void {
  const { ctx: context, bbox } = plot;
  const right = bbox.left + bbox.width;
  context.strokeStyle = inks.role.wait;
  context.textBaseline = 'top';
  all.forEach(({ x, label }, index) => {
    const at = plot.valToPos(x, 'x', true);
    if (at < bbox.left - 1 || at > right + 1) {
      return;
    }
    context.beginPath();
    context.setLineDash([4 * ratio, 3 * ratio]);
    context.moveTo(at, bbox.top);
    context.lineTo(at, bbox.top + bbox.height);
    context.stroke();
    // Three rows, so that changes soon after each other can be read.
    const y = bbox.top + (index % 3) * LINE * ratio;
    const turned = at + context.measureText(label).width + 6 * ratio > right;
    context.textAlign = turned ? 'right' : 'left';
    written(context, label, at + (turned ? -4 : 4) * ratio, y, inks, inks.role.wait);
  });
}

function best(plot: uPlot, data: Drawing, inks: Inks, ratio: number): void {
  const { best: point } = data;
  if (!point) {
    return;
  }
  const { ctx: context, bbox } = plot;
  const [x, y] = [plot.valToPos(point.x, 'x', true), plot.valToPos(point.y, 'y', true)];
  const [right, bottom] = [bbox.left + bbox.width, bbox.top + bbox.height];
  if (x < bbox.left - 1 || x > right + 1 || y < bbox.top - 1 || y > bottom + 1) {
    return;
  }
  context.setLineDash([]);
  context.lineWidth = 2 * ratio;
  context.strokeStyle = inks.role.good;
  context.beginPath();
  context.arc(x, y, RING * ratio, 0, 2 * Math.PI);
  context.stroke();
  const wide = context.measureText(point.label).width;
  const area = { left: bbox.left, right, top: bbox.top, bottom };
  const box = nameOf([x, y], [wide, SIZE * ratio], area, occupied(plot, data, ratio));
  // A name that stands apart from its point is joined to it.
  const [near, from] = box.bottom < y ? [box.bottom, y - RING * ratio] : [box.top, y + RING * ratio];
  if (Math.abs(from - near) > RING * ratio) {
    context.lineWidth = ratio;
    context.beginPath();
    context.moveTo(Math.max(box.left, Math.min(x, box.right)), near);
    context.lineTo(x, from);
    context.stroke();
  }
  context.textAlign = 'left';
  context.textBaseline = 'top';
  written(context, point.label, box.left, box.top, inks, inks.role.good);
}

/** Return everything that a name must not lie on, in pixels of the canvas. */
function occupied(plot: uPlot, { series, envelope, references, moments: all = [] }: Drawing, ratio: number): Line[] {
  const { ctx: context, bbox } = plot;
  const [places, ...rows] = plot.data; // what uPlot draws: the lines, then the envelope
  const [left, right, bottom] = [bbox.left, bbox.left + bbox.width, bbox.top + bbox.height];
  const spot = (place: number, value: number): Spot => [plot.valToPos(place, 'x', true), plot.valToPos(value, 'y', true)];
  const curves = rows.slice(0, series.length).map((values): Line =>
    Array.from(values).flatMap((value, row) => (value === null || value === undefined ? [] : [spot(places[row] ?? 0, value)]))
  );
  const [low = [], high = []] = envelope ? rows.slice(series.length) : [];
  const bars = Array.from(low).flatMap((value, row): Line[] => {
    const [from, to, x] = [value ?? null, high[row] ?? null, places[row] ?? 0];
    return from === null || to === null ? [] : [[spot(x, from), spot(x, to)]];
  });
  const levels = references.map(({ value }): Line => {
    const y = plot.valToPos(value, 'y', true);
    return [[left, y], [right, y]];
  });
  const changes = all.flatMap(({ x, label }, index): Line[] => {
    const [at, top] = [plot.valToPos(x, 'x', true), bbox.top + (index % 3) * LINE * ratio];
    const wide = context.measureText(label).width + 4 * ratio;
    const words = [0, SIZE / 2, SIZE].map((down): Line => [[at - wide, top + down * ratio], [at + wide, top + down * ratio]]);
    return [[[at, bbox.top], [at, bottom]], ...words];
  });
  return [...curves, ...bars, ...levels, ...changes];
}

/** Write over whatever is there: a rim in the colour of the ground keeps the letters apart. */
function written(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  inks: Inks,
  colour: string
): void {
  const { strokeStyle, lineWidth } = context;
  context.setLineDash([]);
  [context.strokeStyle, context.lineWidth] = [inks.role.bg, lineWidth * 4];
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
  [context.strokeStyle, context.lineWidth] = [strokeStyle, lineWidth];
}

/** Draw the shape of each run on its lines, where there are more runs than hues. */
function shapes(plot: uPlot, { x, series }: Drawing, inks: Inks): void {
  const { ctx: context, bbox } = plot;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  series.forEach(({ values, hue, faint }, at) => {
    const place = hue ?? at;
    if (shape(place) === '' || faint) {
      return;
    }
    context.fillStyle = inks.hue(place);
    for (const row of some(values, place)) {
      const [left, top] = [plot.valToPos(x[row] ?? 0, 'x', true), plot.valToPos(values[row] ?? 0, 'y', true)];
      context.fillText(shape(place), left, top);
    }
  });
  context.restore();
}

/** Return a few rows that have a value; other ones for each line, so that shapes do not cover each other. */
export function some(values: readonly (number | null)[], place: number): number[] {
  const rows = [...values.keys()].filter(row => (values[row] ?? null) !== null);
  const every = Math.max(1, Math.ceil(rows.length / MOST_SHAPES));
  return rows.filter((_, index) => index % every === place % every);
}
