/** The JupyterLab extension. Every service of JupyterLab is optional, so Notebook 7 loads it too. */

import { launcher } from './begin/launcher';
import { useAsCorpus } from './begin/use_as_corpus';
import { highlight } from './cells/highlight';
import { pageEvents } from './cells/page_events';
import { openKernels } from './kernels/open_kernels';
import { notify } from './runs/notify';
import { panel } from './runs/panel';
import { status } from './runs/status';
import { steering } from './runs/steering';
import { inspectionRenderer } from './saved/inspection_renderer';
import { runRenderer } from './saved/run_renderer';
import { language } from './setup/language';
import { preferences } from './setup/preferences';

export default [
  language,
  preferences,
  openKernels,
  status,
  panel,
  steering,
  pageEvents,
  notify,
  launcher,
  useAsCorpus,
  highlight,
  runRenderer,
  inspectionRenderer
];
