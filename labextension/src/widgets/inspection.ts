import type { AnyModel } from '@anywidget/types';

import { inspection } from '../contract/inspection';
import { inspect } from '../views/inspect';

/** Show what the model's `data` says of a look into a model; return what ends it. */
export function renderInspection(model: AnyModel, host: HTMLElement): () => void {
  return inspect(host, inspection(model.get('data'), 'data'));
}
