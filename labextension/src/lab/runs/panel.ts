/** The side panel: the runs of all open notebooks. */

import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';

import { element } from '../../views/page/dom';
import { magicLine } from '../../views/text/line';
import { refuse, runCell } from '../cells/insert';
import { IRuns, LinkedRun } from '../kernels/tokens';
import { OPEN_PANEL, addListed } from '../setup/commands';
import { curveIcon } from '../setup/icons';
import { plugin } from '../setup/plugin';
import type { Words } from '../setup/translation';
import { RunCard } from './run_card';

const ID = 'rnn-magics-runs';

/** The runs of one notebook, the newest first, with a button that compares those checked. */
class Group {
  readonly node = element('div', 'rnn-group');
  private readonly title = element('h3', 'rnn-group-title');
  private readonly list = element('div');
  private readonly compare = element('button', 'rnn-button');
  private readonly cards = new Map<string, RunCard>();
  private runs: LinkedRun[] = [];

  constructor(
    private readonly notebook: NotebookPanel,
    private readonly trans: Words
  ) {
    this.compare.type = 'button';
    this.compare.textContent = trans.__('Compare');
    this.compare.addEventListener('click', () => {
      const line = magicLine`%rnn compare ${this.checked().map(({ entry }) => entry.name)}`;
      if (line === null) {
        refuse(this.trans);
      } else {
        void runCell(this.notebook, line);
      }
    });
    this.node.append(this.title, this.compare, this.list);
  }

  update(runs: LinkedRun[]): void {
    this.runs = runs.toReversed();
    this.title.textContent = this.notebook.title.label;
    const keys = new Set(runs.map(({ key }) => key));
    for (const [key, card] of this.cards) {
      if (!keys.has(key)) {
        card.node.remove();
        this.cards.delete(key);
      }
    }
    this.runs.forEach((run, place) => {
      const card = this.card(run);
      if (this.list.children[place] !== card.node) {
        this.list.insertBefore(card.node, this.list.children[place] ?? null);
      }
    });
    this.weigh();
  }

  private card(run: LinkedRun): RunCard {
    const known = this.cards.get(run.key);
    known?.update(run);
    const card = known ?? new RunCard(run, this.trans, this.weigh);
    this.cards.set(run.key, card);
    return card;
  }

  private checked(): LinkedRun[] {
    return this.runs.filter(({ key }) => this.cards.get(key)?.checked === true);
  }

  private readonly weigh = (): void => {
    const number = this.checked().length;
    this.compare.hidden = this.runs.length < 2;
    this.compare.disabled = number < 2;
    this.compare.title = this.compare.disabled
      ? this.trans.__('Select two or more runs to compare them in one figure')
      : this.trans.__('Insert a cell that draws the %1 runs in one figure', number);
  };
}

class RunsPanel extends Widget {
  private readonly groups = new Map<NotebookPanel, Group>();
  private readonly empty = element('p', 'rnn-empty');

  constructor(
    private readonly runs: IRuns,
    private readonly trans: Words
  ) {
    super();
    this.id = ID;
    this.addClass('rnn-panel');
    this.addClass('rnn-view');
    this.title.icon = curveIcon;
    this.title.caption = trans.__('RNN runs');
    this.empty.textContent = trans.__(
      'No run yet. Type %load_ext rnn_magics in a notebook, then %train_rnn.'
    );
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('RNN runs'));
    this.node.append(element('h2', 'rnn-panel-title', trans.__('RNN runs')), this.empty);
    runs.changed.connect(this.draw);
    this.draw();
  }

  private readonly draw = (): void => {
    const all = new Map<NotebookPanel, LinkedRun[]>();
    for (const run of this.runs.all) {
      all.set(run.notebook, [...(all.get(run.notebook) ?? []), run]);
    }
    for (const [notebook, group] of this.groups) {
      if (!all.has(notebook)) {
        group.node.remove();
        this.groups.delete(notebook);
      }
    }
    for (const [notebook, runs] of all) {
      const group = this.groups.get(notebook) ?? new Group(notebook, this.trans);
      if (!this.groups.has(notebook)) {
        this.groups.set(notebook, group);
        this.node.append(group.node);
      }
      group.update(runs);
    }
    this.empty.hidden = all.size > 0;
  };
}

export const panel = plugin({
  id: 'rnn-magics:panel',
  description: 'Lists the runs of all open notebooks.',
  requires: [IRuns],
  optional: [INotebookTracker, ICommandPalette],
  activate: (page, runs, tracker, palette) => {
    const { app, trans } = page;
    if (tracker === null) {
      return; // a page without notebooks
    }
    const made = new RunsPanel(runs, trans);
    app.shell.add(made, 'right', { rank: 900 });
    addListed(page, palette, OPEN_PANEL, {}, {
      label: trans.__('Show RNN Runs'),
      caption: trans.__('Show the panel that lists the runs of all open notebooks'),
      execute: () => {
        app.shell.activateById(made.id);
      }
    });
  }
});
