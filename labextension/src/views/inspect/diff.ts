import { Diff } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { colouredText } from '../plots/coloured_text';
import { say } from '../text/say';
import { heading, visible } from '../text/visible';
import { bound, redrawn } from '../look/about';
import { excerpt, titled } from '../look/parts';

/** Where one run is more surprised than another, in a text and in the held-out part of a corpus. */
export const diff = redrawn<Diff>((host, data) => {
  const [first = '', second = ''] = data.runs;
  const differs = data.bits.map((bits, token) => (bits ?? 0) - (data.other_bits[token] ?? 0));
  const all = data.passages.flat().flatMap(({ values }) => values.map(value => value ?? 0));
  const most = bound([...differs, ...all]);
  const words = element('div');
  captioned(host)(data);
  host.append(words);
  colouredText(
    words,
    {
      label: say('the text coloured by the surprise of %1 less that of %2', first, second),
      measure: say('bits of %1 less %2', first, second),
      scale: 'diverging',
      low: -most,
      high: most,
      tokens: data.tokens.map(visible),
      values: differs
    },
    {
      tooltip: token => {
        const name = heading(data.tokens[token] ?? '');
        const [one, other] = [data.bits[token] ?? null, data.other_bits[token]];
        return one === null
          ? say('%1: not predicted', name)
          : say('%1: %2 bits by %3, %4 by %5', name, shown(one), first, shown(other), second);
      }
    }
  );
  data.runs.forEach((run, at) => {
    const found = data.passages[at] ?? [];
    if (found.length > 0) {
      titled(host, say('%1 is better by most, in %2 tokens of the corpus', run, data.searched)).append(
        ...found.map(({ tokens, focus, values, gain, start }) => {
          const line = element('div', 'rnn-place');
          const where = say('%1 bits at %2', shown(Math.abs(gain ?? 0)), start + (focus[0] ?? 0));
          line.append(element('span', 'rnn-where', where), ...excerpt(tokens, focus, values, most));
          return line;
        })
      );
    }
  });
});
