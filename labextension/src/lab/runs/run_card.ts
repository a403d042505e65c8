/** One run in the side panel. */

import { element } from '../../views/page/dom';
import { spark, sparkline } from '../../views/plots/spark';
import type { Order, Outcome } from '../kernels/kernel_link';
import type { LinkedRun } from '../kernels/tokens';
import type { Words } from '../setup/translation';
import { heldOut, isAlive, outcomeText, perplexities, progress } from './words';

/** The elements of a run; they stay, so that focus and open details do. */
export class RunCard {
  readonly node = element('section', 'rnn-run');
  private readonly check = element('input');
  private readonly name = element('span', 'rnn-run-name');
  private readonly model = element('div', 'rnn-run-model');
  private readonly where = element('div', 'rnn-run-status');
  private readonly numbers = element('div', 'rnn-run-status');
  private readonly picture = sparkline();
  private readonly options = element('dl', 'rnn-run-options');
  private readonly note = element('div', 'rnn-run-note');
  private readonly bar = element('div', 'rnn-controls');
  private readonly told = element('div', 'rnn-told');
  private readonly pause: HTMLButtonElement;
  private drawn: LinkedRun['entry']['series'] = null;

  constructor(
    private run: LinkedRun,
    private readonly trans: Words,
    onCheck: () => void
  ) {
    this.check.type = 'checkbox';
    this.check.addEventListener('change', onCheck);
    const head = element('label', 'rnn-run-head');
    head.append(this.check, this.name);
    const details = element('details');
    details.append(element('summary', '', trans.__('options')), this.options);
    this.pause = this.button('', () => (this.run.entry.phase === 'paused' ? 'resume' : 'pause'));
    this.bar.append(this.pause, this.button(trans.__('Stop'), () => 'stop'));
    this.told.setAttribute('role', 'status');
    this.node.append(head, this.model, this.picture, this.where, this.numbers, this.note);
    this.node.append(this.bar, this.told, details);
    this.update(run);
  }

  get checked(): boolean {
    return this.check.checked;
  }

  update(run: LinkedRun): void {
    this.run = run;
    const { entry } = run;
    const { trans } = this;
    this.node.setAttribute('aria-label', entry.label);
    this.node.dataset['phase'] = entry.phase;
    this.check.setAttribute('aria-label', trans.__('compare %1', entry.label));
    this.name.textContent = entry.label;
    this.model.textContent = entry.architecture;
    this.where.textContent = progress(entry, trans);
    this.numbers.textContent = heldOut(entry, trans);
    this.note.textContent = entry.message;
    this.bar.hidden = !isAlive(entry);
    this.pause.textContent = entry.phase === 'paused' ? trans.__('Resume') : trans.__('Pause');
    this.draw();
  }

  private draw(): void {
    const { series, options, label } = this.run.entry;
    if (series !== this.drawn && series !== null) {
      this.drawn = series;
      spark(this.picture, series);
    }
    this.picture.setAttribute(
      'aria-label',
      this.trans.__('perplexity of %1: %2', label, perplexities(this.run.entry, this.trans))
    );
    this.picture.toggleAttribute('hidden', (series?.loss.length ?? 0) < 2);
    const said = options.flatMap(([name, value]) => [
      element('dt', '', name),
      element('dd', '', value)
    ]);
    if (this.options.childElementCount !== said.length) {
      this.options.replaceChildren(...said);
    }
  }

  private button(label: string, order: () => Order): HTMLButtonElement {
    const made = element('button', 'rnn-button', label);
    made.type = 'button';
    made.addEventListener('click', () => {
      void this.give(order());
    });
    return made;
  }

  private async give(order: Order): Promise<void> {
    this.told.textContent = '';
    const { entry, link } = this.run;
    const outcome: Outcome = await (order === 'stop'
      ? link.stop(entry)
      : link.order(order, entry.name));
    this.told.textContent = outcomeText(outcome, this.trans);
  }
}
