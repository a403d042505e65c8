import { Alternative, Surprise } from '../../contract/inspection';
import { element, shown } from '../page/dom';
import { colouredText } from '../plots/coloured_text';
import { heading, visible } from '../text/visible';
import { About, View, most } from './about';

/** The text coloured by -log2 p of each token; what else was expected, on hover and focus. */
export function surprise(
  host: HTMLElement,
  first: Surprise,
  about: About<Surprise>
): View<Surprise> {
  let data = first;
  let read: number | null = null;
  const top = element('div');
  const words = element('div');
  const reading = element('div', 'rnn-readout');
  reading.setAttribute('aria-live', 'polite');
  const next = element('div');
  const high = Math.max(1, most(about.frames.flatMap(({ bits }) => bits)));
  const said = (token: number): string => {
    const expected = (data.alternatives[token] ?? []).map(alternative);
    const bits = data.bits[token] ?? null;
    const first = `${heading(data.tokens[token] ?? '')}: ${bits === null ? 'not predicted' : `${shown(bits)} bits`}`;
    return expected.length ? `${first}; expected ${expected.join(', ')}` : first;
  };
  host.append(top, words, reading, next);
  const draw = (): void => {
    top.textContent = `perplexity ${shown(data.perplexity)}; the darker a token, the more it surprises`;
    next.textContent = `after the text: ${data.next.map(alternative).join(', ')}`;
    reading.textContent = read === null ? '' : said(read);
    colouredText(
      words,
      {
        label: 'the text coloured by the surprise of each token',
        scale: 'sequential',
        low: 0,
        high,
        tokens: data.tokens.map(visible),
        values: data.bits.map(bits => bits ?? 0)
      },
      {
        tooltip: token => {
          read = token;
          reading.textContent = said(token);
          return said(token);
        }
      }
    );
  };
  draw();
  return {
    update: other => {
      data = other;
      draw();
    },
    dispose: () => undefined
  };
}

function alternative({ token, p }: Alternative): string {
  return `${heading(token)} ${p === null ? '–' : `${shown(100 * p)}%`}`;
}
