/** What every plugin of this extension begins with. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';
import type { Token } from '@lumino/coreutils';

import { Words, wordsIn } from './translation';

/** The page that a plugin works on. */
export interface Page {
  app: JupyterFrontEnd;
  trans: Words;
  translator: ITranslator | null;
}

type Tokens = readonly Token<unknown>[];
type Service<T> = T extends Token<infer S> ? S : never;
/** Services in the order of their tokens; an optional one is null where the page lacks it. */
type Services<R extends Tokens, O extends Tokens> = [
  ...{ [K in keyof R]: Service<R[K]> },
  ...{ [K in keyof O]: Service<O[K]> | null }
];

interface Parts<Provided, R extends Tokens, O extends Tokens> {
  id: string;
  description: string;
  provides?: Token<Provided>;
  requires?: R;
  optional?: O;
  activate: (page: Page, ...services: Services<R, O>) => Provided;
}

/** Return a plugin that starts with the page and is given its words and the services it names. */
export function plugin<Provided, const R extends Tokens = [], const O extends Tokens = []>({
  requires,
  optional,
  activate,
  ...named
}: Parts<Provided, R, O>): JupyterFrontEndPlugin<Provided> {
  return {
    ...named,
    autoStart: true,
    requires: [...(requires ?? [])],
    optional: [...(optional ?? []), ITranslator],
    activate: (app: JupyterFrontEnd, ...given: unknown[]) => {
      const translator = given.at(-1) as ITranslator | null;
      const services = given.slice(0, -1) as Services<R, O>;
      return activate({ app, trans: wordsIn(translator), translator }, ...services);
    }
  };
}
