/** What one file holds that shows a run to anybody; `rnn_magics/handout/page.py` writes it. */

import { Check, ContractError, listOf, number, record, text } from './check';
import { Looked, looked } from './looked';
import { RunData, runData } from './run';

const VERSION = 1;

export interface PageData {
  version: number;
  title: string;
  /** What was trained on what, and how: each a name and what it is. */
  facts: string[][];
  run: RunData;
  /** The model itself, then what happens in it while it reads a text. */
  looks: Looked[];
}

const shape = record<PageData>({
  version: number,
  title: text,
  facts: listOf(listOf(text, 2)),
  run: runData,
  looks: listOf(looked)
});

export const pageData: Check<PageData> = (value, path) => {
  const data = shape(value, path);
  if (data.version !== VERSION) {
    throw new ContractError(`${path}.version`, `version ${VERSION}`, value);
  }
  return data;
};
