/** The views of `%inspect_rnn`, by name. */

import { Inspection } from '../../contract/inspection';
import { batches } from './batches';
import { gates } from './gates';
import { gradient } from './gradient';
import { hidden } from './hidden';
import { match, units } from './places';
import { surprise } from './surprise';

type Draw<V> = (host: HTMLElement, data: V) => () => void;

const VIEWS: { [V in Inspection['view']]: Draw<Extract<Inspection, { view: V }>> } = {
  hidden,
  gates,
  surprise,
  gradient,
  match,
  units,
  batches
};

/** Draw what was looked at into `host`; return what ends it. */
export function inspect(host: HTMLElement, data: Inspection): () => void {
  host.classList.add('rnn-view', 'rnn-inspection');
  const draw = VIEWS[data.view] as Draw<Inspection>;
  return draw(host, data);
}
