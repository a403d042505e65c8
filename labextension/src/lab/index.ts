/** The JupyterLab extension. Every service of JupyterLab is optional, so Notebook 7 loads it too. */

import { commands } from './commands';
import { contextMenu } from './context_menu';
import { highlight } from './highlight';
import { inspectionRenderer } from './inspection_renderer';
import { language } from './language';
import { launcher } from './launcher';
import { link } from './link';
import { notify } from './notify';
import { pageEvents } from './page_events';
import { panel } from './panel';
import { preferences } from './preferences';
import { renderer } from './renderer';
import { status } from './status';

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
