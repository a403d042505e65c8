/** The table of compared runs as GitHub Markdown; `rnn_magics/reports/comparison.py` writes the same. */

import type { ComparisonData } from '../../contract/saved';

const MARKS = /[\\`*[\]<>&|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g;

/** Return a table for each group, and what to know of them. */
export function markdownOf({ head, groups, notes }: ComparisonData): string {
  const tables = groups.flatMap(({ letter, basis, rows }) => [
    ...(groups.length > 1 ? [plain(`${letter}: ${basis}`)] : []),
    table(head, rows)
  ]);
  const words = [...groups.map(({ verdict }) => verdict), ...notes].filter(word => word !== '');
  return [...tables, ...words.map(plain)].join('\n\n');
}

function table(head: string[], rows: string[][]): string {
  const lines = [head.map(plain), head.map(() => '---'), ...rows.map(row => row.map(plain))];
  return lines.map(line => `| ${line.join(' | ')} |`).join('\n');
}

/** What is data is not read as Markdown, and stays in its line. */
function plain(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]+/g, ' ').replace(MARKS, '\\$&');
}
