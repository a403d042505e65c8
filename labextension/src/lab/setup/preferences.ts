/** The settings of the extension; schema/plugin.json describes them. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

import { IPreferences } from '../kernels/tokens';

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

export const preferences: JupyterFrontEndPlugin<IPreferences> = {
  id: 'rnn-magics:plugin', // the name of the schema
  description: 'Reads the settings.',
  autoStart: true,
  provides: IPreferences,
  optional: [ISettingRegistry],
  activate: (_app: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const made = new Preferences();
    registry?.load(preferences.id).then(
      settings => {
        made.take(settings);
      },
      () => undefined // without settings everything is on
    );
    return made;
  }
};
