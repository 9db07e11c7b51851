/**
 * Finds the index of the first largest element of a window, row by row; -1 if the window is empty.
 * @param begins - index of the first element of each row that the window covers
 * @param columns - columns that the window covers
 */
export function largestIn(
  values: readonly number[],
  begins: readonly number[],
  columns: readonly number[],
): number {
  let best = -1;
  for (const begin of begins) {
    for (const column of columns) {
      if (best < 0 || values[begin + column]! > values[best]!) best = begin + column;
    }
  }
  return best;
}
