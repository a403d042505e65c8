/** Following the theme of the page: what is drawn on a canvas keeps its colours until redrawn. */

/** Where front ends write their theme: JupyterLab, VS Code, Colab and others. */
const ATTRIBUTES = [
  'class',
  'style',
  'theme',
  'data-theme',
  'data-jp-theme-light',
  'data-jp-theme-name',
  'data-vscode-theme-kind'
];
const SYSTEM = '(prefers-color-scheme: dark)';

/** Call `changed` whenever the colours of `host` are others than before; return what ends it. */
export function onTheme(host: HTMLElement, changed: () => void): () => void {
  const colours = (): string => {
    const style = getComputedStyle(host);
    return [style.color, style.getPropertyValue('--jp-border-color2')].join();
  };
  let known = colours();
  const look = (): void => {
    const now = colours();
    if (now !== known) {
      known = now;
      changed();
    }
  };
  const observer = new MutationObserver(look);
  for (const root of [document.documentElement, document.body]) {
    observer.observe(root, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  const system = typeof matchMedia === 'function' ? matchMedia(SYSTEM) : null;
  system?.addEventListener('change', look);
  return () => {
    observer.disconnect();
    system?.removeEventListener('change', look);
  };
}
