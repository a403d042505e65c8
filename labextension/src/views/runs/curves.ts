/** From runs to the lines of a chart: perplexity and gradient norm, against steps or time. */

import type { RunData } from '../../contract/run';
import { shown } from '../page/dom';
import type { Drawing, Level, Line, Moment, Point } from '../plots/drawing';
import { smooth } from '../plots/smooth';
import { say } from '../text/say';
import { epochOf, levelName, perplexity } from './words';

export type Against = 'steps' | 'tokens' | 'seconds';

/** Return what all runs can be drawn against: notebooks of before do not tell their tokens. */
export function axesOf(runs: RunData[]): Against[] {
  const areTold = runs.every(run => run.tokens_per_step !== null);
  return areTold ? ['steps', 'tokens', 'seconds'] : ['steps', 'seconds'];
}

/** Values by their place on the x axis. */
type Values = Map<number, number | null>;

interface Curve extends Omit<Line, 'values'> {
  points: Values;
}

/**
 * Return perplexities of one run or several of the same held-out text, with its baselines and the
 * best epoch of all. A single run has what was steered; several have one hue each. `smoothing` is the share of the curve that a point
 * of the training line is the mean of; the raw line is then faint.
 */
export function perplexityChart(runs: RunData[], against: Against, smoothing = 0): Drawing {
  const raw: Curve[] = [];
  const curves = runs.flatMap((run, hue): Curve[] => {
    const at = clock(run, against);
    const label = labelled(runs, run);
    const rows = run.series.loss;
    const places = rows.map(([end]) => at(end));
    const means = rows.map(([, mean]) => mean ?? null);
    const line = (nats: readonly (number | null)[]): Values =>
      new Map(places.map((place, row) => [place, perplexity(nats[row])]));
    const held: Values = new Map([
      ...run.between.map(({ step, nats }): [number, number | null] => [at(step), perplexity(nats)]),
      ...run.epochs.map(({ step, valid_nats }): [number, number | null] => [at(step), perplexity(valid_nats)])
    ]);
    if (smoothing > 0) {
      raw.push({ label: label(say('each step')), points: line(means), hue, faint: true });
    }
    const training = smoothing > 0 ? smooth(means, smoothing * means.length) : means;
    const made: Curve[] = [{ label: label(say('training')), points: line(training), hue }];
    if ([...held.values()].some(value => value !== null)) {
      made.push({ label: label(say('held out')), points: held, hue, dashed: true });
    }
    return made;
  });
  const [only] = runs.length === 1 ? runs : [];
  const measured = only ?? runs.find(({ comparable, ladder }) => comparable && ladder.length > 0);
  return {
    ...chartOf(say('Perplexity'), say('perplexity'), [...curves, ...raw], against, bandOf(only, 'loss', against)),
    references: [...(measured === undefined ? [] : levels(measured)), ...predictionOf(only)],
    best: bestOf(runs, against),
    moments: only === undefined ? [] : momentsOf(only, against)
  };
}

/** Return the gradient norms before clipping; of thinned steps the highest, so spikes are seen. */
export function normChart(runs: RunData[], against: Against, smoothing = 0): Drawing {
  const raw: Curve[] = [];
  const curves = runs.map((run, hue): Curve => {
    const at = clock(run, against);
    const label = labelled(runs, run);
    const rows = run.series.grad_norm;
    const line = (values: readonly (number | null)[]): Values =>
      new Map(rows.map(([end], row) => [at(end), values[row] ?? null]));
    const highest = rows.map(([, , , high]) => high ?? null);
    if (smoothing === 0) {
      return { label: label(say('norm')), points: line(highest), hue };
    }
    raw.push({ label: label(say('each step')), points: line(highest), hue, faint: true });
    const mean = smooth(rows.map(([, value]) => value ?? null), smoothing * rows.length);
    return { label: label(say('norm')), points: line(mean), hue };
  });
  const clips = new Set(runs.map(({ clip }) => clip));
  const [only] = runs.length === 1 ? runs : [];
  return {
    ...chartOf(say('Gradient norm, unclipped'), say('norm'), [...curves, ...raw], against, bandOf(only, 'grad_norm', against)),
    references: [...clips].flatMap(clip => (clip === null ? [] : [{ label: say('clip'), value: clip }])),
    moments: only === undefined ? [] : momentsOf(only, against)
  };
}

/** The axis need not reach a level that a run has long left behind. */
function levels(run: RunData): Level[] {
  const lowest = Math.min(...run.ladder.map(({ nats }) => nats));
  return run.ladder.flatMap(level => {
    const value = perplexity(level.nats);
    return value === null ? [] : [{ label: levelName(level), value, far: level.nats > lowest }];
  });
}

