/** What this extension says, in the language of JupyterLab. */

import { ITranslator, TranslationBundle, nullTranslator } from '@jupyterlab/translation';

import { isChinese, said, translated } from '../../views/text/say';

export type Words = Pick<TranslationBundle, '__'>;

/**
 * Return what translates the texts of this extension. Chinese comes from our own catalogue, since
 * JupyterLab reads that of a package only where its language pack is installed too.
 */
export function wordsIn(translator: ITranslator | null): Words {
  if (speaksChinese(translator)) {
    return { __: (text: string, ...filled: (string | number)[]) => said(translated(text), filled) };
  }
  return (translator ?? nullTranslator).load('rnn_magics');
}

/** Tell whether JupyterLab speaks Chinese. */
export function speaksChinese(translator: ITranslator | null): boolean {
  return translator !== null && isChinese([languageOf(translator)]);
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
