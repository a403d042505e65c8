import type { AnyModel } from '@anywidget/types';

import { runData, rowsOf } from '../contract/run';
import { askForInterrupt } from '../views/page/asks';
import { Command, dashboard } from '../views/runs/dashboard';
import { say } from '../views/text/say';

/** How long a command may stay unanswered before the reader is told. */
const PATIENCE = 1500;

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
  let asked = 0;
  const send = (command: Command): void => {
    const answered: unknown = model.get('answered');
    asked += 1;
    const number = asked;
    model.send(command);
    setTimeout(() => {
      if (number === asked && model.get('answered') === answered) {
        view.say(
          say(
            'The kernel is busy with the cell; the command takes effect when the cell has finished. Interrupt the kernel to stop at once.'
          )
        );
        if (command.type === 'stop') {
          // The JupyterLab extension, where there is one, interrupts the kernel of this page.
          askForInterrupt(host);
        }
      }
    }, PATIENCE);
  };
  const view = dashboard(host, read(), send);
  const follow = (): void => {
    view.update(read());
  };
  const answer = (): void => {
    view.say(String(model.get('answer')), model.get('refused') === true);
  };
  model.on('change:run', follow);
  model.on('change:answered', answer);
  return () => {
    model.off('change:run', follow);
    model.off('change:answered', answer);
    view.dispose();
  };
}
