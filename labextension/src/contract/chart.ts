import {
  Check,
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

const shape = record<ChartData>({
  title: text,
  x_label: text,
  y_label: text,
  scale: oneOf('linear', 'log'),
  x: listOf(number, MOST_POINTS),
  series: listOf(record<Series>({ label: text, values: listOf(numberOrNull, MOST_POINTS) })),
  references: listOf(record<Reference>({ label: text, value: number }))
});

export const chartData: Check<ChartData> = sized((value, path) => {
  const data = shape(value, path);
  data.series.forEach(({ values }, index) => {
    requireLength(values, data.x.length, `${path}.series[${index}].values`);
  });
  return data;
});
