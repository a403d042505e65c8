import { Gradient } from '../../contract/inspection';
import { chart } from '../chart';
import { element, shown } from '../dom';
import { colouredText } from '../text';
import { heading, visible } from '../visible';

/** How much each earlier token moves one prediction, and how a gradient fades over time. */
export function gradient(host: HTMLElement, data: Gradient): () => void {
  const words = element('div');
  const curve = element('div');
  const target = `log p of ${heading(data.target)} = ${shown(data.log_p)} nats`;
  host.append(element('div', '', `${target}, after token ${data.step}; brighter moves it more`));
  host.append(words, curve);
  const read = data.tokens.slice(0, data.norms.length);
  const values = data.norms.map(norm => norm ?? 0);
  colouredText(
    words,
    {
      label: 'the text coloured by the gradient with respect to each token',
      scale: 'sequential',
      low: 0,
      high: Math.max(...values, Number.MIN_VALUE),
      tokens: read.map(visible),
      values
    },
    { tooltip: token => `${heading(read[token] ?? '')}: norm ${shown(values[token])}` }
  );
  const lags = chart(curve, {
    title: `Gradient of the state over time, layer ${data.layer}`,
    x_label: 'steps back',
    y_label: 'gain',
    scale: 'log',
    x: data.lags.map((_, lag) => lag),
    series: [{ label: 'gain', values: data.lags }],
    references: []
  });
  return () => {
    lags.dispose();
  };
}
