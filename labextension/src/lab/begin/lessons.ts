/** The lessons behind the launcher card: this project's examples, copied to where a user works. */

import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

export const FOLDER = 'rnn_magics lessons';
/** Where the Chinese form of every file is, under the same name. */
export const CHINESE = 'zh';
/** In the order in which they are read. */
export const LESSONS = [
  '01_quickstart.ipynb',
  '03_sequence_models.ipynb',
  '04_text_and_zipf.ipynb',
  '05_random_or_sequential.ipynb',
  '06_rnn_perplexity_clipping.ipynb',
  '07_gru_lstm_deep_bidirectional.ipynb',
  '08_your_own_cell.ipynb',
  '09_looking_inside.ipynb',
  '10_touch.ipynb',
  '11_sweep.ipynb',
  '12_your_own_text.ipynb'
];
/** The scripts that lessons link to. */
export const SCRIPTS = ['02_same_in_python.py'];
/** The drawings that lessons show, and the folder that they are in. */
export const FIGURES = 'figures';
export const DRAWINGS = [
  'bars.svg',
  'batchings.svg',
  'carried.svg',
  'clipping.svg',
  'deep.svg',
  'factors.svg',
  'gates.svg',
  'held.svg',
  'ladder.svg',
  'magics.svg',
  'one_gate.svg',
  'one_or_many_steps.svg',
  'own_cell.svg',
  'parts.svg',
  'patch.svg',
  'pruning.svg',
  'reach.svg',
  'row.svg',
  'units.svg',
  'unrolled.svg',
  'way.svg',
  'window_or_state.svg',
  'zipf.svg'
];

type Copy = Partial<Contents.IModel>;

/** Return the lesson behind that of a path; null behind the last, and behind what is no lesson. */
export function nextLesson(path: string): string | null {
  const place = LESSONS.indexOf(nameOf(path));
  return place < 0 ? null : (LESSONS[place + 1] ?? null);
}

/** Return the folder for the lessons of somebody who works in a folder, which may be that one. */
export function lessonsIn(folder: string): string {
  return nameOf(folder) === FOLDER ? folder : inside(folder, FOLDER);
}

/**
 * Write files into a folder, which is made where it is not there. A file that is there stays as it
 * is. What is there, the listings tell: a failed request is no proof that there is nothing to lose.
 */
export async function placed(
  contents: Pick<Contents.IManager, 'get' | 'save'>,
  folder: string,
  names: readonly string[],
  copy: (name: string) => Promise<Copy>
): Promise<void> {
  const listed = async (path: string): Promise<string[]> => {
    const listing = await contents.get(path, { type: 'directory', content: true });
    return (listing.content as Contents.IModel[]).map(({ name }) => name);
  };
  let there: string[] = [];
  if (nameOf(folder) === '' || (await listed(parentOf(folder))).includes(nameOf(folder))) {
    there = await listed(folder);
  } else {
    await contents.save(folder, { type: 'directory' });
  }
  const missing = names.filter(name => !there.includes(name));
  await Promise.all(
    missing.map(async name => contents.save(inside(folder, name), await copy(name)))
  );
}

/** Fetch a lesson or what it shows, which is served beside this extension, as it is saved. */
export async function lesson(name: string, chinese: boolean): Promise<Copy> {
  const place = PageConfig.getOption('fullLabextensionsUrl');
  const served = URLExt.join(place, 'rnn-magics', 'lessons', chinese ? CHINESE : '', name);
  const answer = await fetch(served);
  if (!answer.ok) {
    throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  }
  if (!name.endsWith('.ipynb')) {
    return { type: 'file', format: 'text', content: await answer.text() };
  }
  return { type: 'notebook', format: 'json', content: (await answer.json()) as unknown };
}

/** Return the path of a file inside a folder, which may be that of a drive or of everything. */
export function inside(folder: string, name: string): string {
  return folder === '' || folder.endsWith(':') ? `${folder}${name}` : `${folder}/${name}`;
}

/** Return the folder that a path is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.length - nameOf(path).length).replace(/\/$/, '');
}

function nameOf(path: string): string {
  return path.replace(/^.*[/:]/, '');
}
