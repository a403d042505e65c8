/**
 * A run as a card: its state, four numbers, what they mean, its curves, what it writes.
 *
 * The same while it trains and in a saved notebook, and equally high: nothing on a page moves when
 * one takes the place of the other.
 */

import type { RunData } from '../../contract/run';
import { element, shown, steady } from '../page/dom';
import { chart } from '../plots/chart';
import { link } from '../plots/link';
import { say } from '../text/say';
import { Against, axesOf, normChart, perplexityChart } from './curves';
import { details } from './details';
import { predictionLine } from './prediction';
import { button, Command, Steering, steering } from './steering';
import { verdict } from './verdict';
import {
  atText,
  clippedText,
  doneShare,
  duration,
  grouped,
  reached,
  stateNews,
  stateText,
  statusLine,
  waitsText
} from './words';
import { writes } from './writes';

/** The share of a curve that a point of the smoothed line stands for. */
const SMOOTHING = 0.02;

export interface Card {
  update(run: RunData): void;
  /** Say something about the last command: that it waits, or why it was refused. */
  say(message: string, isRefused?: boolean): void;
  dispose(): void;
}

/** Draw a run into `host`; with `send`, a reader can steer it. */
export function card(host: HTMLElement, first: RunData, send: ((command: Command) => void) | null): Card {
  let run = first;
  host.classList.add('rnn-view', 'rnn-run-card');
  host.setAttribute('role', 'group');
  const told = element('div', 'rnn-told rnn-card-told');
  told.setAttribute('role', 'status');
  const tell = (message: string, isRefused = false): void => {
    told.textContent = message;
    told.title = message;
    told.classList.toggle('rnn-refused', isRefused);
    controls.answered(isRefused);
  };
  // A run that has ended shows with what it was trained, and cannot be steered.
  const controls: Steering = steering(run, send ?? (() => undefined), why => {
    tell(why, true);
  });
  const top = head(send === null ? [] : controls.buttons);
  const figures = numbers();
  const said = element('div', 'rnn-verdict');
  const curves = charts(run, controls.fields, send);
  const written = writes(run);
  const folded = details(run);
  host.append(top.node, figures.node, said, curves.tools, curves.node);
  host.append(told, written.node, folded.node);

  const draw = (): void => {
    host.setAttribute('aria-label', run.name);
    top.update(run);
    figures.update(run);
    said.textContent = verdict(run);
    said.toggleAttribute('data-predicted', run.predicted_nats !== null);
    controls.update(run);
    curves.update(run);
    written.update(run);
    folded.update(run);
  };
  draw();
  return {
    update: next => {
      run = next;
      draw();
    },
    say: tell,
    dispose: () => {
      curves.dispose();
      host.replaceChildren();
    }
  };
}

interface Part {
  node: HTMLElement;
  update(run: RunData): void;
}

/** The name, the state, the place, and how much is done. */
function head(buttons: HTMLElement[]): Part {
  const node = element('div');
  const line = element('div', 'rnn-card-head');
  const name = element('div', 'rnn-head');
  const chip = element('span', 'rnn-chip');
  const at = element('span', 'rnn-card-at');
  const model = element('div', 'rnn-card-model');
  const bar = element('progress', 'rnn-card-progress');
  const all = element('div', 'rnn-status rnn-hidden');
  bar.setAttribute('aria-label', say('share of the training that is over'));
  line.append(name, chip, at, ...buttons);
  node.append(line, model, bar, all);
  return {
    node,
    update: run => {
      name.textContent = run.name;
      name.title = run.name;
      chip.textContent = stateText(run);
      chip.dataset['news'] = bar.dataset['news'] = stateNews(run);
      at.textContent = atText(run);
      model.textContent = `${run.architecture} · ${run.place}`;
      model.title = model.textContent;
      bar.value = doneShare(run);
      all.textContent = statusLine(run);
    }
  };
}

