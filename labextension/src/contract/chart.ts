import { Check, ContractError, listOf, number, numberOrNull, oneOf, record, text } from './check';

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
  x: listOf(number),
  series: listOf(record<Series>({ label: text, values: listOf(numberOrNull) })),
  references: listOf(record<Reference>({ label: text, value: number }))
});

export const chartData: Check<ChartData> = (value, path) => {
  const data = shape(value, path);
  data.series.forEach(({ values }, index) => {
    if (values.length !== data.x.length) {
      throw new ContractError(
        `${path}.series[${index}].values`,
        `${data.x.length} values`,
        values
      );
    }
  });
  return data;
};
