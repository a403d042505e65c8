/** A slider over the epochs of a run. */

import type { Epoch, Looked } from '../../contract/looked';
import { element, shown } from '../page/dom';
import { table } from '../plots/table';
import { say } from '../text/say';

/** Return what is said of an epoch: "epoch 3 of 10, held-out perplexity 4.1". */
export function epochText(epoch: Epoch | undefined, planned: number): string {
  if (epoch === undefined) {
    return '';
  }
  const { valid_perplexity: valid, train_perplexity: train } = epoch;
  const at = say('epoch %1 of %2', epoch.epoch, planned);
  if (valid !== null) {
    return say('%1, held-out perplexity %2', at, shown(valid));
  }
  return train === null ? at : say('%1, training perplexity %2', at, shown(train));
}

/** Return a slider that begins at the last epoch, and a table of all for those who hear it. */
export function epochSlider(
  { epochs, planned, left_out }: Looked,
  chosen: (place: number) => void
): HTMLElement {
  const box = element('div', 'rnn-epochs');
  const label = box.appendChild(element('label', 'rnn-field', `${say('epoch')} `));
  const input = label.appendChild(element('input'));
  input.type = 'range';
  [input.min, input.max, input.step] = ['0', String(epochs.length - 1), '1'];
  input.value = input.max;
  const said = element('span', 'rnn-epoch');
  said.setAttribute('aria-hidden', 'true'); // the slider itself says it
  const tell = (): void => {
    const words = epochText(epochs[Number(input.value)], planned);
    input.setAttribute('aria-valuetext', words);
    said.textContent = words;
  };
  input.addEventListener('input', () => {
    tell();
    chosen(Number(input.value));
  });
  input.addEventListener('keydown', event => {
    event.stopPropagation(); // a notebook would go to another cell
  });
  tell();
  const all = element('div', 'rnn-hidden');
  all.append(
    table(
      [say('epoch'), say('training perplexity'), say('held-out perplexity')],
      epochs.map(({ epoch, train_perplexity, valid_perplexity }) => [
        String(epoch),
        shown(train_perplexity),
        shown(valid_perplexity)
      ])
    )
  );
  box.append(said, all);
  box.append(
    ...left_out.map(({ epoch, said }) =>
      element('div', 'rnn-told', say('epoch %1 left out: %2', epoch, said))
    )
  );
  return box;
}
