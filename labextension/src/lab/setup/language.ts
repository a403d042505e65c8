/** Tells the views in notebooks the language of JupyterLab. */

import { LANGUAGE } from '../../views/text/say';
import { plugin } from './plugin';
import { languageOf } from './translation';

export const language = plugin({
  id: 'rnn-magics:language',
  description: 'Tells the views in notebooks the language of JupyterLab.',
  activate: ({ translator }) => {
    if (translator !== null) {
      document.documentElement.dataset[LANGUAGE] = languageOf(translator);
    }
  }
});
