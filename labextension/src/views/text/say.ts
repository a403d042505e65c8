/** What the views say, in the language of the page. */

// One catalogue for the views and for JupyterLab, which reads it from the Python package.
import catalogue from '../../../../rnn_magics/locale/zh_CN/LC_MESSAGES/rnn_magics.json';

/** Where the JupyterLab extension notes the language of JupyterLab, for views that do not know it. */
export const LANGUAGE = 'rnnMagicsLanguage';

/** Return a text of the catalogue in the language of the page, with `%1`, `%2`, ... filled in. */
export function say(text: string, ...filled: (string | number)[]): string {
  return said(isChinese(pageLanguages()) ? translated(text) : text, filled);
}

/** Return a text as it is: the catalogue has it, and `say` translates it where it is shown. */
export function marked(text: string): string {
  return text;
}

/** Return the Chinese form of a text; the text itself where the catalogue has none. */
export function translated(text: string): string {
  const entry = Object.hasOwn(catalogue, text) ? catalogue[text] : undefined;
  return (Array.isArray(entry) ? entry[0] : undefined) ?? text;
}

/** Return a text with `%1`, `%2`, ... filled in. */
export function said(text: string, filled: readonly (string | number)[]): string {
  return text.replace(/%(\d)/g, (mark, place: string) => {
    const value = filled[Number(place) - 1];
    return value === undefined ? mark : String(value);
  });
}

export function isChinese(languages: readonly string[]): boolean {
  return languages.some(language => /^zh\b/i.test(language.replace('_', '-')));
}

/**
 * Return the languages that may be the page's: JupyterLab's where its extension is there, else
 * what the document says and what the browser prefers, since many pages claim English always.
 */
function pageLanguages(): string[] {
  const { dataset, lang } = document.documentElement;
  const noted = dataset[LANGUAGE];
  return noted === undefined ? [lang, navigator.language] : [noted];
}
