/** The colours of `style/design.css`, for what is drawn on a canvas or as SVG. */

/** How many hues there are; the seventh run has the first again, and a shape on its lines. */
export const HUES = 6;
/** What stands on the lines of runs 1 to 6, 7 to 12 and so on: nothing but points, then a shape. */
export const SHAPES = ['', '■', '▲', '◆', '✖'] as const;

const ROLES = ['fg', 'muted', 'bg', 'grid', 'good', 'bad', 'wait'] as const;
export type Role = (typeof ROLES)[number];

export interface Inks {
  role: Record<Role, string>;
  /** The colour of a run by its place. */
  hue: (place: number) => string;
}

/** Return the hue of a run by its place, as a value for style sheets and SVG. */
export function hue(place: number): string {
  return `var(--rnn-hue-${(place % HUES) + 1})`;
}

/** Return the shape of a run by its place; empty for the first runs, whose hue is enough. */
export function shape(place: number): string {
  return SHAPES[Math.floor(place / HUES) % SHAPES.length] ?? '';
}

/** Return the colours as they are on `host` now, as a canvas takes them. */
export function inks(host: HTMLElement): Inks {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const style = getComputedStyle(probe);
  const read = (value: string): string => {
    probe.style.color = value;
    return style.color;
  };
  const role = Object.fromEntries(ROLES.map(name => [name, read(`var(--rnn-${name})`)]));
  const hues = Array.from({ length: HUES }, (_, place) => read(hue(place)));
  probe.remove();
  return {
    role: role as Record<Role, string>,
    hue: place => hues[place % HUES] ?? ''
  };
}

/** Return a colour as seen through: a share of it and the rest of nothing. */
export function faint(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${Math.round(100 * share)}%, transparent)`;
}
