/** From runs to the lines of a chart: perplexity and gradient norm, against steps or time. */

import { ChartData, Reference } from '../../contract/chart';
import { RunData } from '../../contract/run';
import { say } from '../text/say';

export type Against = 'steps' | 'seconds';

interface Line {
  label: string;
  points: Map<number, number | null>;
}

/** Return perplexities of one run or several; levels are drawn for a single run. */
export function perplexityChart(runs: RunData[], against: Against): ChartData {
  const lines = runs.flatMap(run => {
    const at = clock(run, against);
    const label = labelled(runs, run);
    const held_out = run.epochs.map(
      ({ step, valid_nats }) => [at(step), perplexity(valid_nats)] as const
    );
    const training = run.series.loss.map(([end, mean]) => [at(end), perplexity(mean)] as const);
    const made = [{ label: label(say('training')), points: new Map(training) }];
    if (held_out.some(([, value]) => value !== null)) {
      made.push({ label: label(say('held out')), points: new Map(held_out) });
    }
    return made;
  });
  const references = runs.length === 1 ? levels(runs[0]) : [];
  return chartOf(say('Perplexity'), say('perplexity'), lines, references, against);
}

/** Return the gradient norms before clipping; of thinned steps the highest, so spikes are seen. */
export function normChart(runs: RunData[], against: Against): ChartData {
  const lines = runs.map(run => {
    const at = clock(run, against);
    const points = run.series.grad_norm.map(([end, , , high]) => [at(end), high ?? null] as const);
    return { label: labelled(runs, run)(say('norm')), points: new Map(points) };
  });
  const clips = new Set(runs.map(({ clip }) => clip));
  const references = [...clips].flatMap(clip =>
    clip === null ? [] : [{ label: say('clip %1', shortly(clip)), value: clip }]
  );
  return chartOf(say('Gradient norm, unclipped'), say('norm'), lines, references, against);
}

/** Return e to the power of a mean loss; null where that is beyond all floats. */
export function perplexity(nats: number | null | undefined): number | null {
  const value = nats === null || nats === undefined ? NaN : Math.exp(nats);
  return Number.isFinite(value) ? value : null;
}

function levels(run: RunData | undefined): Reference[] {
  return (run?.ladder ?? []).flatMap(({ name, nats }) => {
    const value = perplexity(nats);
    return value === null ? [] : [{ label: name, value }];
  });
}

function labelled(runs: RunData[], run: RunData): (what: string) => string {
  return what => (runs.length > 1 ? `${run.name}: ${what}` : what);
}

/** Return the function that says where on the axis a step stands. */
function clock(run: RunData, against: Against): (step: number | undefined) => number {
  if (against === 'steps') {
    return (step = 0) => step;
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
  lines: Line[],
  references: Reference[],
  against: Against
): ChartData {
  const places = new Set(lines.flatMap(({ points }) => [...points.keys()]));
  const x = [...places].sort((a, b) => a - b);
  return {
    title,
    y_label,
    x_label: against === 'steps' ? say('steps') : say('seconds of training'),
    scale: 'log',
    x,
    series: lines.map(({ label, points }) => ({
      label,
      values: x.map(place => points.get(place) ?? null)
    })),
    references
  };
}

function shortly(value: number): string {
  return String(Number(value.toPrecision(3)));
}

