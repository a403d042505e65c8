import { HeatmapData } from '../contract/heatmap';
import { element, onceAFrame, shown } from './dom';
import { colour, css, share } from './scales';

export interface Cell {
  row: number;
  column: number;
}

export interface HeatmapView {
  update(data: HeatmapData): void;
  dispose(): void;
}

const CELL = { width: 14, height: 8 };
const MOVES: Partial<Record<string, Cell>> = {
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 }
};

/** Draw a matrix into `host`; pointer and arrow keys move a cursor, Enter and a click pick. */
export function heatmap(
  host: HTMLElement,
  first: HeatmapData,
  onPick: (cell: Cell) => void = () => undefined
): HeatmapView {
  let data = first;
  let cursor: Cell = { row: 0, column: 0 };
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
    canvas.setAttribute('aria-label', summary(data));
    paint(canvas, data, cursor);
  });
  const move = (cell: Cell): void => {
    cursor = within(cell, data);
    readout.textContent = reading(data, cursor);
    frame.ask();
  };
  canvas.addEventListener('pointermove', event => {
    move(cellAt(event));
  });
  canvas.addEventListener('click', event => {
    move(cellAt(event));
    onPick(cursor);
  });
  canvas.addEventListener('keydown', event => {
    const step = MOVES[event.key];
    if (step !== undefined) {
      event.preventDefault();
      move({ row: cursor.row + step.row, column: cursor.column + step.column });
    } else if (event.key === 'Enter') {
      onPick(cursor);
    }
  });
  frame.ask();
  return {
    update: next => {
      data = next;
      cursor = within(cursor, data);
      frame.ask();
    },
    dispose: () => {
      frame.cancel();
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
  const range = `${shown(low)} to ${shown(high)}`;
  return `${title}: ${rows.length} rows, ${columns.length} columns, ${range}; arrow keys read cells`;
}

function cellAt({ offsetX, offsetY }: MouseEvent): Cell {
  return { row: Math.floor(offsetY / CELL.height), column: Math.floor(offsetX / CELL.width) };
}

function paint(canvas: HTMLCanvasElement, data: HeatmapData, cursor: Cell): void {
  const ratio = devicePixelRatio || 1;
  const width = data.columns.length * CELL.width;
  const height = data.rows.length * CELL.height;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) {
    return;
  }
  context.scale(ratio, ratio);
  data.values.forEach((line, row) => {
    line.forEach((value, column) => {
      context.fillStyle = css(colour(data.scale, share(value, data.low, data.high)));
      context.fillRect(column * CELL.width, row * CELL.height, CELL.width, CELL.height);
    });
  });
  context.strokeStyle = getComputedStyle(canvas).color;
  context.strokeRect(
    cursor.column * CELL.width + 0.5,
    cursor.row * CELL.height + 0.5,
    CELL.width - 1,
    CELL.height - 1
  );
}
