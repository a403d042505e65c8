/** The language of JupyterLab, for all that this extension and the views say. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { LANGUAGE, isChinese, said, translated } from '../views/words';
import type { Words } from './words';

/**
 * Return what translates the texts of this extension. Chinese comes from our own catalogue, since
 * JupyterLab reads that of a package only where its language pack is installed too.
 */
export function wordsIn(translator: ITranslator | null): Words {
  if (translator !== null && isChinese([translator.languageCode])) {
    return { __: (text: string, ...filled: (string | number)[]) => said(translated(text), filled) };
  }
  return (translator ?? nullTranslator).load('rnn_magics');
}

export const language: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:language',
  description: 'Tells the views in notebooks which language JupyterLab speaks.',
  autoStart: true,
  optional: [ITranslator],
  activate: (_app: JupyterFrontEnd, translator: ITranslator | null) => {
    if (translator !== null) {
      document.documentElement.dataset[LANGUAGE] = translator.languageCode;
    }
  }
};
