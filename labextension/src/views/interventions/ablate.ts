import { Ablate } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { choice } from '../page/fields';
import { colouredText } from '../plots/coloured_text';
import { say } from '../text/say';
import { heading, visible } from '../text/visible';
import { bound, redrawn } from '../look/about';
import { rowOf } from '../look/parts';
import { bars } from './bars';

/** What each unit is worth, and of a text at which of its tokens. */
export const ablate = redrawn<Ablate>((host, data) => {
  captioned(host)(data);
  const name = { unit: say('unit'), units: say('units'), layer: say('layer') }[data.kind];
  host.append(
    element('div', '', say('%1 tokens, %2 nats a token as it is', data.num_tokens, shown(data.nats))),
    bars(
      data.heading,
      [name, say('nats a token'), '95 %', ''],
      data.groups.map((group, place) => {
        const [value, half] = [data.worth[place] ?? 0, data.half[place] ?? 0];
        return { name: group, value, half, told: `${shown(value - half)} … ${shown(value + half)}` };
      })
    )
  );
  if (data.groups.length < data.of) {
    host.append(element('div', 'rnn-told', say('the first %1 of %2', data.groups.length, data.of)));
  }
  if (data.lost.values.length > 0) {
    host.append(whereOf(data, name));
  }
});

/** The text, coloured by how much worse each token is predicted while one of the groups is held. */
function whereOf({ groups, tokens, lost }: Ablate, name: string): HTMLElement {
  const box = element('div');
  const words = element('div');
  const most = bound(lost.values);
  const draw = (group: string): void => {
    const values = [0, ...rowOf(lost, Math.max(0, groups.indexOf(group)))];
    colouredText(
      words,
      {
        label: say('the text coloured by what it costs to hold %1', group),
        measure: say('nats lost'),
        scale: 'diverging',
        low: -most,
        high: most,
        tokens: tokens.map(visible),
        values
      },
      { tooltip: token => say('%1: %2 nats lost', heading(tokens[token] ?? ''), shown(values[token])) }
    );
  };
  const first = groups[0] ?? '';
  box.append(element('div', 'rnn-part', say('Where it is worth something')), choice(name, groups, first, draw), words);
  draw(first);
  return box;
}
