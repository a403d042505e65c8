import type { AnyModel } from '@anywidget/types';

import { sweepData } from '../contract/sweep';
import { board, Command } from '../views/sweeps/board';
import { commands } from './commands';

/** Show the model's sweep, follow it, and hand commands to the kernel; return what ends it. */
export function renderSweep(model: AnyModel, host: HTMLElement): () => void {
  const read = () => sweepData(model.get('sweep'), 'sweep');
  const kernel = commands<Command>(model, host, (message, isRefused) => {
    view.say(message, isRefused);
  });
  const view = board(host, read(), kernel.send);
  const follow = (): void => {
    view.update(read());
  };
  model.on('change:sweep', follow);
  return () => {
    model.off('change:sweep', follow);
    kernel.end();
    view.dispose();
  };
}
