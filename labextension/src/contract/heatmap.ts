import { Check, ContractError, listOf, number, oneOf, record, text } from './check';

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

const shape = record<HeatmapData>({
  title: text,
  scale: oneOf('sequential', 'diverging'),
  low: number,
  high: number,
  columns: listOf(text),
  rows: listOf(text),
  values: listOf(listOf(number))
});

export const heatmapData: Check<HeatmapData> = (value, path) => {
  const data = shape(value, path);
  const { rows, columns, values } = data;
  if (values.length !== rows.length || values.some(row => row.length !== columns.length)) {
    throw new ContractError(`${path}.values`, `${rows.length} x ${columns.length} values`, values);
  }
  return data;
};
