/** A model to be touched: type, watch it read, let it go on, change its units. */

import type { Play } from '../../contract/inspection';
import { Network } from '../../model/network';
import { Tokens } from '../../model/reading';
import { Change, Step } from '../../model/walk';
import { captioned } from '../page/captioned';
import { element } from '../page/dom';
import { count, slider } from '../page/fields';
import { button } from '../runs/steering';
import { say } from '../text/say';
import { heading } from '../text/visible';
import { branch, difference } from './branch';
import { listChanges, within, withChange } from './changes';
import { statesView } from './states';
import { Walks, walker } from './walks';

const MOST_WRITTEN = 1000;

/** Draw the model of `first`; no kernel is asked for anything. */
export function play(host: HTMLElement, first: Play): { update: (data: Play) => void; dispose: () => void } {
  let network = new Network(first.model);
  let tokens = new Tokens(first.model.vocab, first.model.spaced);
  let text = first.text;
  let ids = tokens.read(text);
  let { length, temperature, seed } = first;
  let changes: Change[] = [];
  let walks: Walks = { plain: [], changed: null, isWhole: false };

  const tell = captioned(host);
  const typed = element('textarea', 'rnn-typed');
  const label = element('label', 'rnn-field rnn-wide', `${say('text')} `);
  label.append(typed);
  [typed.value, typed.rows] = [text, 2];
  const controls = element('div', 'rnn-controls');
  const said = element('div', 'rnn-status');
  said.setAttribute('role', 'status');
  const branches = element('div', 'rnn-branches');
  const list = element('div');
  const shown = (): readonly Step[] => walks.changed ?? walks.plain;
  const tokenAt = (place: number): string => tokens.vocab[shown()[place]?.token ?? -1] ?? '';

  const change = (next: Change[]): void => {
    changes = next;
    again();
  };
  const states = statesView(first.model, {
    tokenAt,
    changed: made => {
      change(withChange(changes, made));
    },
    changes: () => changes
  });
  const asItIs = branch(say('As it is'), tokens.vocab, place => {
    states.pick(place);
  });
  const other = branch(say('Changed'), tokens.vocab, place => {
    states.pick(place);
  });

  let walking = walker(network, draw);
  const again = (): void => {
    listChanges(list, changes, place => heading(tokenAt(place)), change);
    walking.go(ids, { length, seed, decoding: { temperature, topK: null, topP: null } }, changes);
  };
  function draw(now: Walks): void {
    walks = now;
    const { plain, changed } = now;
    branches.setAttribute('aria-busy', String(!now.isWhole));
    asItIs.show(plain, ids.length, changed);
    if (changed === null) {
      other.say(say('Change a unit below, and what the model writes then stands here.'));
      said.textContent = ids.length === 0 ? say('Type a text for the model to read.') : '';
    } else {
      other.show(changed, ids.length, plain);
      said.textContent = now.isWhole ? difference(plain, changed, ids.length) : '';
    }
    states.show(shown());
  }

  typed.addEventListener('input', () => {
    text = typed.value;
    ids = tokens.read(text);
    changes = within(changes, ids.length + length);
    again();
  });
  typed.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook takes letters for commands
  });
  controls.append(
    slider(say('temperature'), [0, 2], temperature, value => {
      temperature = value;
      again();
    }).label,
    count(say('tokens to write'), [0, MOST_WRITTEN], length, value => {
      length = value;
      changes = within(changes, ids.length + length);
      again();
    }),
    button(say('Other words'), () => {
      seed += 1;
      again();
    })
  );
  branches.append(asItIs.node, other.node);
  host.append(label, controls, branches, said, states.node, list);
  tell(first);
  again();
  return {
    update: next => {
      walking.dispose();
      network = new Network(next.model);
      tokens = new Tokens(next.model.vocab, next.model.spaced);
      ids = tokens.read(text);
      walking = walker(network, draw);
      tell(next);
      again();
    },
    dispose: () => {
      walking.dispose();
      states.dispose();
    }
  };
}
