/** The rules of this half of the house, read from its imports; tests/test_house.py has the other's. */

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** From the ground up: a module may import from its own room and from those before it. */
const ROOMS = [
  'contract',
  'model',
  'views/design',
  'views/text',
  'views/page',
  'views/plots',
  'views/runs',
  'views/sweeps',
  'views/kept',
  'views/look',
  'views/play',
  'views/interventions',
  'views/inspect',
  'widgets',
  'page',
  'lab/setup',
  'lab/kernels',
  'lab/cells',
  'lab/begin',
  'lab/runs',
  'lab/saved',
  'lab'
];
/** Libraries that only these parts know of, so that the others draw in any front end. */
const ONLY: [RegExp, string][] = [
  [/^@(jupyterlab|lumino|codemirror)\//, 'lab'],
  [/^@anywidget\//, 'widgets']
];
const MOST_LINES = 400;
const MOST_FILES = 13;

type Sources = Map<string, string>;

/** The modules, named as imports name them: without an ending, from `src` on. */
const SOURCES: Sources = new Map(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map(file => [file.replaceAll('\\', '/').slice(0, -3), readFileSync(join('src', file), 'utf8')])
);

const roomOf = (module: string): string => dirname(module);
const importsOf = (text: string): string[] =>
  ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);

/** Return which modules each module imports, those of types too. */
function arrows(sources: Sources): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [module, text] of sources) {
    const relative = importsOf(text).filter(name => /^\./.test(name) && !/\.(css|json)$/.test(name));
    found.set(
      module,
      relative.map(name => {
        const path = normalize(join(dirname(module), name)).replaceAll('\\', '/');
        const owner = [path, `${path}/index`].find(place => sources.has(place));
        if (owner === undefined) {
          throw new Error(`${module} imports ${name}, which is nowhere`);
        }
        return owner;
      })
    );
  }
  return found;
}

/** Return the modules from which one comes back to where one began. */
function inCircles(graph: Map<string, string[]>): string[] {
  return [...graph.keys()].filter(start => {
    const reached = new Set<string>();
    const ahead = [start];
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      const fresh = (graph.get(next) ?? []).filter(module => !reached.has(module));
      fresh.forEach(module => reached.add(module));
      ahead.push(...fresh);
    }
    return reached.has(start);
  });
}

/** Return the imports that look up, or from one bundle into the other. */
function wrongWays(graph: Map<string, string[]>): string[] {
  const part = (module: string): string => module.split('/')[0] ?? '';
  const isWrong = (from: string, to: string): boolean =>
    ROOMS.indexOf(roomOf(to)) > ROOMS.indexOf(roomOf(from)) ||
    (part(from) === 'lab' && part(to) === 'widgets');
  return [...graph].flatMap(([from, all]) =>
    all.filter(to => isWrong(from, to)).map(to => `${from} imports ${to}`)
  );
}

function strangers(sources: Sources): string[] {
  return [...sources].flatMap(([module, text]) =>
    ONLY.filter(([, part]) => !module.startsWith(`${part}/`)).flatMap(([library]) =>
      importsOf(text)
        .filter(name => library.test(name))
        .map(name => `${module} imports ${name}`)
    )
  );
}

function tooLong(sources: Sources): string[] {
  const lines = (text: string): number => text.trimEnd().split('\n').length;
  return [...sources].filter(([, text]) => lines(text) > MOST_LINES).map(([module]) => module);
}

function tooFull(modules: Iterable<string>): string[] {
  const counted = new Map<string, number>();
  for (const module of modules) {
    counted.set(roomOf(module), (counted.get(roomOf(module)) ?? 0) + 1);
  }
  return [...counted].filter(([, number]) => number > MOST_FILES).map(([room]) => room);
}

describe('the house', () => {
  it('has a place for every room', () => {
    expect(new Set([...SOURCES.keys()].map(roomOf))).toEqual(new Set(ROOMS));
  });
  it('has arrows that point one way', () => {
    expect(wrongWays(arrows(SOURCES))).toEqual([]);
  });
  it('has no modules that import each other', () => {
    expect(inCircles(arrows(SOURCES))).toEqual([]);
  });
  it('knows of JupyterLab and anywidget in one part only', () => {
    expect(strangers(SOURCES)).toEqual([]);
  });
  it('writes what plugins begin with once', () => {
    const preambles = [...SOURCES].filter(([, text]) => /\b(autoStart|ITranslator \| null)\b/.test(text));
    expect(preambles.map(([module]) => module).sort()).toEqual(['lab/setup/plugin', 'lab/setup/translation']);
  });
  it('has modules and rooms that one can look over', () => {
    expect(tooLong(SOURCES)).toEqual([]);
    expect(tooFull(SOURCES.keys())).toEqual([]);
  });
});

describe('the rules', () => {
  const made = (changes: [string, string][]): Sources => new Map([...SOURCES, ...changes]);
  it('see a circle, of types or exports too', () => {
    const circle = made([
      ['contract/a', "import { b } from './b';"],
      ['contract/b', "export * from './c';"],
      ['contract/c', "import type { A } from './a';"],
      ['contract/d', "import './a';"]
    ]);
    expect(inCircles(arrows(circle))).toEqual(['contract/a', 'contract/b', 'contract/c']);
  });
  it('see an arrow that points up, and one between the bundles', () => {
    const up = made([
      ['views/page/up', "import { inspect } from '../inspect';"],
      ['lab/cells/over', "import { renderChart } from '../../widgets/chart';"]
    ]);
    expect(wrongWays(arrows(up))).toEqual([
      'views/page/up imports views/inspect/index',
      'lab/cells/over imports widgets/chart'
    ]);
    expect(() => arrows(made([['lab/lost', "import './nowhere';"]]))).toThrow('nowhere');
  });
  it('see a library where it does not belong', () => {
    const wrong = "import type { AnyModel } from '@anywidget/types';\nimport '@lumino/widgets';";
    expect(strangers(made([['views/page/x', wrong]]))).toHaveLength(2);
  });
  it('see what is too much', () => {
    expect(tooLong(made([['lab/long', 'x;\n'.repeat(MOST_LINES + 1)]]))).toEqual(['lab/long']);
    const many = Array.from({ length: MOST_FILES }, (_, place) => `lab/cells/x${place}`);
    expect(tooFull([...SOURCES.keys(), ...many])).toEqual(['lab/cells']);
  });
});
