/** The views of `%inspect_rnn`, by name. */

import { Inspection } from '../../contract/inspection';
import type { Looked } from '../../contract/looked';
import { element } from '../page/dom';
import type { Ask, Draw } from '../look/about';
import { batches } from './batches';
import { epochSlider } from './epochs';
import { gates } from './gates';
import { gradient } from './gradient';
import { hidden } from './hidden';
import { match, units } from './places';
import { ablate } from '../interventions/ablate';
import { patch } from '../interventions/patch';
import { probe } from '../interventions/probe';
import { play } from '../play/play';
import { diff } from './diff';
import { surprise } from './surprise';

const VIEWS: { [V in Inspection['view']]: Draw<Extract<Inspection, { view: V }>> } = {
  hidden,
  gates,
  surprise,
  gradient,
  match,
  units,
  batches,
  play,
  patch,
  ablate,
  probe,
  diff
};

/** Draw what was looked at into `host`; return what ends it. */
export function inspect(host: HTMLElement, data: Looked, ask: Ask = () => null): () => void {
  host.classList.add('rnn-view', 'rnn-inspection');
  const { frames, epochs, origin } = data;
  let place = frames.length - 1;
  const body = element('div');
  const draw = VIEWS[frames[0].view] as Draw<Inspection>;
  const view = draw(body, frames[place] ?? frames[0], {
    frames,
    origin,
    epoch: () => epochs[place]?.epoch ?? null,
    ask
  });
  if (epochs.length > 0) {
    host.append(
      epochSlider(data, chosen => {
        const next = frames[chosen];
        if (next !== undefined) {
          place = chosen;
          view.update(next);
        }
      })
    );
  }
  host.append(body);
  if (origin.note !== '') {
    host.append(element('div', 'rnn-told', origin.note));
  }
  return () => {
    view.dispose();
  };
}
