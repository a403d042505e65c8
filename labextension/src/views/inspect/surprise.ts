import { Alternative, Surprise } from '../../contract/inspection';
import { element, shown } from '../dom';
import { colouredText } from '../text';
import { heading, visible } from '../visible';

/** The text coloured by -log2 p of each token; what else was expected, on hover and focus. */
export function surprise(host: HTMLElement, data: Surprise): () => void {
  const words = element('div');
  const reading = element('div', 'rnn-readout');
  reading.setAttribute('aria-live', 'polite');
  const values = data.bits.map(bits => bits ?? 0);
  const high = Math.max(1, ...values);
  const said = (token: number): string => {
    const expected = (data.alternatives[token] ?? []).map(alternative);
    const bits = data.bits[token] ?? null;
    const first = `${heading(data.tokens[token] ?? '')}: ${bits === null ? 'not predicted' : `${shown(bits)} bits`}`;
    return expected.length ? `${first}; expected ${expected.join(', ')}` : first;
  };
  host.append(
    element('div', '', `perplexity ${shown(data.perplexity)}; dark is expected, bright surprises`),
    words,
    reading,
    element('div', '', `after the text: ${data.next.map(alternative).join(', ')}`)
  );
  colouredText(
    words,
    {
      label: 'the text coloured by the surprise of each token',
      scale: 'sequential',
      low: 0,
      high,
      tokens: data.tokens.map(visible),
      values
    },
    {
      tooltip: token => {
        reading.textContent = said(token);
        return said(token);
      }
    }
  );
  return () => undefined;
}

function alternative({ token, p }: Alternative): string {
  return `${heading(token)} ${p === null ? '–' : `${shown(100 * p)}%`}`;
}
