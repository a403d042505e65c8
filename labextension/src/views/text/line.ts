/** Magic lines that the page makes: the only text that it ever puts into a cell. */

declare const made: unique symbol;

/** A line that was made by `magicLine`, or looked at by `asLine`. */
export type MagicLine = string & { readonly [made]: true };

// Controls and line ends, half characters, and marks that change the order in which one reads.
// `rnn_magics/names.py` refuses the same.
const MISFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const PLAIN = /^[\w.,:/+~%@^][\w.,:/+~%@^-]*$/;
// Text with the backslashes in it; backslashes before a quote or at the end; double quotes.
const PIECES = /(?:[^"\\]|\\+[^"\\])+|\\+|"+/g;

/** Tell whether a line can hold text: every character is seen, and none ends the line. */
export function fits(text: string): boolean {
  return !MISFIT.test(text);
}

/**
 * Return text as one word of a magic line; null where no line can hold it.
 *
 * A word as `rnn_magics/notebook/line/words.py` reads it: quotes have no escapes, and neighbouring
 * pieces are one word. IPython reads a line as Python before it reads it as a magic, so each piece
 * is a whole string of Python, too: a backslash before a closing quote would open all that follows,
 * and a `?` in it would ask for help. It stands outside the quotes. `rnn_magics/notebook/panel/forms.py`
 * does the same.
 */
export function quoted(text: string): string | null {
  if (!fits(text)) {
    return null;
  }
  if (PLAIN.test(text)) {
    return text;
  }
  const pieces = (text.match(PIECES) ?? []).map(piece => {
    if (/^\\+$/.test(piece)) {
      return piece;
    }
    return piece.startsWith('"') ? `'${piece}'` : `"${piece}"`;
  });
  // A bare backslash at the end would go on in the next line.
  return pieces.join('') + (text === '' || text.endsWith('\\') ? '""' : '');
}

/**
 * Return a magic line, each value as one word or, of a list, several; null where no line can hold
 * one of them. What is not a value is written by us.
 */
export function magicLine(
  fixed: TemplateStringsArray,
  ...values: (string | number | readonly string[])[]
): MagicLine | null {
  let line = '';
  for (const [place, text] of fixed.entries()) {
    const value = values[place];
    const words = value === undefined ? [] : typeof value === 'object' ? value : [String(value)];
    const safe = words.map(quoted);
    if (safe.includes(null)) {
      return null;
    }
    line += text + safe.join(' ');
  }
  return line as MagicLine;
}

/** Return a line that a kernel made, if it is one line and a magic; else null. */
export function asLine(text: string): MagicLine | null {
  const isMagic = /^%[a-z_]+( |$)/.test(text) && !/[?\\]\s*$/.test(text);
  return isMagic && fits(text) ? (text as MagicLine) : null;
}
