import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { describe, expect, it } from 'vitest';

import { plugin } from '../src/lab/setup/plugin';

const INumber = new Token<number>('test:number');
const IText = new Token<string>('test:text');
const app = {} as unknown as JupyterFrontEnd;

describe('a plugin', () => {
  const made = plugin({
    id: 'test:plugin',
    description: 'Says what it is given.',
    provides: IText,
    requires: [INumber],
    optional: [IText],
    activate: (page, count, text) =>
      [page.app === app, page.trans.__('Stop'), count.toFixed(1), text?.trim() ?? 'none'].join()
  });
  const chinese = { languageCode: 'zh_CN' } as ITranslator;

  it('starts with the page, and asks for its words besides its own services', () => {
    expect(made).toMatchObject({ id: 'test:plugin', autoStart: true, provides: IText });
    expect(made.requires).toEqual([INumber]);
    expect(made.optional).toEqual([IText, ITranslator]);
  });
  it('is given its services in their order, and the words of the page', () => {
    expect(made.activate(app, 3, ' a ', chinese)).toBe('true,停止,3.0,a');
    expect(made.activate(app, 3, null, null)).toBe('true,Stop,3.0,none');
  });
  it('may need nothing', () => {
    const alone = plugin({ id: 'test:alone', description: '', activate: ({ trans }) => trans.__('Stop') });
    expect(alone.optional).toEqual([ITranslator]);
    expect(alone.activate(app, chinese)).toBe('停止');
  });
});
