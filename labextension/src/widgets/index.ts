import 'uplot/dist/uPlot.min.css';
import '../../style/base.css';

import type { AnyModel } from '@anywidget/types';

import { guarded } from '../views/page/guarded';
import { say } from '../views/text/say';
import { renderChart } from './chart';
import { renderInserter } from './inserter';
import { renderInspection } from './inspection';
import { renderStep } from './step';
import { renderSweep } from './sweep';
import { renderTraining } from './training';

type Render = (model: AnyModel, host: HTMLElement) => () => void;

/** Each view by the name that its Python widget carries in `_view`. */
const VIEWS = new Map<unknown, Render>([
  ['chart', renderChart],
  ['inserter', renderInserter],
  ['inspection', renderInspection],
  ['step', renderStep],
  ['sweep', renderSweep],
  ['training', renderTraining]
]);

function render({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const view = VIEWS.get(model.get('_view'));
  if (view === undefined) {
    el.textContent = say(
      'This view is not in the bundle of rnn_magics: reload the page.'
    );
    return () => undefined;
  }
  return guarded(el, '', () => {
    const end = view(model, el);
    el.classList.toggle('rnn-live', model.get('is_kept') === true); // so what is kept is hidden
    return end;
  });
}

export default { render };
