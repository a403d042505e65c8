/** The JupyterLab extension. Every service of JupyterLab is optional, so Notebook 7 loads it too. */

import { commands } from './runs/commands';
import { contextMenu } from './begin/use_as_corpus';
import { highlight } from './cells/highlight';
import { inspectionRenderer } from './saved/inspection_renderer';
import { language } from './setup/language';
import { launcher } from './begin/launcher';
import { link } from './kernels/open_kernels';
import { notify } from './runs/notify';
import { pageEvents } from './cells/page_events';
import { panel } from './runs/panel';
import { preferences } from './setup/preferences';
import { renderer } from './saved/run_renderer';
import { status } from './runs/status';

export default [
  language,
  preferences,
  link,
  status,
  panel,
  commands,
  pageEvents,
  notify,
  launcher,
  contextMenu,
  highlight,
  renderer,
  inspectionRenderer
];
