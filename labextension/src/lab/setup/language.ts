/** The language of JupyterLab, for all that this extension and the views say. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { LANGUAGE, isChinese, said, translated } from '../../views/text/words';
import type { Words } from '../runs/words';

/**
 * Return what translates the texts of this extension. Chinese comes from our own catalogue, since
 * JupyterLab reads that of a package only where its language pack is installed too.
 */
export function wordsIn(translator: ITranslator | null): Words {
  if (translator !== null && isChinese([languageOf(translator)])) {
    return { __: (text: string, ...filled: (string | number)[]) => said(translated(text), filled) };
  }
  return (translator ?? nullTranslator).load('rnn_magics');
}

/** Return the language that JupyterLab speaks; before 4.3 only its bundles tell. */
export function languageOf(translator: ITranslator): string {
  const { languageCode } = translator as Partial<ITranslator>;
  if (languageCode !== undefined) {
    return languageCode;
  }
  const bundle = translator.load('rnn_magics') as { getLocale?: () => string };
  return bundle.getLocale?.() ?? 'en';
}

export const language: JupyterFrontEndPlugin<void> = {
  id: 'rnn-magics:language',
  description: 'Tells the views in notebooks which language JupyterLab speaks.',
  autoStart: true,
  optional: [ITranslator],
  activate: (_app: JupyterFrontEnd, translator: ITranslator | null) => {
    if (translator !== null) {
      document.documentElement.dataset[LANGUAGE] = languageOf(translator);
    }
  }
};
