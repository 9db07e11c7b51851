type Elements = Float32Array | Float64Array;

/** Adds a number to the diagonal of a square matrix, in place. */
export function addToDiagonal(square: Elements, size: number, number: number): void {
  for (let i = 0; i < size; i++) square[i * (size + 1)] = square[i * (size + 1)]! + number;
}

/**
 * Splits a square matrix into the halves `x + x^T` and `x - x^T`.
 * @param symmetric - gets `x + x^T`
 * @param skew - gets `x - x^T`
 */
export function splitSquare(
  square: Elements,
  size: number,
  symmetric: Float64Array,
  skew: Float64Array,
): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [x, y] = [square[i * size + j]!, square[j * size + i]!];
      symmetric[i * size + j] = x + y;
      skew[i * size + j] = x - y;
    }
  }
}

/** Sets the rows of a change to zero that do not point away from the mean change, in place. */
export function keepConflicts(change: Elements, mean: Elements, columns: number): void {
  for (let begin = 0; begin < change.length; begin += columns) {
    let product = 0;
    for (let i = begin; i < begin + columns; i++) product += change[i]! * mean[i]!;
    if (product >= 0) change.fill(0, begin, begin + columns);
  }
}
