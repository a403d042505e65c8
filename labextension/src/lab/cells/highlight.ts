/** Colours our magic lines in notebooks, and the text of %%corpus cells as plain text. */

import { Extension, RangeSetBuilder } from '@codemirror/state';
import { Decoration, DecorationSet, EditorView, ViewPlugin, ViewUpdate } from '@codemirror/view';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';

import { plugin } from '../setup/plugin';
import { IPreferences } from '../setup/preferences';
import { Kind, isCorpusCell, spans } from './spans';

const MARKS: Record<Kind, Decoration> = {
  magic: Decoration.mark({ class: 'rnn-code-magic' }),
  option: Decoration.mark({ class: 'rnn-code-option' }),
  quoted: Decoration.mark({ class: 'rnn-code-quoted' })
};
/** The rest of a magic line, which is no Python. */
const PLAIN = Decoration.mark({ class: 'rnn-code-plain' });

/** Return what is coloured in the visible part of a document. */
export function decorations(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { doc } = view.state;
  const isCorpus = isCorpusCell(doc.line(1).text);
  for (const visible of view.visibleRanges) {
    for (let place = visible.from; place <= visible.to; ) {
      const line = doc.lineAt(place);
      const found = isCorpus && line.number > 1 ? [] : spans(line.text);
      if (found.length > 0 || (isCorpus && line.number > 1)) {
        markLine(builder, line.from, line.to, found);
      }
      place = line.to + 1;
    }
  }
  return builder.finish();
}

function markLine(
  builder: RangeSetBuilder<Decoration>,
  from: number,
  to: number,
  found: ReturnType<typeof spans>
): void {
  let done = found[0] === undefined ? from : from + found[0].from; // before it stands Python
  for (const span of found) {
    if (from + span.from > done) {
      builder.add(done, from + span.from, PLAIN);
    }
    done = from + span.to;
    builder.add(from + span.from, done, MARKS[span.kind]);
  }
  if (to > done) {
    builder.add(done, to, PLAIN);
  }
}

/** Return the extension of an editor; `wanted` tells whether it is to colour now. */
export function highlighting(wanted: () => boolean, views: Set<EditorView>): Extension {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      private on = wanted();

      constructor(private readonly view: EditorView) {
        views.add(view);
        this.decorations = this.on ? decorations(view) : Decoration.none;
      }

      update({ docChanged, viewportChanged, view }: ViewUpdate): void {
        const on = wanted();
        if (docChanged || viewportChanged || on !== this.on) {
          this.on = on;
          this.decorations = on ? decorations(view) : Decoration.none;
        }
      }

      destroy(): void {
        views.delete(this.view);
      }
    },
    { decorations: plugin => plugin.decorations }
  );
}

export const highlight = plugin({
  id: 'rnn-magics:highlight',
  description: 'Colours magic lines and the text of corpus cells.',
  requires: [IPreferences],
  optional: [IEditorExtensionRegistry],
  activate: (_page, preferences, registry) => {
    const views = new Set<EditorView>();
    registry?.addExtension({
      name: 'rnn-magics:highlight',
      factory: ({ model }) =>
        EditorExtensionRegistry.createImmutableExtension(
          // Known late: a cell has the type of its language only when the kernel is there.
          highlighting(() => preferences.highlighting && model.mimeType === 'text/x-ipython', views)
        )
    });
    preferences.changed.connect(() => {
      for (const view of views) {
        view.dispatch({}); // its update looks again
      }
    });
  }
});
