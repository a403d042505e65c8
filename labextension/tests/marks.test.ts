/** The name of the best epoch lies on nothing that is drawn, whatever a run looks like. */

import type uPlot from 'uplot';
import { describe, expect, it } from 'vitest';

import type { Inks } from '../src/views/design/colours';
import { Drawing, rowsOf } from '../src/views/plots/drawing';
import { drawMarks } from '../src/views/plots/marks';
import { Box, isFree, Spot } from '../src/views/plots/spread';

const WIDE = 7; // of a letter
const HIGH = 12;
const NAME = 'best 4.123, epoch 7';
const AREA = { left: 60, top: 15, width: 420, height: 170 };
const INKS: Inks = {
  role: new Proxy({} as Inks['role'], { get: (_of, name) => String(name) }),
  hue: String
};

/** Return a chart of a log axis that remembers what is written on it. */
function plotOf(data: Drawing): { plot: uPlot; written: Map<string, Box> } {
  const written = new Map<string, Box>();
  const context: Record<string, unknown> = {
    canvas: { width: 600 },
    textAlign: 'left',
    measureText: (text: string) => ({ width: text.length * WIDE }),
    fillText: (text: string, x: number, y: number) => {
      const left = context['textAlign'] === 'right' ? x - text.length * WIDE : x;
      written.set(text, { left, right: left + text.length * WIDE, top: y, bottom: y + HIGH });
    }
  };
  for (const name of ['save', 'restore', 'beginPath', 'setLineDash', 'moveTo', 'lineTo', 'stroke', 'arc', 'strokeText', 'rect', 'clip']) {
    context[name] = () => undefined;
  }
  const rows = rowsOf(data);
  const values = [...rows.flat(), ...data.references.map(({ value }) => value)].filter(value => value !== null);
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const [first = 0, last = 1] = [data.x[0], data.x.at(-1)];
  const valToPos = (value: number, scale: string): number =>
    scale === 'x'
      ? AREA.left + ((value - first) / (last - first)) * AREA.width
      : AREA.top + (1 - (Math.log(value) - low) / (high - low)) * AREA.height;
  const plot = { ctx: context, bbox: AREA, width: 600, valToPos, data: [data.x, ...rows] };
  return { plot: plot as unknown as uPlot, written };
}

/** Return a run of `steps` steps; `heldOut` says where the held-out perplexity lies beside the training one. */
function runOf(steps: number, heldOut: (share: number) => number, noise: number): Drawing {
  const x = Array.from({ length: steps }, (_, at) => at + 1);
  const share = (at: number): number => at / steps;
  const training = x.map(at => 3 + 60 * Math.exp(-6 * share(at)));
  const raw = training.map((value, at) => value * Math.exp(noise * Math.sin(at * 1.7)));
  const scored = training.map((value, at) => ((at + 1) % Math.floor(steps / 8) === 0 ? value * heldOut(share(at)) : null));
  const least = Math.min(...scored.filter(value => value !== null));
  const best = scored.indexOf(least);
  return {
    title: '', y_label: '', x_label: '', scale: 'log', x,
    series: [
      { label: 'training', values: training },
      { label: 'held out', values: scored, dashed: true },
      { label: 'each step', values: raw, faint: true }
    ],
    references: [{ label: '6-gram', value: 3.4 }, { label: 'bigram', value: 11 }],
    moments: [{ x: steps / 2, label: 'lr 0.001' }],
    envelope: { low: raw.map(value => value * (1 - noise)), high: raw.map(value => value * (1 + noise)), hue: 0 },
    best: { x: x[best] ?? 0, y: least, label: NAME }
  };
}

describe('the name of the best epoch', () => {
  const shapes: [string, (share: number) => number][] = [
    ['a little above', () => 1.05],
    ['a little below', () => 0.97],
    ['far above, and rising', share => 1 + 2 * share],
    ['best in the middle', share => 1 + (share - 0.5) ** 2]
  ];
  const runs = shapes.flatMap(([name, heldOut]) =>
    [16, 200, 2000].flatMap(steps => [0, 0.1, 0.8].map(noise => [`${name}, ${steps} steps, noise ${noise}`, runOf(steps, heldOut, noise)] as const))
  );
  it.each(runs)('lies on no line: held out %s', (_name, data) => {
    const { plot, written } = plotOf(data);
    drawMarks(plot, data, INKS, 'sans-serif');
    const box = written.get(NAME);
    expect(box).toBeDefined();
    const at = (x: number, y: number): Spot => [plot.valToPos(x, 'x', true), plot.valToPos(y, 'y', true)];
    const lines = rowsOf(data).map(values =>
      values.flatMap((value, row) => (value === null ? [] : [at(data.x[row] ?? 0, value)]))
    );
    const levels = data.references.map(({ value }) => [at(data.x[0] ?? 0, value), at(data.x.at(-1) ?? 0, value)]);
    expect(isFree(box as Box, [...lines, ...levels])).toBe(true);
    expect(box?.left).toBeGreaterThanOrEqual(AREA.left);
    expect(box?.right).toBeLessThanOrEqual(AREA.left + AREA.width);
    expect(box?.top).toBeGreaterThanOrEqual(AREA.top - HIGH - 3);
  });
});
