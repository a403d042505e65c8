/** The script of a page of its own: a run, its model, and what happens in it. No kernel, no server. */

import 'uplot/dist/uPlot.min.css';
import '../../style/base.css';
import '../../style/page.css';

import { pageData, PageData } from '../contract/page';
import { inspect } from '../views/inspect';
import { element } from '../views/page/dom';
import { guarded } from '../views/page/guarded';
import { card } from '../views/runs/card';
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

const kept = document.getElementById('rnn-data');
const main = document.getElementById('rnn-views');
if (kept !== null && main !== null) {
  guarded(main, '', () => {
    drawPage(main, pageData(JSON.parse(kept.textContent ?? ''), 'page'));
    return () => undefined;
  });
}
