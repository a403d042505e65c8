/** Runs of a saved notebook: their curves, with nothing to steer. */

import type { RunData } from '../../contract/run';
import { notesOf, savedRuns } from '../../contract/saved';
import { element } from '../page/dom';
import { guarded } from '../page/guarded';
import { chart } from '../plots/chart';
import { Against, normChart, perplexityChart } from './curves';
import { statusLine } from './dashboard';

export interface Labels {
  against: string;
  steps: string;
  seconds: string;
}

/** Draw what a notebook keeps, or `words` instead; return what ends it. */
export function drawSaved(
  host: HTMLElement,
  payload: unknown,
  words: string,
  labels: Labels
): () => void {
  return guarded(host, words, () =>
    savedView(host, savedRuns(payload, 'run'), notesOf(payload), labels)
  );
}

function savedView(
  host: HTMLElement,
  runs: RunData[],
  notes: string[],
  labels: Labels
): () => void {
  host.classList.add('rnn-view', 'rnn-saved');
  const lines = runs.map(run => {
    const line = element('div', 'rnn-status');
    line.append(element('span', 'rnn-head', run.name), ` ${run.architecture} · ${statusLine(run)}`);
    return line;
  });
  const told = element('ul', 'rnn-notes');
  told.append(...notes.map(note => element('li', '', note)));
  const label = element('label', 'rnn-field', `${labels.against} `);
  const select = label.appendChild(element('select'));
  select.append(element('option', '', labels.steps), element('option', '', labels.seconds));
  const charts = element('div', 'rnn-charts');
  const left = charts.appendChild(element('div'));
  const right = charts.appendChild(element('div'));
  host.append(...lines, told, label, charts);
  const perplexities = chart(left, perplexityChart(runs, 'steps'));
  const norms = chart(right, normChart(runs, 'steps'));
  select.addEventListener('change', () => {
    const against: Against = select.selectedIndex === 1 ? 'seconds' : 'steps';
    perplexities.update(perplexityChart(runs, against));
    norms.update(normChart(runs, against));
  });
  return () => {
    perplexities.dispose();
    norms.dispose();
    host.replaceChildren();
  };
}
