import { Alternative, Surprise } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { colouredText } from '../plots/coloured_text';
import { heading, visible } from '../text/visible';
import { About, View, most } from '../look/about';
import { percent } from '../runs/words';
import { say } from '../text/say';

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
    const name = heading(data.tokens[token] ?? '');
    const first =
      bits === null ? say('%1: not predicted', name) : say('%1: %2 bits', name, shown(bits));
    return expected.length ? say('%1; expected %2', first, expected.join(', ')) : first;
  };
  host.append(words, next);
  const draw = (): void => {
    tell(data);
    next.textContent = say('after the text: %1', data.next.map(alternative).join(', '));
    colouredText(
      words,
      {
        label: say('the text coloured by the surprise of each token'),
        measure: say('surprise in bits'),
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
  return `${heading(token)} ${p === null ? '–' : percent(p)}`;
}
