/** Tokens made safe to look at: what would act on a page or hide is written out. */

// As in `rnn_magics/results.py`: shown all the same are a joiner where it joins (after a letter that
// is not ASCII, a mark or an emoji), and what stands where Unicode will put new emoji.
const HIDDEN =
  /(?!(?<=[^\0-\x7f])(?<=[\p{L}\p{M}\p{So}\p{Sk}\u{1f000}-\u{1faff}\u{1fc00}-\u{1fffd}])[\u200c\u200d])(?![\u{1f000}-\u{1faff}\u{1fc00}-\u{1fffd}])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Return text with controls, bidi marks and lone surrogates as escapes; a line end as ⏎. */
export function visible(text: string): string {
  return text.replace(/\n/g, '⏎').replace(HIDDEN, escape);
}

/** Return a token as a heading of its own: a space, too, can be seen. */
export function heading(token: string): string {
  return visible(token).replace(/ /g, '␣');
}

/** Whether tokens are words, with a space between two of them; <unk> is one of either kind. */
export function isSpaced(tokens: readonly string[]): boolean {
  return tokens.some(token => token !== '<unk>' && visible(token) === token && Array.from(token).length > 1);
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) {
    return `\\x${digits.padStart(2, '0')}`;
  }
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}
