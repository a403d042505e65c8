import type { ChartData } from '../../contract/plots';
import { Patch } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { chart, ChartView } from '../plots/chart';
import { colouredText } from '../plots/coloured_text';
import { say } from '../text/say';
import { heading, isSpaced, visible } from '../text/visible';
import { About, bound, View } from '../look/about';
import { titled } from '../look/parts';

/** How a changed state changes what is expected, how long it is felt, and what is written. */
export function patch(host: HTMLElement, first: Patch, about: About<Patch>): View<Patch> {
  const tell = captioned(host);
  const words = element('div');
  const curve = element('div');
  const written = element('div', 'rnn-branches');
  host.append(words, curve, written);
  const most = bound(about.frames.flatMap(frame => more(frame)));
  let lags: ChartView | null = null;
  const draw = (data: Patch): void => {
    tell(data);
    const values = more(data);
    colouredText(
      words,
      {
        label: say('the text coloured by how much more each token surprises with the change'),
        measure: say('bits more with the change'),
        scale: 'diverging',
        low: -most,
        high: most,
        tokens: data.tokens.map(visible),
        values
      },
      { tooltip: token => told(data, token) }
    );
    written.replaceChildren(...goesOn(data));
    if (data.felt.length > 1) {
      lags ??= chart(curve, felt(data));
      lags.update(felt(data));
    }
  };
  draw(first);
  return {
    update: draw,
    dispose: () => {
      lags?.dispose();
    }
  };
}

/** Return by how many bits each token surprises more with the change. */
function more({ bits, changed_bits }: Patch): number[] {
  return bits.map((value, token) => (changed_bits[token] ?? 0) - (value ?? 0));
}

function told({ tokens, bits, changed_bits, felt }: Patch, token: number): string {
  const name = heading(tokens[token] ?? '');
  const before = bits[token] ?? null;
  const first =
    before === null
      ? say('%1: not predicted', name)
      : say('%1: %2 bits, with the change %3', name, shown(before), shown(changed_bits[token]));
  const lag = token - (tokens.length - felt.length);
  return lag < 0 ? first : say('%1; felt after it: %2 nats', first, shown(felt[lag]));
}

function felt({ felt }: Patch): ChartData {
  return {
    title: say('How long the change is felt'),
    x_label: say('tokens after the change'),
    y_label: say('felt, in nats'),
    scale: 'linear',
    x: felt.map((_, lag) => lag),
    series: [{ label: say('felt'), values: felt }],
    references: []
  };
}

/** The two continuations; what differs in the second is underlined. */
function goesOn({ written, changed_written }: Patch): HTMLElement[] {
  if (written.length + changed_written.length === 0) {
    return [];
  }
  return (
    [
      [say('It goes on'), written],
      [say('With the change'), changed_written]
    ] as const
  ).map(([title, tokens]) => {
    const node = element('section', 'rnn-branch');
    node.setAttribute('aria-label', title);
    const text = element('div', isSpaced(tokens) ? 'rnn-text rnn-spaced' : 'rnn-text');
    text.append(
      ...tokens.map((token, at) => {
        const differs = tokens === changed_written && token !== written[at];
        return element('span', differs ? 'rnn-written rnn-differs' : '', visible(token));
      })
    );
    titled(node, title).append(text);
    return node;
  });
}
