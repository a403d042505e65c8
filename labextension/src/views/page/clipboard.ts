/** Puts text into the clipboard. */

/** Copy text; false where the page may not. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // a page that did not come over https has no clipboard
  }
}

function copiedByHand(text: string): boolean {
  const area = document.createElement('textarea');
  const before = document.activeElement;
  area.value = text;
  area.style.position = 'fixed'; // so that the page does not scroll to it
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  try {
    // The only way there is without a clipboard.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) {
      before.focus();
    }
  }
}
