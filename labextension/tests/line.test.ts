import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { asLine, fits, magicLine, quoted } from '../src/views/text/line';

/** What `str.splitlines` of Python takes for the end of a line. */
const LINE_ENDS = ['\n', '\r', '\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'];
const ANY_LINE_END = /[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/; // eslint-disable-line no-control-regex
const WORDS = JSON.parse(readFileSync('../tests/contract/words.json', 'utf8')) as [
  string,
  string | null
][];

/** A sequence that is the same at each run: mulberry32. */
function* numbers(seed: number): Generator<number, never> {
  for (;;) {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}

describe('a word of a magic line', () => {
  it.each(WORDS)('is that of Python: %j', (text, word) => {
    expect(quoted(text)).toBe(word);
  });
  it.each(LINE_ENDS.map(end => [JSON.stringify(end), end]))('has no line end %s', (_, end) => {
    for (const text of [end, `a${end}`, `${end}a`, `x?${end}!touch pwned${end}#`]) {
      expect(fits(text)).toBe(false);
      expect(quoted(text)).toBeNull();
      expect(magicLine`%rnn compare ${['a', text]}`).toBeNull();
      expect(asLine(`%rnn compare ${text}`)).toBeNull();
    }
  });
  it('is one line, whatever the text', () => {
    const draw = numbers(14);
    const any = (below: number): number => Math.floor(draw.next().value * below);
    const character = (): string => {
      const kind = any(4);
      if (kind === 0) {
        return LINE_ENDS[any(LINE_ENDS.length)] ?? '';
      }
      return kind === 1 ? (`"'\\?!%$#{} `[any(11)] ?? '') : String.fromCharCode(any(0x10000));
    };
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: any(6) }, character).join('');
      const line = magicLine`%rnn compare ${text} ${'b'}`;
      if (line === null) {
        refused += 1;
      } else {
        expect(line).not.toMatch(ANY_LINE_END);
        expect(text).not.toMatch(ANY_LINE_END);
        expect(line.endsWith(' b')).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(refused).toBeLessThan(19_000);
  });
});

describe('a line', () => {
  it('holds what is ours as it is, and values as words', () => {
    expect(magicLine`%rnn compare ${['gru-1', 'a b']}`).toBe('%rnn compare gru-1 "a b"');
    expect(magicLine`%inspect_rnn units --unit ${-3}`).toBe('%inspect_rnn units --unit "-3"');
  });
  it('of a kernel is one magic, and asks for no help', () => {
    expect(asLine('%corpus a.txt')).toBe('%corpus a.txt');
    const bad = ['!ls', 'import os', '%rnn?', '%rnn compare x? ', '%rnn \\', '%%corpus', '%rnn\n!ls'];
    expect(bad.map(asLine)).toEqual(bad.map(() => null));
  });
});