/** Four numbers that are read from across the room. */
function numbers(): Part {
  const node = element('div', 'rnn-numbers');
  const places = Array.from({ length: 4 }, () => {
    const [box, name, value] = [element('div', 'rnn-number'), element('div', 'rnn-number-name'), element('div', 'rnn-number-value')];
    box.append(name, value);
    node.append(box);
    return { box, name, value };
  });
  return {
    node,
    update: run => {
      const { now, phase, epochs } = run;
      const { training, heldOut, bitsPerByte } = reached(run);
      const over = phase === 'ended';
      const seconds = now?.seconds ?? epochs.at(-1)?.seconds ?? null;
      const speed = (over ? run.tokens_per_second : null) ?? now?.tokens_per_second ?? run.tokens_per_second;
      const told: [string, string, string][] = [
        [
          // Perplexities of other tokens are other figures; those of bytes are the same.
          bitsPerByte === null ? say('held-out perplexity') : say('held-out perplexity, %1 bits per byte', shown(bitsPerByte)),
          steady(heldOut),
          say('exp of the mean loss of all held-out tokens, after an epoch')
        ],
        [say('training perplexity'), steady(training), say('exp of the mean loss over the epoch, while the weights changed')],
        [say('tokens/s'), grouped(speed), say('training alone, without scoring held-out text')],
        over
          ? [say('time trained'), duration(seconds), say('training alone, without scoring held-out text')]
          : [say('time left'), duration(now?.eta ?? null), say('with the scoring of held-out text')]
      ];
      told.forEach(([name, value, why], place) => {
        const shownAt = places[place];
        if (shownAt !== undefined) {
          [shownAt.name.textContent, shownAt.value.textContent] = [name, value];
          shownAt.box.title = say('%1: %2', name, why);
        }
      });
    }
  };
}

/** The two charts, and above them what steers the run and how the curves are drawn. */
function charts(
  first: RunData,
  fields: HTMLElement[],
  send: ((command: Command) => void) | null
): Part & { tools: HTMLElement; dispose: () => void } {
  let run = first;
  let against: Against = 'steps';
  let smoothing = SMOOTHING;
  const node = element('div', 'rnn-charts');
  const [left, right] = [node.appendChild(element('div')), node.appendChild(element('div'))];
  const clipping = element('div', 'rnn-clipping');
  const linked = link();
  const perplexities = chart(left, drawing(perplexityChart), linked, () => {
    line?.place();
  });
  const norms = chart(right, drawing(normChart), linked);
  right.append(clipping);
  const line =
    send === null
      ? null
      : predictionLine(
          left,
          run,
          () => perplexities.scale(),
          perplexity => {
            send({ type: 'predict', perplexity });
          }
        );
  function drawing(of: typeof normChart): ReturnType<typeof normChart> {
    return { ...of([run], against, smoothing), waits: of === normChart ? '' : waitsText(run) };
  }
  const draw = (): void => {
    perplexities.update(drawing(perplexityChart));
    norms.update(drawing(normChart));
    line?.update(run);
    clipping.textContent = clippedText(run);
  };
  const whole = button(say('Whole run'), () => {
    linked.show(null);
  });
  const forget = linked.follow(() => {
    whole.style.visibility = linked.zoom === null ? 'hidden' : 'visible';
  });
  whole.style.visibility = 'hidden';
  const axis = axisChoice(axesOf([run]), chosen => {
    against = chosen;
    linked.show(null);
    draw();
  });
  const smooth = smoothingSlider(share => {
    smoothing = share;
    draw();
  });
  const tools = element('div', 'rnn-card-tools');
  tools.setAttribute('role', 'group');
  tools.setAttribute('aria-label', say('steer the training'));
  tools.append(...fields, element('span', 'rnn-gap'), whole, axis, smooth);
  return {
    node,
    tools,
    update: next => {
      run = next;
      draw();
    },
    dispose: () => {
      forget();
      perplexities.dispose();
      norms.dispose();
    }
  };
}

/** Return a choice between what the curves can be drawn against. */
export function axisChoice(axes: Against[], chosen: (value: Against) => void): HTMLLabelElement {
  const label = element('label', 'rnn-field', say('against'));
  const select = label.appendChild(element('select'));
  const names = { steps: say('steps'), tokens: say('tokens'), seconds: say('seconds') };
  select.append(...axes.map(axis => element('option', '', names[axis])));
  select.addEventListener('change', () => {
    chosen(axes[select.selectedIndex] ?? 'steps');
  });
  return label;
}

/** Return a slider from nothing to a tenth of the curve. */
export function smoothingSlider(chosen: (share: number) => void): HTMLLabelElement {
  const label = element('label', 'rnn-field', say('smoothing'));
  const slider = label.appendChild(element('input'));
  slider.type = 'range';
  [slider.min, slider.max, slider.step] = ['0', '10', '1'];
  slider.value = String(100 * SMOOTHING);
  slider.style.width = '6em';
  slider.addEventListener('input', () => {
    chosen(Number(slider.value) / 100);
  });
  slider.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook would go to another cell
  });
  return label;
}
