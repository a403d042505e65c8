/** Our magic lines: how they are read, to colour them. */

/** Every magic of rnn_magics; a test compares it with the package. */
export const MAGICS = [
  'corpus',
  'vocab',
  'sample',
  'train_rnn',
  'sweep',
  'generate',
  'baseline',
  'rnn',
  'rnn_lab',
  'inspect_rnn',
  'save_rnn',
  'load_rnn',
  'evaluate_rnn',
  'exercise'
] as const;

export type Kind = 'magic' | 'option' | 'quoted';

export interface Span {
  from: number;
  to: number;
  kind: Kind;
}

const HEAD = new RegExp(
  `^\\s*(?:[\\w.,\\s]+=\\s*)?(%%?(?:${MAGICS.join('|')}))(?=\\s|$|\\?)`
);
// A word is as rnn_magics/notebook/line/words.py reads it: quotes have no escapes.
const PIECE = /"[^"]*"?|'[^']*'?|(?<![^\s])--?[A-Za-z][\w-]*|[^\s"']+/g;

/** Return what is to be coloured in a line; nothing when it is none of ours. */
export function spans(line: string): Span[] {
  const magic = HEAD.exec(line)?.[1];
  if (magic === undefined) {
    return [];
  }
  const from = line.indexOf(magic);
  const to = from + magic.length;
  const found: Span[] = [{ from, to, kind: 'magic' }];
  for (const { 0: piece, index } of line.slice(to).matchAll(PIECE)) {
    const kind = kindOf(piece);
    if (kind !== null) {
      found.push({ from: to + index, to: to + index + piece.length, kind });
    }
  }
  return found;
}

function kindOf(piece: string): Kind | null {
  if (/^["']/.test(piece)) {
    return 'quoted';
  }
  return /^--?[A-Za-z]/.test(piece) ? 'option' : null;
}

/** Tell whether the lines below the first are the text of a corpus. */
export function isCorpusCell(first: string): boolean {
  return /^\s*%%corpus(\s|$)/.test(first);
}
