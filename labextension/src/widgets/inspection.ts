import type { AnyModel } from '@anywidget/types';

import { looked } from '../contract/looked';
import { inspect } from '../views/inspect';
import type { Ask } from '../views/look/about';

/** Show what the model's `data` says of a look into a model; return what ends it. */
export function renderInspection(model: AnyModel, host: HTMLElement): () => void {
  const data = looked(model.get('data'), 'data');
  const waiting = new Map<unknown, (reply: unknown) => void>();
  const hear = (reply: { type?: unknown; id?: unknown }): void => {
    if (reply.type === 'found') {
      waiting.get(reply.id)?.(reply);
      waiting.delete(reply.id);
    }
  };
  const ask: Ask = question => {
    const id = crypto.getRandomValues(new Uint32Array(1))[0];
    model.send({ type: 'search', id, look: data.origin.look, ...question });
    return new Promise(resolve => waiting.set(id, resolve));
  };
  model.on('msg:custom', hear);
  const end = inspect(host, data, data.origin.look === '' ? undefined : ask);
  return () => {
    model.off('msg:custom', hear);
    end();
  };
}
