/** What plots draw: lines against steps or time, and cells in rows and columns. */

import {
  Check,
  ContractError,
  listOf,
  number,
  numberOrNull,
  oneOf,
  record,
  requireLength,
  sized,
  text
} from './check';

/** Lines are thinned before they are drawn, so they may have more points than a list otherwise. */
const MOST_POINTS = 500_000;

export interface Series {
  label: string;
  /** One value for each x; null where there is none. */
  values: (number | null)[];
}

export interface Reference {
  label: string;
  value: number;
}

export interface ChartData {
  title: string;
  x_label: string;
  y_label: string;
  scale: 'linear' | 'log';
  x: number[];
  series: Series[];
  references: Reference[];
}

const lines = record<ChartData>({
  title: text,
  x_label: text,
  y_label: text,
  scale: oneOf('linear', 'log'),
  x: listOf(number, MOST_POINTS),
  series: listOf(record<Series>({ label: text, values: listOf(numberOrNull, MOST_POINTS) })),
  references: listOf(record<Reference>({ label: text, value: number }))
});

export const chartData: Check<ChartData> = sized((value, path) => {
  const data = lines(value, path);
  data.series.forEach(({ values }, index) => {
    requireLength(values, data.x.length, `${path}.series[${index}].values`);
  });
  return data;
});

export interface HeatmapData {
  title: string;
  scale: 'sequential' | 'diverging';
  low: number;
  high: number;
  /** The names of the columns, say tokens. */
  columns: string[];
  /** The names of the rows, say units. */
  rows: string[];
  /** One list for each row, of one value for each column. */
  values: number[][];
}

const cells = record<HeatmapData>({
  title: text,
  scale: oneOf('sequential', 'diverging'),
  low: number,
  high: number,
  columns: listOf(text),
  rows: listOf(text),
  values: listOf(listOf(number))
});

export const heatmapData: Check<HeatmapData> = (value, path) => {
  const data = cells(value, path);
  const { rows, columns, values } = data;
  if (values.length !== rows.length || values.some(row => row.length !== columns.length)) {
    throw new ContractError(`${path}.values`, `${rows.length} x ${columns.length} values`, values);
  }
  return data;
};
