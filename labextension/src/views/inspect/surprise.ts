import { Alternative, Surprise } from '../../contract/inspection';
import { captioned } from '../page/captioned';
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
  const tell = captioned(host);
  const words = element('div');
  const next = element('div');
  const high = Math.max(1, most(about.frames.flatMap(({ bits }) => bits)));
  const said = (token: number): string => {
    const expected = (data.alternatives[token] ?? []).map(alternative);
    const bits = data.bits[token] ?? null;
    const first = `${heading(data.tokens[token] ?? '')}: ${bits === null ? 'not predicted' : `${shown(bits)} bits`}`;
    return expected.length ? `${first}; expected ${expected.join(', ')}` : first;
  };
  host.append(words, next);
  const draw = (): void => {
    tell(data);
    next.textContent = `after the text: ${data.next.map(alternative).join(', ')}`;
    colouredText(
      words,
      {
        label: 'the text coloured by the surprise of each token',
        measure: 'surprise in bits',
        scale: 'sequential',
        low: 0,
        high,
        tokens: data.tokens.map(visible),
        values: data.bits.map(bits => bits ?? 0)
      },
      { tooltip: said }
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
