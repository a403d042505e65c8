/** The runs of the page, as its plugins ask for them. */

import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Entry } from '../../contract/runs';
import type { KernelLink } from './kernel_link';

/** A run, the kernel that has it, and the notebook of that kernel. */
export interface LinkedRun {
  /** Differs between any two runs of the page. */
  key: string;
  entry: Entry;
  link: KernelLink;
  notebook: NotebookPanel;
}

export interface IRuns {
  /** The runs of all open notebooks. */
  readonly all: LinkedRun[];
  /** Those of the notebook in front; empty where there is none. */
  readonly current: LinkedRun[];
  readonly changed: ISignal<IRuns, undefined>;
  /** The kernel of the notebook that a node stands in, if it has one. */
  around(node: Node): KernelLink | null;
}

export const IRuns = new Token<IRuns>('rnn-magics:IRuns');
