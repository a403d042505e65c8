import { describe, expect, it } from 'vitest';

import { contrast } from '../src/views/design/contrast';
import { colour, ink } from '../src/views/design/scales';
import { fitted, fittedLinear, fittedLog, linearTicks, logTicks, moved } from '../src/views/plots/axis';
import { smooth } from '../src/views/plots/smooth';
import { isFree, nameOf, spread } from '../src/views/plots/spread';

describe('an axis', () => {
  it('ends near what is drawn: there is no empty decade', () => {
    for (const [low, high] of [[4, 60], [1.1, 1.2], [0.003, 900], [5, 5]] as const) {
      const [from, to] = fittedLog(low, high);
      expect(from).toBeLessThan(low);
      expect(to).toBeGreaterThan(high);
      expect(Math.log10(low / from) + Math.log10(to / high)).toBeLessThan(1);
    }
    expect(fittedLinear(0, 0)).toEqual([-1, 1]);
  });
  it('has numbers that people would write, and enough of them', () => {
    expect(linearTicks([0, 2448], 5)).toEqual([0, 500, 1000, 1500, 2000]);
    expect(logTicks([3, 110], 6)).toEqual([5, 10, 20, 50, 100]);
    expect(logTicks([4.1, 5.2], 6)).toEqual([4.2, 4.4, 4.6, 4.8, 5, 5.2]);
    for (const [low, high] of [[1, 2], [0.9, 13], [1e-8, 1e9], [30, 31]] as const) {
      const places = logTicks([low, high], 6);
      expect(places.length).toBeGreaterThanOrEqual(2);
      expect(places.length).toBeLessThanOrEqual(9);
      expect(places.every(place => place >= low && place <= high)).toBe(true);
    }
  });
  it('reaches the levels that matter, unless a decade would be empty', () => {
    const data = { references: [{ label: 'best', value: 3 }, { label: 'uniform', value: 900, far: true }], scale: 'log' as const };
    expect(fitted(5, 60, data, false)).toEqual(fittedLog(3, 60));
    expect(fitted(50, 600, data, false)).toEqual(fittedLog(50, 600));
    expect(fitted(5, 60, data, true)).toEqual(fittedLog(5, 60));
    expect(fitted(null, null, { references: [], scale: 'log' }, false)).toEqual(fittedLog(1, 10));
  });
  it('is moved and zoomed by keys, and stops at its ends', () => {
    const x = [0, 25, 50, 100];
    expect(moved([0, 100], 0, 0.5, x)).toEqual([25, 75]);
    expect(moved([50, 75], 0.25, 1, x)).toEqual([56.25, 81.25]);
    expect(moved([25, 75], 0, 2, x)).toBeNull();
  });
});

describe('labels', () => {
  it('stay where they are if there is room', () => {
    expect(spread([50, 10, 90], 14, 0, 100)).toEqual([50, 10, 90]);
  });
  it('are moved apart where they touch, about their middle, in their order', () => {
    expect(spread([50, 50], 14, 0, 100)).toEqual([43, 57]);
    expect(spread([52, 50, 51], 10, 0, 100)).toEqual([61, 41, 51]);
  });
  it('stay on the chart', () => {
    const places = spread([99, 98, 100, 0], 10, 0, 100);
    expect(places).toEqual([90, 80, 100, 0]);
    const many = spread([0, 1, 2, 3, 99, 97], 12, 0, 100);
    const sorted = [...many].sort((a, b) => a - b);
    expect(Math.min(...many)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...many)).toBeLessThanOrEqual(100);
    sorted.slice(1).forEach((place, at) => {
      expect(place - (sorted[at] ?? 0)).toBeGreaterThanOrEqual(12 - 1e-9);
    });
  });
});

describe('smoothing', () => {
  it('keeps a constant, does not lag at the beginning, and leaves gaps', () => {
    expect(smooth([2, 2, null, 2], 3)).toEqual([2, 2, null, 2]);
    expect(smooth([100, 50, 25], 9)[0]).toBe(100);
    expect(smooth([0, 4, 2, 4], 3)).toEqual([0, 2, 10 / 3, 3]);
    expect(smooth([1, 5], 0)).toEqual([1, 5]);
  });
});

describe('ink', () => {
  it('reads on every colour of both scales', () => {
    for (const name of ['sequential', 'diverging'] as const) {
      for (let share = 0; share <= 1; share += 0.01) {
        const ground = colour(name, share);
        const text = ink(ground) === '#000' ? 0 : 255;
        expect(contrast(ground, [text, text, text])).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
  it('is measured as WCAG does', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 6);
    expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2);
  });
});

describe('the name of the best point', () => {
  const area = { left: 0, right: 400, top: 20, bottom: 200 };
  const size = [90, 12] as const;
  it('stands beside it, as near as may be, on the side where no line runs', () => {
    expect(nameOf([200, 100], size, area, [])).toEqual({ left: 155, right: 245, top: 79, bottom: 91 });
    const [above, below] = [[[0, 85], [400, 85]] as const, [[0, 118], [400, 118]] as const];
    expect(nameOf([200, 100], size, area, [above]).top).toBe(109);
    expect(nameOf([200, 100], size, area, [above, below]).bottom).toBe(79);
    const steep = [[210, 0], [210, 300]] as const;
    expect(nameOf([200, 100], size, area, [steep]).left).toBe(110);
  });
  it('stands above the axes where every place has a line', () => {
    const lines = Array.from({ length: 40 }, (_, at) => [[0, 20 + 5 * at], [400, 20 + 5 * at]] as const);
    expect(nameOf([200, 100], size, area, lines)).toEqual({ left: 155, right: 245, top: 8, bottom: 20 });
  });
  it('sees a line that goes through between two points, and none that stays beside', () => {
    const box = { left: 0, right: 10, top: 10, bottom: 14 };
    expect(isFree(box, [[[-10, -10], [20, 30]]])).toBe(false);
    expect(isFree(box, [[[-10, 0], [-1, 4]]])).toBe(true);
    expect(isFree(box, [[[0, -4], [14, 10]]])).toBe(true);
    expect(isFree(box, [[[-5, 12], [15, 12]]])).toBe(false);
  });
});
