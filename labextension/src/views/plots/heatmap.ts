import { HeatmapData } from '../../contract/plots';
import { element, onceAFrame, shown } from '../page/dom';
import { onTheme } from '../page/theme';
import { say } from '../text/say';
import { inks } from '../design/colours';
import { colour, css, RIM, share } from '../design/scales';
import { scaleBar } from './legend';

export interface Cell {
  row: number;
  column: number;
}

export interface HeatmapView {
  update(data: HeatmapData): void;
  dispose(): void;
}

/** As large as a cell gets; many of them share the width of the page and this height. */
const CELL = { width: 36, height: 15 };
const TALL = 400;
const MARGIN = { left: 44, right: 4, bottom: 4 };
/** Of a name: the size of its letters, the room for one, and how many letters are written at most. */
const LETTER = { size: 11, width: 7, wide: 12, most: 8 };
const MOVES: Partial<Record<string, Cell>> = {
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 }
};

/** What a reader does with a heatmap. */
export interface HeatmapEvents {
  onPick?: (cell: Cell) => void;
  /** Columns were chosen, by dragging or with Shift and the arrow keys: [first, last). */
  onSpan?: (first: number, last: number) => void;
  /** Those that are chosen at first. */
  span?: [number, number];
  /** The row whose name is always written, since something else shows it, too. */
  pinned?: () => number;
  /** What is measured, for the bar of colours. */
  measure?: string;
}

/** Draw a matrix into `host`; pointer and arrow keys move a cursor, Enter and a click pick. */
export function heatmap(
  host: HTMLElement,
  first: HeatmapData,
  events: HeatmapEvents = {}
): HeatmapView {
  let data = first;
  let cursor: Cell = { row: 0, column: 0 };
  let anchor: number | null = null;
  let chosen: [number, number] | null = events.span ?? null;
  const box = element('div', 'rnn-heatmap');
  const canvas = element('canvas');
  const readout = element('div', 'rnn-readout');
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  readout.setAttribute('aria-live', 'polite');
  const bar = element('div');
  box.append(canvas, bar, readout);
  host.classList.add('rnn-view');
  host.append(box);

  const size = (): Size => sizeOf(data, box.clientWidth);
  const frame = onceAFrame(() => {
    const more = events.onSpan === undefined ? '' : say(', with Shift they choose columns');
    canvas.setAttribute('aria-label', summary(data) + more);
    paint(canvas, data, cursor, chosen, size(), events.pinned?.() ?? null);
    bar.replaceChildren(scaleBar({ ...data, measure: events.measure ?? '' }));
  });
  const stretch = (): void => {
    if (anchor !== null && events.onSpan !== undefined) {
      chosen = [Math.min(anchor, cursor.column), Math.max(anchor, cursor.column) + 1];
      frame.ask();
    }
  };
  const span = (): void => {
    stretch();
    if (anchor !== null && chosen !== null) {
      events.onSpan?.(...chosen);
    }
  };
  const move = (cell: Cell): void => {
    cursor = within(cell, data);
    readout.textContent = reading(data, cursor);
    beside(readout, cursor, size(), box.clientWidth, data.rows.length);
    frame.ask();
  };
  const pick = (): void => {
    events.onPick?.(cursor);
    frame.ask(); // another row may be pinned now
  };
  let dragged = false;
  canvas.addEventListener('pointermove', event => {
    move(cellAt(event, size()));
    dragged ||= event.buttons > 0 && anchor !== null && anchor !== cursor.column;
    if (event.buttons > 0 && dragged) {
      stretch();
    }
  });
  canvas.addEventListener('pointerleave', () => {
    readout.textContent = '';
  });
  canvas.addEventListener('pointerdown', event => {
    move(cellAt(event, size()));
    anchor = cursor.column;
    dragged = false;
  });
  canvas.addEventListener('click', event => {
    move(cellAt(event, size()));
    if (dragged) {
      span();
    } else {
      anchor = null;
      pick();
    }
  });
  canvas.addEventListener('keydown', event => {
    const step = MOVES[event.key];
    if (step !== undefined) {
      event.preventDefault();
      event.stopPropagation(); // a notebook would go to another cell
      anchor = event.shiftKey ? (anchor ?? cursor.column) : null;
      move({ row: cursor.row + step.row, column: cursor.column + step.column });
      span();
    } else if (event.key === 'Enter') {
      event.stopPropagation();
      pick();
    }
  });
  const forget = onTheme(host, frame.ask);
  const resized = new ResizeObserver(frame.ask);
  resized.observe(box);
  frame.ask();
  return {
    update: next => {
      data = next;
      cursor = within(cursor, data);
      frame.ask();
    },
    dispose: () => {
      frame.cancel();
      forget();
      resized.disconnect();
      box.remove();
    }
  };
}

/** Return a cell that the matrix has, as near as may be. */
export function within({ row, column }: Cell, { rows, columns }: HeatmapData): Cell {
  const clamp = (at: number, count: number): number => Math.max(0, Math.min(at, count - 1));
  return { row: clamp(row, rows.length), column: clamp(column, columns.length) };
}

/** Return what is told of a cell. */
export function reading({ rows, columns, values }: HeatmapData, { row, column }: Cell): string {
  return `${rows[row] ?? ''} · ${columns[column] ?? ''}: ${shown(values[row]?.[column])}`;
}

function summary({ title, rows, columns, low, high }: HeatmapData): string {
  return say(
    '%1: %2 rows, %3 columns, %4 to %5; arrow keys read cells',
    title,
    rows.length,
    columns.length,
    shown(low),
    shown(high)
  );
}

