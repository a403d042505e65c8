/**
 * The script of pages without a kernel: of one of its own, with a run, its model and what happens in
 * it; and of any page that holds what a notebook keeps of runs and views, such as our documentation.
 */

import 'uplot/dist/uPlot.min.css';
import '../../style/base.css';
import '../../style/page.css';

import { INSPECTION_MIME, looked } from '../contract/looked';
import { pageData, PageData } from '../contract/page';
import { RUN_MIME } from '../contract/saved';
import { inspect } from '../views/inspect';
import { element } from '../views/page/dom';
import { guarded } from '../views/page/guarded';
import { card } from '../views/runs/card';
import { drawSaved } from '../views/kept/saved';
import { say } from '../views/text/say';

/** Draw all that the page holds into `host`. */
export function drawPage(host: HTMLElement, data: PageData): void {
  const [model, ...looks] = data.looks;
  const section = (title: string, draw: (place: HTMLElement) => () => void): void => {
    const place = element('div');
    const whole = element('section');
    whole.append(element('h2', '', title), place);
    host.append(whole);
    guarded(place, '', () => draw(place));
  };
  if (model !== undefined) {
    section(say('The model'), place => inspect(place, model));
  }
  section(say('How it was trained'), place => {
    const made = card(place, data.run, null);
    return () => {
      made.dispose();
    };
  });
  if (looks.length > 0) {
    section(say('What happens in it'), place => {
      const ends = looks.map(look => inspect(place.appendChild(element('div', 'rnn-page-look')), look));
      return () => {
        ends.forEach(end => {
          end();
        });
      };
    });
  }
}

type DrawKept = (place: HTMLElement, payload: unknown, words: string) => void;

const KEPT: Record<string, DrawKept> = {
  [RUN_MIME]: drawSaved,
  [INSPECTION_MIME]: (place, payload, words) => {
    guarded(place, words, () => inspect(place, looked(payload, 'view')));
  }
};

/** Draw what a page keeps: each a script of one of our types, with its plain words beside it. */
export function drawKept(page: ParentNode): void {
  for (const [type, draw] of Object.entries(KEPT)) {
    for (const script of page.querySelectorAll<HTMLScriptElement>(`script[type="${type}"]`)) {
      const place = element('div');
      const words = script.nextElementSibling?.textContent ?? '';
      script.parentElement?.replaceChildren(place); // a chart has the width of its place
      guarded(place, words, () => {
        draw(place, JSON.parse(script.textContent ?? ''), words);
        return () => undefined;
      });
    }
  }
}

drawKept(document);
const kept = document.getElementById('rnn-data');
const main = document.getElementById('rnn-views');
if (kept !== null && main !== null) {
  guarded(main, '', () => {
    drawPage(main, pageData(JSON.parse(kept.textContent ?? ''), 'page'));
    return () => undefined;
  });
}
