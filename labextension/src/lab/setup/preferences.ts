/** The settings of the extension; schema/plugin.json describes them. */

import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';

import { plugin } from './plugin';

export interface IPreferences {
  readonly notifications: boolean;
  readonly statusItem: boolean;
  readonly highlighting: boolean;
  readonly changed: ISignal<IPreferences, undefined>;
}

export const IPreferences = new Token<IPreferences>('rnn-magics:IPreferences');

class Preferences implements IPreferences {
  private readonly _changed = new Signal<this, undefined>(this);
  private settings: ISettingRegistry.ISettings | null = null;

  take(settings: ISettingRegistry.ISettings): void {
    this.settings = settings;
    settings.changed.connect(() => {
      this._changed.emit(undefined);
    });
    this._changed.emit(undefined);
  }

  get changed(): ISignal<this, undefined> {
    return this._changed;
  }

  get notifications(): boolean {
    return this.on('notifications');
  }

  get statusItem(): boolean {
    return this.on('statusItem');
  }

  get highlighting(): boolean {
    return this.on('highlighting');
  }

  private on(name: string): boolean {
    return this.settings?.get(name).composite !== false;
  }
}

const ID = 'rnn-magics:plugin'; // the name of the schema

export const preferences = plugin({
  id: ID,
  description: 'Reads the settings.',
  provides: IPreferences,
  optional: [ISettingRegistry],
  activate: (_page, registry) => {
    const made = new Preferences();
    registry?.load(ID).then(
      settings => {
        made.take(settings);
      },
      () => undefined // without settings everything is on
    );
    return made;
  }
});