interface Size {
  width: number;
  height: number;
  /** The room for the names of the columns, which stand upright where they are too long. */
  top: number;
  isUpright: boolean;
}

/** Put what is told of a cell beside it, inside of the view, so that nothing grows. */
function beside(readout: HTMLElement, { row, column }: Cell, cell: Size, width: number, rows: number): void {
  const [x, y] = [MARGIN.left + column * cell.width, cell.top + row * cell.height];
  const left = x > width / 2 ? `calc(${x - 4}px - 100%)` : `${x + cell.width + 4}px`;
  const top = row > rows / 2 ? `calc(${y - 2}px - 100%)` : `${y + cell.height + 2}px`;
  readout.style.transform = `translate(${left}, ${top})`; // which shifts no layout
}

/** Return the size of a cell with which the whole matrix fits; nothing scrolls in an output. */
export function sizeOf({ rows, columns }: HeatmapData, available: number): Size {
  const room = (available || 600) - MARGIN.left - MARGIN.right;
  const width = Math.min(CELL.width, Math.max(room, 100) / Math.max(1, columns.length));
  const longest = columns.reduce((most, name) => Math.max(most, lengthOf(short(name))), LETTER.width);
  const isUpright = longest > Math.max(width, LETTER.wide);
  return {
    width,
    height: Math.min(CELL.height, TALL / Math.max(1, rows.length)),
    top: (isUpright ? longest : LETTER.size) + 8,
    isUpright
  };
}

/** Return a name without its end where it is long; a token like <unk> stays whole. */
function short(name: string): string {
  const letters = Array.from(name);
  return letters.length > LETTER.most ? `${letters.slice(0, LETTER.most - 1).join('')}…` : name;
}

/** Return about how wide a name is; wide are the letters of East Asia. */
function lengthOf(name: string): number {
  const widths = Array.from(name, letter => (letter > '\u1100' ? LETTER.wide : LETTER.width));
  return widths.reduce((sum, width) => sum + width, 0);
}

function cellAt({ offsetX, offsetY }: MouseEvent, { width, height, top }: Size): Cell {
  const [x, y] = [offsetX - MARGIN.left, offsetY - top];
  return { row: Math.floor(y / height), column: Math.floor(x / width) };
}

function paint(
  canvas: HTMLCanvasElement,
  data: HeatmapData,
  cursor: Cell,
  chosen: [number, number] | null,
  cell: Size,
  pinned: number | null
): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.floor(MARGIN.left + data.columns.length * cell.width + MARGIN.right);
  const height = Math.ceil(cell.top + data.rows.length * cell.height + MARGIN.bottom);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) {
    return;
  }
  context.scale(ratio, ratio);
  const { color, fontFamily } = getComputedStyle(canvas);
  const { bg } = inks(canvas.parentElement ?? canvas).role;
  const named = [cursor.row, ...(pinned === null ? [] : [pinned])];
  label(context, data, cell, { color, bg, family: fontFamily, named });
  context.translate(MARGIN.left, cell.top);
  data.values.forEach((line, row) => {
    line.forEach((value, column) => {
      context.fillStyle = css(colour(data.scale, share(value, data.low, data.high)));
      context.fillRect(column * cell.width, row * cell.height, cell.width, cell.height);
    });
  });
  context.strokeStyle = color;
  if (chosen !== null) {
    const [first, last] = chosen;
    const [left, wide] = [first * cell.width - 1, (last - first) * cell.width + 2];
    const tall = data.rows.length * cell.height + 2;
    for (const [ink, thick] of RIM) {
      [context.strokeStyle, context.lineWidth] = [ink, thick];
      context.strokeRect(left, -1, wide, tall);
    }
    [context.strokeStyle, context.lineWidth] = [color, 1];
  }
  context.strokeRect(
    cursor.column * cell.width + 0.5,
    cursor.row * cell.height + 0.5,
    Math.max(cell.width - 1, 1),
    Math.max(cell.height - 1, 1)
  );
}

interface Lettering {
  color: string;
  bg: string;
  family: string;
  /** Rows whose names are written whatever stands beside them. */
  named: number[];
}

/** Write the tokens above their columns, and each row's name where there is room for it. */
function label(
  context: CanvasRenderingContext2D,
  { columns, rows }: HeatmapData,
  cell: Size,
  { color, bg, family, named }: Lettering
): void {
  context.fillStyle = color;
  context.font = `${LETTER.size}px ${family}`;
  const [along, down] = [Math.ceil(LETTER.size / cell.width), Math.ceil(14 / cell.height)];
  columns.forEach((name, column) => {
    if (column % along !== 0) {
      return;
    }
    const x = MARGIN.left + (column + 0.5) * cell.width;
    context.save();
    context.translate(x, cell.top - 5);
    const isUpright = cell.isUpright && lengthOf(short(name)) > LETTER.wide;
    if (isUpright) {
      context.translate(4, 0);
      context.rotate(-Math.PI / 2);
    }
    context.textAlign = isUpright ? 'left' : 'center';
    context.fillText(short(name), 0, 0);
    context.restore();
  });
  context.textAlign = 'right';
  const write = (row: number): void => {
    context.fillText(rows[row] ?? '', MARGIN.left - 5, cell.top + (row + 0.5) * cell.height + 4);
  };
  rows.forEach((_, row) => {
    if (row % down === 0) {
      write(row);
    }
  });
  for (const row of named) {
    context.fillStyle = bg;
    context.fillRect(0, cell.top + (row + 0.5) * cell.height - 7, MARGIN.left - 2, 14);
    context.fillStyle = color;
    context.font = `bold ${LETTER.size}px ${family}`;
    write(row);
  }
}
