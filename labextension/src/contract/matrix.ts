/** Packed arrays of numbers; `rnn_magics/inspection/views/payload.py` packs them. */

import { Check, ContractError, count, listOf, longText, number, oneOf, optional, record } from './check';

/** Row-major numbers; a matrix has the shape [rows, columns]. */
export interface Matrix {
  shape: number[];
  values: Float32Array;
}

const BYTES = { float32: 4, int16: 2, int8: 1 };

/** The most numbers in one array; each is a rectangle of a picture. */
const MOST_NUMBERS = 4_000_000;

/** Return packed numbers, least byte first; integers are multiples of a scale. */
export const matrix: Check<Matrix> = (value, path) => {
  const { shape, dtype, scale, base64 } = packed(value, path);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (Math.max(size, ...shape) > MOST_NUMBERS) {
    throw new ContractError(path, `at most ${MOST_NUMBERS} numbers`, value);
  }
  const wanted = `${size} numbers of ${BYTES[dtype]} bytes in base64`;
  if (base64.length !== 4 * Math.ceil((BYTES[dtype] * size) / 3)) {
    throw new ContractError(path, wanted, value);
  }
  const bytes = decoded(base64);
  if (bytes?.length !== BYTES[dtype] * size) {
    throw new ContractError(path, wanted, value);
  }
  const view = new DataView(bytes.buffer);
  const at = {
    float32: (i: number) => view.getFloat32(4 * i, true),
    int16: (i: number) => scale * view.getInt16(2 * i, true),
    int8: (i: number) => scale * view.getInt8(i)
  }[dtype];
  return { shape, values: Float32Array.from({ length: size }, (_, i) => at(i)) };
};

function decoded(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  } catch {
    return null; // a character that is none of base64
  }
}

const packed = record<{ shape: number[]; dtype: keyof typeof BYTES; scale: number; base64: string }>({
  shape: listOf(count, 3),
  dtype: oneOf('float32', 'int16', 'int8'),
  scale: optional(number, 1),
  base64: longText
});
