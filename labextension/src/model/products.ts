/** Products of matrices and vectors. Sums are in double precision, results in single. */

/** Return `matrix @ vector + bias`; the matrix is row-major, (bias.length, vector.length). */
export function product(matrix: Float32Array, vector: Float32Array, bias: Float32Array): Float32Array {
  const [rows, columns] = [bias.length, vector.length];
  const out = new Float32Array(rows);
  const whole = columns - (columns % 4);
  for (let row = 0, at = 0; row < rows; row++) {
    // Four sums, so that none waits for the addition before it.
    let [a, b, c, d] = [bias[row] as number, 0, 0, 0];
    let column = 0;
    for (; column < whole; column += 4, at += 4) {
      a += (matrix[at] as number) * (vector[column] as number);
      b += (matrix[at + 1] as number) * (vector[column + 1] as number);
      c += (matrix[at + 2] as number) * (vector[column + 2] as number);
      d += (matrix[at + 3] as number) * (vector[column + 3] as number);
    }
    for (; column < columns; column++, at++) {
      a += (matrix[at] as number) * (vector[column] as number);
    }
    out[row] = a + b + (c + d);
  }
  return out;
}

/** Return a column of a row-major matrix plus a bias: its product with a one-hot vector. */
export function columnOf(matrix: Float32Array, column: number, bias: Float32Array): Float32Array {
  const columns = matrix.length / bias.length;
  return bias.map((value, row) => value + (matrix[row * columns + column] as number));
}
