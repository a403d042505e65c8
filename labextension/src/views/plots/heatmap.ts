import { HeatmapData } from '../../contract/heatmap';
import { element, onceAFrame, shown } from '../page/dom';
import { onTheme } from '../page/theme';
import { say } from '../text/say';
import { colour, css, RIM, share } from '../design/scales';

export interface Cell {
  row: number;
  column: number;
}

export interface HeatmapView {
  update(data: HeatmapData): void;
  dispose(): void;
}

/** As large as a cell gets; many of them share the width of the page and this height. */
const CELL = { width: 14, height: 8 };
const TALL = 400;
const MARGIN = { left: 44, top: 18, right: 4, bottom: 4 };
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
  box.append(canvas, readout);
  host.classList.add('rnn-view');
  host.append(box);

  const size = (): Size => sizeOf(data, box.clientWidth);
  const frame = onceAFrame(() => {
    const more = events.onSpan === undefined ? '' : ', with Shift they choose columns';
    canvas.setAttribute('aria-label', summary(data) + more);
    paint(canvas, data, cursor, chosen, size());
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
    frame.ask();
  };
  let dragged = false;
  canvas.addEventListener('pointermove', event => {
    move(cellAt(event, size()));
    dragged ||= event.buttons > 0 && anchor !== null && anchor !== cursor.column;
    if (event.buttons > 0 && dragged) {
      stretch();
    }
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
      events.onPick?.(cursor);
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
      events.onPick?.(cursor);
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
}

/** Return the size of a cell with which the whole matrix fits; nothing scrolls in an output. */
export function sizeOf({ rows, columns }: HeatmapData, available: number): Size {
  const room = (available || 600) - MARGIN.left - MARGIN.right;
  return {
    width: Math.min(CELL.width, Math.max(room, 100) / Math.max(1, columns.length)),
    height: Math.min(CELL.height, TALL / Math.max(1, rows.length))
  };
}

function cellAt({ offsetX, offsetY }: MouseEvent, { width, height }: Size): Cell {
  const [x, y] = [offsetX - MARGIN.left, offsetY - MARGIN.top];
  return { row: Math.floor(y / height), column: Math.floor(x / width) };
}

function paint(
  canvas: HTMLCanvasElement,
  data: HeatmapData,
  cursor: Cell,
  chosen: [number, number] | null,
  cell: Size
): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.floor(MARGIN.left + data.columns.length * cell.width + MARGIN.right);
  const height = Math.ceil(MARGIN.top + data.rows.length * cell.height + MARGIN.bottom);
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
  label(context, data, cell, color, fontFamily);
  context.translate(MARGIN.left, MARGIN.top);
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

/** Write the tokens above their columns, and each row's name where there is room for it. */
function label(
  context: CanvasRenderingContext2D,
  { columns, rows }: HeatmapData,
  cell: Size,
  color: string,
  family: string
): void {
  context.fillStyle = color;
  context.font = `11px ${family}`;
  context.textAlign = 'center';
  const [along, down] = [Math.ceil(9 / cell.width), Math.ceil(16 / cell.height)];
  columns.forEach((name, column) => {
    if (column % along !== 0) {
      return;
    }
    const short = Array.from(name).slice(0, 2).join('');
    const x = MARGIN.left + (column + 0.5) * cell.width;
    context.fillText(short, x, MARGIN.top - 6, along * cell.width);
  });
  context.textAlign = 'right';
  rows.forEach((name, row) => {
    if (row % down === 0) {
      context.fillText(name, MARGIN.left - 5, MARGIN.top + (row + 0.5) * cell.height + 4);
    }
  });
}
