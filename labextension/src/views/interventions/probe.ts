import { Probe } from '../../contract/inspection';
import { captioned } from '../page/captioned';
import { element, shown } from '../page/dom';
import { say } from '../text/say';
import { redrawn } from '../look/about';
import { bars } from './bars';

/** What each unit explains alone, beside what all of them explain together on unseen text. */
export const probe = redrawn<Probe>((host, data) => {
  captioned(host)(data);
  host.append(
    element('div', '', say('layer %1, %2 tokens', data.layer, data.num_tokens)),
    bars(
      data.heading,
      [say('unit'), say('share of variance'), say('weight'), ''],
      [
        { name: say('all units, on unseen text'), value: data.r2 ?? 0, isLevel: true },
        { name: say('shifted target'), value: data.control ?? 0, isLevel: true },
        ...data.units.map((unit, place) => ({
          name: String(unit),
          value: data.single[place] ?? 0,
          told: shown(data.weights[place])
        }))
      ]
    )
  );
});
