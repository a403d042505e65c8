import type { AnyModel } from '@anywidget/types';

import { chartData } from '../contract/plots';
import { chart } from '../views/plots/chart';

/** Show the model's `data` as a chart and follow its changes; return what ends it. */
export function renderChart(model: AnyModel, host: HTMLElement): () => void {
  const read = () => chartData(model.get('data'), 'data');
  const view = chart(host, read());
  const follow = (): void => {
    view.update(read());
  };
  model.on('change:data', follow);
  return () => {
    model.off('change:data', follow);
    view.dispose();
  };
}
