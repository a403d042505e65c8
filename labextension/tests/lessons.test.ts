import type { ITranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import {
  FOLDER,
  LESSONS,
  lesson,
  lessonsIn,
  nextLesson,
  parentOf,
  placed
} from '../src/lab/begin/lessons';
import { speaksChinese } from '../src/lab/setup/translation';

describe('the lessons', () => {
  /** A folder of notebooks in memory: what each path holds; a folder holds nothing itself. */
  const drive = (...paths: string[]) => {
    const held = new Map(paths.map(path => [path, 'mine']));
    return {
      held,
      get: vi.fn((folder: string, { content }: { content?: boolean }) => {
        if (content !== true) {
          return Promise.resolve({ content: null });
        }
        if (folder !== '' && held.get(folder) !== 'folder') {
          return Promise.reject(new Error(`${folder} is no folder`));
        }
        const names = [...held.keys()].filter(path => parentOf(path) === folder);
        return Promise.resolve({ content: names.map(path => ({ name: path.split('/').at(-1) })) });
      }),
      save: vi.fn((path: string, model: { type?: string }) => {
        held.set(path, model.type === 'directory' ? 'folder' : 'ours');
        return Promise.resolve({});
      })
    };
  };
  const copy = () => Promise.resolve({ type: 'notebook' });

  it('are copied beside what is there, which stays as it is', async () => {
    const made = drive('notes.ipynb');
    await placed(made as never, lessonsIn(''), LESSONS, copy);
    expect(made.held.get(`${FOLDER}/${LESSONS[0]}`)).toBe('ours');
    expect(made.held.size).toBe(LESSONS.length + 2);
    made.held.set(`${FOLDER}/${LESSONS[0]}`, 'mine');
    made.held.delete(`${FOLDER}/${LESSONS[1]}`);
    made.save.mockClear();
    await placed(made as never, lessonsIn(''), LESSONS, copy);
    expect(made.save.mock.calls.map(([path]) => path)).toEqual([`${FOLDER}/${LESSONS[1]}`]);
    expect(made.held.get(`${FOLDER}/${LESSONS[0]}`)).toBe('mine');
  });
  it('replace nothing where a listing fails', async () => {
    const made = drive('a');
    made.held.set('a', 'folder').set(`a/${FOLDER}`, 'folder').set(`a/${FOLDER}/${LESSONS[0]}`, 'mine');
    const { get } = made;
    made.get = vi.fn((path: string, options: { content?: boolean }) =>
      path === `a/${FOLDER}` ? Promise.reject(new Error('503')) : get(path, options)
    );
    await expect(placed(made as never, lessonsIn('a'), LESSONS, copy)).rejects.toThrow('503');
    expect(made.save).not.toHaveBeenCalled();
  });
  it('are not put where a file has the name of their folder', async () => {
    const made = drive(FOLDER);
    await expect(placed(made as never, FOLDER, LESSONS, copy)).rejects.toThrow('is no folder');
    expect(made.save).not.toHaveBeenCalled();
  });
  it('know their folder, and the one behind each', () => {
    expect(lessonsIn('a/b')).toBe(`a/b/${FOLDER}`);
    expect(lessonsIn(`a/${FOLDER}`)).toBe(`a/${FOLDER}`);
    expect(lessonsIn('drive:')).toBe(`drive:${FOLDER}`);
    expect(parentOf(`drive:${FOLDER}`)).toBe('drive:');
    expect(parentOf('a/b/c.ipynb')).toBe('a/b');
    expect(nextLesson(`a/${LESSONS[0]}`)).toBe(LESSONS[1]);
    expect([nextLesson(LESSONS.at(-1) ?? ''), nextLesson('a/notes.ipynb')]).toEqual([null, null]);
  });
  it('are fetched in the language of the page', async () => {
    const notebook = { cells: [], nbformat: 4 };
    const asked = vi.fn((place: string) =>
      Promise.resolve(
        place.includes('10_') ? new Response('', { status: 404 }) : Response.json(notebook)
      )
    );
    vi.stubGlobal('fetch', asked);
    const first = '01_quickstart.ipynb';
    expect(await lesson(first, false)).toEqual({ type: 'notebook', format: 'json', content: notebook });
    await lesson(first, true);
    expect((await lesson('figures/gates.svg', true)).content).toBe(JSON.stringify(notebook));
    await expect(lesson('10_none.ipynb', true)).rejects.toThrow('10_none.ipynb: 404');
    const places = asked.mock.calls.map(([place]) => place.replace(/^.*lessons/, ''));
    expect(places).toEqual([
      `/${first}`,
      `/zh/${first}`,
      '/zh/figures/gates.svg',
      '/zh/10_none.ipynb'
    ]);
    vi.unstubAllGlobals();
  });
  it('are Chinese where JupyterLab is', () => {
    const speaking = (languageCode: string) => speaksChinese({ languageCode } as ITranslator);
    expect([speaking('zh_CN'), speaking('en'), speaksChinese(null)]).toEqual([true, false, false]);
  });
});
