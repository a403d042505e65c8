/** Every text that people read passes through `say`; tests/test_catalogue.py holds the same for Python. */

import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const WORDS = /[A-Za-z]{2,}[,;:]? [a-z]{2,}/;
/** Classes, functions and queries of CSS; pictures. */
const CODE = /^rnn-|^[a-z-]+\(|^\(prefers-|repeat\(|^<svg/;
/** The name of a folder, and names of columns, which stand beside their words. */
const NAMES = ['rnn_magics lessons', 'best held-out ppl', 'after epoch', 'epochs trained', 'train ppl'];

/** Return the literals of two words or more that are neither translated nor for programmers. */
function unwrapped(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /(^|\.)(say|__|marked)$/.test(node.expression.getText())) {
      node.arguments.slice(1).forEach(visit);
      return;
    }
    const forProgrammers =
      ts.isImportDeclaration(node) ||
      ts.isTaggedTemplateExpression(node) ||
      (ts.isNewExpression(node) && node.expression.getText().endsWith('Error')) ||
      (ts.isPropertyAssignment(node) && node.name.getText() === 'description');
    if (forProgrammers) {
      return;
    }
    const text = ts.isTemplateExpression(node)
      ? [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(part => part.text).join('{}')
      : ts.isStringLiteralLike(node)
        ? node.text
        : '';
    if (WORDS.test(text) && !CODE.test(text) && !NAMES.includes(text)) {
      found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

describe('every text', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.startsWith('contract'))
    .sort();
  it.each(files)('of %s passes through say', file => {
    expect(unwrapped(file, readFileSync(`src/${file}`, 'utf8'))).toEqual([]);
  });
  it('is seen where it does not', () => {
    const source =
      "tell(`epoch ${epoch} of ${all}`); say('of a run', 'but not this'); throw new Error('in no view');";
    expect(unwrapped('a.ts', source)).toEqual(['but not this']);
    expect(unwrapped('a.ts', 'tell(`the epoch ${epoch} of ${all}`)')).toEqual(['the epoch {} of {}']);
  });
});
