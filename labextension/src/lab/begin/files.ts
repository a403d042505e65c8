/** Files of the file browser: which are texts, and where they are from a notebook. */

import { fits } from '../../views/text/line';

const TEXT = /\.(txt|text|md|tex|csv|tsv|json|jsonl|xml|html?|py|gz)$/i;

export interface Listed {
  type: string;
  path: string;
  mimetype?: string | null;
}

/** Tell whether a file of a listing is a text that a corpus can be made of. */
export function isText({ type, path, mimetype }: Listed): boolean {
  if (type !== 'file' || !fits(path)) {
    return false;
  }
  return TEXT.test(path) || (mimetype ?? '').startsWith('text/');
}

/** Return the path of a file as a notebook sees it. */
export function relativePath(notebook: string, file: string): string {
  const from = notebook.split('/').slice(0, -1);
  const to = file.split('/');
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) {
    common++;
  }
  return [...from.slice(common).map(() => '..'), ...to.slice(common)].join('/');
}
