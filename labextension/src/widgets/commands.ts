import type { AnyModel } from '@anywidget/types';

import { askForInterrupt } from '../views/page/asks';
import { say } from '../views/text/say';

/** How long a command may stay unanswered before the reader is told. */
const PATIENCE = 1500;

export interface Commands<C> {
  send: (command: C) => void;
  end: () => void;
}

/** Hand commands to the kernel; `tell` takes its answers, and what to do where it is too busy. */
export function commands<C extends { type: string }>(
  model: AnyModel,
  host: HTMLElement,
  tell: (message: string, isRefused?: boolean) => void
): Commands<C> {
  let asked = 0;
  const answer = (): void => {
    tell(String(model.get('answer')), model.get('refused') === true);
  };
  model.on('change:answered', answer);
  return {
    send: command => {
      const answered: unknown = model.get('answered');
      asked += 1;
      const number = asked;
      model.send(command);
      setTimeout(() => {
        if (number === asked && model.get('answered') === answered) {
          tell(
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
    },
    end: () => {
      model.off('change:answered', answer);
    }
  };
}
