import { HeatmapData } from '../../contract/heatmap';
import { element, onceAFrame, shown } from '../page/dom';
import { onTheme } from '../page/theme';
import { say } from '../text/say';
import { colour, css, share } from '../design/scales';

export interface Cell {
  row: number;
  column: number;
}

export interface HeatmapView {
  update(data: HeatmapData): void;
  dispose(): void;
}

const CELL = { width: 14, height: 8 };
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

  const frame = onceAFrame(() => {
    const more = events.onSpan === undefined ? '' : ', with Shift they choose columns';
    canvas.setAttribute('aria-label', summary(data) + more);
    paint(canvas, data, cursor, chosen);
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
    move(cellAt(event));
    dragged ||= event.buttons > 0 && anchor !== null && anchor !== cursor.column;
    if (event.buttons > 0 && dragged) {
      stretch();
    }
  });
  canvas.addEventListener('pointerdown', event => {
    move(cellAt(event));
    anchor = cursor.column;
    dragged = false;
  });
  canvas.addEventListener('click', event => {
    move(cellAt(event));
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

function cellAt({ offsetX, offsetY }: MouseEvent): Cell {
  const [x, y] = [offsetX - MARGIN.left, offsetY - MARGIN.top];
  return { row: Math.floor(y / CELL.height), column: Math.floor(x / CELL.width) };
}

function paint(
  canvas: HTMLCanvasElement,
  data: HeatmapData,
  cursor: Cell,
  chosen: [number, number] | null
): void {
  const ratio = devicePixelRatio || 1;
  const width = MARGIN.left + data.columns.length * CELL.width + MARGIN.right;
  const height = MARGIN.top + data.rows.length * CELL.height + MARGIN.bottom;
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
  label(context, data, color, fontFamily);
  context.translate(MARGIN.left, MARGIN.top);
  data.values.forEach((line, row) => {
    line.forEach((value, column) => {
      context.fillStyle = css(colour(data.scale, share(value, data.low, data.high)));
      context.fillRect(column * CELL.width, row * CELL.height, CELL.width, CELL.height);
    });
  });
  context.strokeStyle = color;
  if (chosen !== null) {
    const [first, last] = chosen;
    const [left, wide] = [first * CELL.width - 1, (last - first) * CELL.width + 2];
    const tall = data.rows.length * CELL.height + 2;
    for (const [ink, thick] of [
      ['#fff', 4],
      ['#000', 2]
    ] as const) {
      [context.strokeStyle, context.lineWidth] = [ink, thick]; // seen on any colour of either scale
      context.strokeRect(left, -1, wide, tall);
    }
    [context.strokeStyle, context.lineWidth] = [color, 1];
  }
  context.strokeRect(
    cursor.column * CELL.width + 0.5,
    cursor.row * CELL.height + 0.5,
    CELL.width - 1,
    CELL.height - 1
  );
}

/** Write the tokens above their columns, and each row's name where there is room for it. */
function label(
  context: CanvasRenderingContext2D,
  { columns, rows }: HeatmapData,
  color: string,
  family: string
): void {
  context.fillStyle = color;
  context.font = `11px ${family}`;
  context.textAlign = 'center';
  columns.forEach((name, column) => {
    const short = Array.from(name).slice(0, 2).join('');
    const x = MARGIN.left + (column + 0.5) * CELL.width;
    context.fillText(short, x, MARGIN.top - 6, CELL.width);
  });
  context.textAlign = 'right';
  rows.forEach((name, row) => {
    if (row % 2 === 0) {
      context.fillText(name, MARGIN.left - 5, MARGIN.top + row * CELL.height + 8);
    }
  });
}
