import type { ChartData } from '../../contract/plots';
import { Gradient } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { chart } from '../plots/chart';
import { colouredText } from '../plots/coloured_text';
import { heading, visible } from '../text/visible';
import { About, View, most } from '../look/about';
import { say } from '../text/say';

/** How much each earlier token moves one prediction, and how a gradient fades over time. */
export function gradient(
  host: HTMLElement,
  first: Gradient,
  about: About<Gradient>
): View<Gradient> {
  const tell = captioned(host);
  const words = element('div');
  const curve = element('div');
  host.append(words, curve);
  const high = Math.max(most(about.frames.flatMap(({ norms }) => norms)), Number.MIN_VALUE);
  const draw = (data: Gradient): void => {
    tell(data);
    const read = data.tokens.slice(0, data.norms.length);
    const values = data.norms.map(norm => norm ?? 0);
    colouredText(
      words,
      {
        label: say('the text coloured by the gradient with respect to each token'),
        measure: say('norm of the gradient'),
        scale: 'sequential',
        low: 0,
        high,
        tokens: read.map(visible),
        values
      },
      { tooltip: token => say('%1: norm %2', heading(read[token] ?? ''), shown(values[token])) }
    );
  };
  draw(first);
  const lags = chart(curve, gains(first));
  return {
    update: next => {
      draw(next);
      lags.update(gains(next));
    },
    dispose: () => {
      lags.dispose();
    }
  };
}

function gains({ layer, lags }: Gradient): ChartData {
  return {
    title: say('What is left of a change of the state, layer %1', layer),
    x_label: say('steps back'),
    y_label: say('what is left'),
    scale: 'log',
    x: lags.map((_, lag) => lag),
    series: [{ label: say('left'), values: lags }],
    references: []
  };
}
