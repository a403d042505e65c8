/** Products of matrices and vectors. Sums are in double precision, results in single. */

/** Rows that are summed side by side, so that no sum waits for its last addition. */
const SIDE_BY_SIDE = 8;

/** Return `matrix @ vector + bias`; the matrix is row-major, (bias.length, vector.length). */
export function product(matrix: Float32Array, vector: Float32Array, bias: Float32Array): Float32Array {
  const out = new Float32Array(bias);
  const wide = Float64Array.from(vector); // else each row would widen it anew
  const whole = out.length - (out.length % SIDE_BY_SIDE);
  for (let row = 0; row < whole; row += SIDE_BY_SIDE) {
    eightRows(out, row, matrix, wide);
  }
  for (let row = whole; row < out.length; row++) {
    oneRow(out, row, matrix, wide);
  }
  return out;
}

function eightRows(out: Float32Array, row: number, matrix: Float32Array, vector: Float64Array): void {
  const columns = vector.length;
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let column = 0, at = row * columns; column < columns; column++, at++) {
    const value = vector[column] as number;
    a += (matrix[at] as number) * value;
    b += (matrix[at + columns] as number) * value;
    c += (matrix[at + 2 * columns] as number) * value;
    d += (matrix[at + 3 * columns] as number) * value;
    e += (matrix[at + 4 * columns] as number) * value;
    f += (matrix[at + 5 * columns] as number) * value;
    g += (matrix[at + 6 * columns] as number) * value;
    h += (matrix[at + 7 * columns] as number) * value;
  }
  [a, b, c, d, e, f, g, h].forEach((sum, place) => {
    out[row + place] = (out[row + place] as number) + sum;
  });
}

function oneRow(out: Float32Array, row: number, matrix: Float32Array, vector: Float64Array): void {
  let sum = out[row] as number;
  for (let column = 0, at = row * vector.length; column < vector.length; column++, at++) {
    sum += (matrix[at] as number) * (vector[column] as number);
  }
  out[row] = sum;
}

/** Return a column of a row-major matrix plus a bias: its product with a one-hot vector. */
export function columnOf(matrix: Float32Array, column: number, bias: Float32Array): Float32Array {
  const columns = matrix.length / bias.length;
  return bias.map((value, row) => value + (matrix[row * columns + column] as number));
}
