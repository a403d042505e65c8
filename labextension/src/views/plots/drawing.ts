/** What a chart draws: a contract's chart, and what only our own views add to it. */

import type { ChartData, Reference } from '../../contract/plots';

export interface Line {
  label: string;
  /** One value for each x; null where there is none. */
  values: (number | null)[];
  /** The place of its hue; by default the place of the line. */
  hue?: number;
  dashed?: boolean;
  /** Behind the others, and in no legend: the raw values of a line that is smoothed. */
  faint?: boolean;
}

/** A line across the chart, with its name at the right edge. */
export interface Level extends Reference {
  /** The axis need not reach it. */
  far?: boolean;
  /** Drawn as the reader's own. */
  mine?: boolean;
  /** The axis reaches it, and somebody else draws it. */
  unseen?: boolean;
}

/** Something that happened at one x. */
export interface Moment {
  x: number;
  label: string;
}

/** One point that stands out. */
export interface Point extends Moment {
  y: number;
}

export interface Drawing extends Omit<ChartData, 'series' | 'references'> {
  series: Line[];
  references: Level[];
  /** The lowest and the highest values around a line, in its hue. */
  envelope?: { low: (number | null)[]; high: (number | null)[]; hue: number } | null;
  moments?: Moment[];
  best?: Point | null;
  /** What is said while there is nothing to draw. */
  waits?: string;
}

/** Return every row of values, in the order in which they are drawn. */
export function rowsOf({ series, envelope }: Drawing): (number | null)[][] {
  const lines = series.map(({ values }) => values);
  return envelope ? [...lines, envelope.low, envelope.high] : lines;
}
