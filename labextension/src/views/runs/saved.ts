/** Runs of a saved notebook: the card of one, or the curves of several that were compared. */

import type { RunData } from '../../contract/run';
import { notesOf, savedRuns } from '../../contract/saved';
import { element } from '../page/dom';
import { guarded } from '../page/guarded';
import { chart } from '../plots/chart';
import { link } from '../plots/link';
import { say } from '../text/say';
import { axisChoice, Card, card, smoothingSlider } from './card';
import { Against, normChart, perplexityChart } from './curves';
import { button } from './steering';
import { statusLine } from './words';

export interface SavedView {
  /** Show other data in the same place, if it is of one run, as the first was. */
  update(payload: unknown): boolean;
  end(): void;
}

/** Draw what a notebook keeps, or `words` instead. */
export function drawSaved(host: HTMLElement, payload: unknown, words: string): SavedView {
  let only: Card | null = null;
  host.replaceChildren();
  const end = guarded(host, words, () => {
    const runs = savedRuns(payload, 'run');
    host.classList.add('rnn-saved');
    const [run] = runs;
    if (runs.length !== 1 || run === undefined) {
      return several(host, runs, notesOf(payload));
    }
    only = card(host, run, null);
    return () => only?.dispose();
  });
  return {
    update: next => {
      try {
        const [run, ...others] = savedRuns(next, 'run');
        if (only === null || run === undefined || others.length > 0) {
          return false;
        }
        only.update(run);
        return true;
      } catch {
        return false; // it is drawn anew, and says what is wrong
      }
    },
    end
  };
}

function several(host: HTMLElement, runs: RunData[], notes: string[]): () => void {
  host.classList.add('rnn-view', 'rnn-several');
  let against: Against = 'steps';
  let smoothing = 0.02;
  const lines = runs.map(run => {
    const line = element('div', 'rnn-status');
    line.append(element('span', 'rnn-head', run.name), ` ${run.architecture} · ${statusLine(run)}`);
    return line;
  });
  const told = element('ul', 'rnn-notes');
  told.append(...notes.map(note => element('li', '', note)));
  const charts = element('div', 'rnn-charts');
  const [left, right] = [charts.appendChild(element('div')), charts.appendChild(element('div'))];
  const linked = link();
  const perplexities = chart(left, perplexityChart(runs, against, smoothing), linked);
  const norms = chart(right, normChart(runs, against, smoothing), linked);
  const draw = (): void => {
    perplexities.update(perplexityChart(runs, against, smoothing));
    norms.update(normChart(runs, against, smoothing));
  };
  const tools = element('div', 'rnn-controls');
  tools.append(
    axisChoice(chosen => {
      against = chosen;
      linked.show(null);
      draw();
    }),
    smoothingSlider(share => {
      smoothing = share;
      draw();
    }),
    button(say('Whole run'), () => {
      linked.show(null);
    })
  );
  host.append(...lines, told, tools, charts);
  return () => {
    perplexities.dispose();
    norms.dispose();
    host.replaceChildren();
  };
}
