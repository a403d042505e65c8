/** The notebook behind the launcher card: six lines, and what to watch for. */

import type { Contents } from '@jupyterlab/services';

import type { Words } from '../setup/translation';

export const NAME = 'rnn_magics quickstart.ipynb';

/** Write the notebook into a folder unless it is there already, and return its path. */
export async function placed(
  contents: Pick<Contents.IManager, 'get' | 'save'>,
  folder: string,
  content: object
): Promise<string> {
  const path = folder === '' || folder.endsWith(':') ? `${folder}${NAME}` : `${folder}/${NAME}`;
  const there = await contents.get(path, { content: false }).then(
    () => true,
    () => false
  );
  if (!there) {
    await contents.save(path, { type: 'notebook', format: 'json', content });
  }
  return path;
}

/** Return the notebook as JSON, its prose in the language of the page. */
export function quickstart(trans: Words): object {
  const cells = [
    markdown(
      `# ${trans.__('A recurrent language model in six lines')}`,
      trans.__('Run the cells one by one with Shift+Enter. Nothing is downloaded.')
    ),
    code('%load_ext rnn_magics'),
    markdown(trans.__('The text. `%corpus my_notes.txt` loads your own.')),
    code('%corpus'),
    markdown(trans.__('Tokens and their indices; here a token is one character.')),
    code('vocab = %vocab --token char\nvocab'),
    markdown(trans.__('Minibatches: rows of text that are read side by side.')),
    code('%sample seq --batch-size 32 --num-steps 64'),
    markdown(
      trans.__(
        'Training. Perplexity 1 is perfect; a uniform guess has the size of the vocabulary. The status bar, the runs panel and the view below are updated during training.'
      )
    ),
    code('run = %train_rnn --cell gru --num-hiddens 128 --epochs 4 --clip 1'),
    markdown(trans.__('Generation. The prefix sets the state of the model; then the model draws one token after another.')),
    code('%generate "the " --length 200 --temperature 0.7'),
    markdown(
      trans.__(
        'Every magic has help (`%train_rnn?`), completes its options with Tab, and shows the Python call behind it with `--explain`.'
      )
    ),
    code('%rnn')
  ];
  return {
    cells,
    metadata: {
      kernelspec: { name: 'python3', display_name: 'Python 3 (ipykernel)', language: 'python' },
      // Cells are known as IPython's, and coloured, before the kernel says so.
      language_info: { name: 'python', codemirror_mode: { name: 'ipython', version: 3 } }
    },
    nbformat: 4,
    nbformat_minor: 4
  };
}

function markdown(...lines: string[]): object {
  return { cell_type: 'markdown', metadata: {}, source: lines.join('\n\n') };
}

function code(source: string): object {
  return { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source };
}
