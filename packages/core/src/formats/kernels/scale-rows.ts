/** Assignment of scales to the elements of a tensor, which is seen as a sequence of matrices. */
export interface ScaleGrid {
  /** Total number of rows of all matrices. */
  readonly rows: number;
  /** Number of columns of each matrix. */
  readonly columns: number;
  /** Number of rows of one matrix: blocks do not extend from one matrix into the next. */
  readonly rowsOfMatrix: number;
  /** Number of rows of a block with one scale; the last block of a matrix may have fewer. */
  readonly rowsPerScale: number;
  /** Number of columns of a block with one scale; the last block of a row may have fewer. */
  readonly columnsPerScale: number;
  /** Scale of each block, matrix by matrix and row by row; a single scale for the whole tensor. */
  readonly scales: Float32Array;
}

/**
 * Multiplies elements of a tensor by the scales of their blocks.
 * @param numbers - elements from `begin` on in row-major order
 */
export function scaleRows(numbers: Float32Array, begin: number, grid: ScaleGrid): void {
  const { columns, rowsOfMatrix, rowsPerScale, columnsPerScale, scales } = grid;
  if (scales.length === 1) {
    for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! * scales[0]!;
    return;
  }
  const scalesPerRow = Math.ceil(columns / columnsPerScale);
  const scaleRowsPerMatrix = Math.ceil(rowsOfMatrix / rowsPerScale);
  for (let i = 0; i < numbers.length; ) {
    const row = Math.floor((begin + i) / columns);
    const column = (begin + i) % columns;
    const matrix = Math.floor(row / rowsOfMatrix);
    const scaleRow = matrix * scaleRowsPerMatrix + Math.floor((row % rowsOfMatrix) / rowsPerScale);
    const block = Math.floor(column / columnsPerScale);
    const end = Math.min(numbers.length, i + Math.min((block + 1) * columnsPerScale, columns) - column);
    const scale = scales[scaleRow * scalesPerRow + block]!;
    for (; i < end; i++) numbers[i] = numbers[i]! * scale;
  }
}
