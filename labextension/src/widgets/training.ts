import type { AnyModel } from '@anywidget/types';

import { runData, rowsOf } from '../contract/run';
import { Command, dashboard } from '../views/runs/dashboard';
import { commands } from './commands';

/** Show the model's run, follow it, and hand commands to the kernel; return what ends it. */
export function renderTraining(model: AnyModel, host: HTMLElement): () => void {
  const read = () => {
    const series = {
      loss: rowsOf(model.get('loss') as DataView),
      grad_norm: rowsOf(model.get('grad_norm') as DataView)
    };
    const samples: unknown = model.get('samples');
    return runData({ ...(model.get('run') as object), samples, series }, 'run');
  };
  const kernel = commands<Command>(model, host, (message, isRefused) => {
    view.say(message, isRefused);
  });
  const view = dashboard(host, read(), kernel.send);
  const follow = (): void => {
    view.update(read());
  };
  model.on('change:run', follow);
  return () => {
    model.off('change:run', follow);
    kernel.end();
    view.dispose();
  };
}
