/** Call `repaint` whenever the theme of the page changes; return what ends that. */
export function onTheme(repaint: () => void): () => void {
  // JupyterLab names its theme on the body; elsewhere the system's counts.
  const observer = new MutationObserver(repaint);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'class']
  });
  const system = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null;
  system?.addEventListener('change', repaint);
  return () => {
    observer.disconnect();
    system?.removeEventListener('change', repaint);
  };
}