/** A line that can still be moved is drawn by whoever moves it. */
function predictionOf(run: RunData | undefined): Level[] {
  const value = perplexity(run?.predicted_nats);
  return value === null
    ? []
    : [{ label: say('your prediction'), value, mine: true, unseen: run?.may_predict === true }];
}

function bestOf(runs: RunData[], against: Against): Point | null {
  const scored = runs.flatMap(run => [
    ...run.epochs.flatMap(epoch =>
      epoch.valid_nats === null
        ? []
        : [{ run, step: epoch.step, epoch: epochOf(run, epoch), nats: epoch.valid_nats }]
    ),
    ...run.between.flatMap(({ step, epoch, nats }) => (nats === null ? [] : [{ run, step, epoch, nats }]))
  ]);
  const least = scored.reduce((low, { nats }) => Math.min(low, nats), Infinity);
  const best = scored.find(({ nats }) => nats === least);
  const y = perplexity(best?.nats);
  if (best === undefined || y === null) {
    return null;
  }
  const { run, epoch, step } = best;
  const label = labelled(runs, run)(say('best %1, epoch %2', shown(y), epoch));
  return { x: clock(run, against)(step), y, label };
}

/** Return the changes that a reader made, each with what is other than before. */
function momentsOf(run: RunData, against: Against): Moment[] {
  const at = clock(run, against);
  return run.steered.map(({ step, lr, clip }, place) => {
    const before = run.steered[place - 1];
    const changed = [
      ...(before?.lr === lr ? [] : [`lr ${shown(lr)}`]),
      ...(before !== undefined && before.clip === clip
        ? []
        : [clip === null ? say('no clip') : `${say('clip')} ${shown(clip)}`])
    ];
    return { x: at(step), label: changed.join(', ') };
  });
}

/** Return between which values the steps of each point lie, for a single run. */
function bandOf(
  run: RunData | undefined,
  name: 'loss' | 'grad_norm',
  against: Against
): { low: Values; high: Values } | null {
  const rows = run?.series[name] ?? [];
  if (run === undefined || !rows.some(([, , low = 0, high = 0]) => high > low)) {
    return null;
  }
  const at = clock(run, against);
  const value = (raw: number | undefined): number | null =>
    name === 'loss' ? perplexity(raw) : (raw ?? null);
  return {
    low: new Map(rows.map(([end, , low]) => [at(end), value(low)])),
    high: new Map(rows.map(([end, , , high]) => [at(end), value(high)]))
  };
}

function labelled(runs: RunData[], run: RunData): (what: string) => string {
  return what => (runs.length > 1 ? `${run.name}: ${what}` : what);
}

/** Return the function that says where on the axis a step stands. */
function clock(run: RunData, against: Against): (step: number | undefined) => number {
  if (against === 'steps') {
    return (step = 0) => step;
  }
  if (against === 'tokens') {
    return (step = 0) => step * (run.tokens_per_step ?? 0);
  }
  const known = [[0, 0], ...run.epochs.map(({ step, seconds }) => [step, seconds])];
  if (run.now !== null) {
    known.push([run.now.total_steps, run.now.seconds]);
  }
  return (step = 0) => between(known, step);
}

/** Interpolate between known (step, seconds): steps of an epoch take about the same time. */
function between(known: number[][], step: number): number {
  for (let place = 1; place < known.length; place++) {
    const [begin = 0, from = 0] = known[place - 1] ?? [];
    const [end = 0, to = 0] = known[place] ?? [];
    if (step <= end) {
      return end > begin ? from + ((to - from) * (step - begin)) / (end - begin) : to;
    }
  }
  return known.at(-1)?.[1] ?? 0;
}

function chartOf(
  title: string,
  y_label: string,
  curves: Curve[],
  against: Against,
  band: { low: Values; high: Values } | null
): Drawing {
  const places = new Set(curves.flatMap(({ points }) => [...points.keys()]));
  const x = [...places].sort((a, b) => a - b);
  const along = (points: Values): (number | null)[] => x.map(place => points.get(place) ?? null);
  return {
    title,
    y_label,
    x_label: axisName(against),
    scale: 'log',
    x,
    series: curves.map(({ points, ...line }) => ({ ...line, values: along(points) })),
    references: [],
    envelope: band === null ? null : { low: along(band.low), high: along(band.high), hue: 0 }
  };
}

function axisName(against: Against): string {
  switch (against) {
    case 'steps':
      return say('steps');
    case 'tokens':
      return say('tokens of training');
    case 'seconds':
      return say('seconds of training');
  }
}
