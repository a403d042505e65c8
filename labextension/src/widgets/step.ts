import type { AnyModel } from '@anywidget/types';

import { Step, step } from '../views/page/step';

/** Show the heading of a step of the control panel; return what ends it. */
export function renderStep(model: AnyModel, host: HTMLElement): () => void {
  const read = (): Step => ({
    number: Number(model.get('number')),
    title: String(model.get('title')),
    said: String(model.get('said')),
    isDone: model.get('is_done') === true,
    isOpen: model.get('is_open') === true
  });
  const view = step(host, read(), () => {
    model.set('is_open', model.get('is_open') !== true);
    model.save_changes();
  });
  const follow = (): void => {
    view.update(read());
  };
  const changes = ['change:said', 'change:is_done', 'change:is_open'];
  changes.forEach(change => {
    model.on(change, follow);
  });
  model.on('change:brought', view.bring);
  return () => {
    changes.forEach(change => {
      model.off(change, follow);
    });
    model.off('change:brought', view.bring);
    host.replaceChildren();
  };
}
