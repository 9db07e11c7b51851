/**
 * Adds a block to a square matrix, in f32.
 *
 * @param cost - `[units, units]`
 * @param block - `[rows, columns]`
 * @param row - first row of the block in `cost`
 * @param column - first column of the block in `cost`
 */
export function addBlock(
  cost: Float32Array,
  block: Float32Array,
  row: number,
  column: number,
  columns: number,
): void {
  const units = Math.sqrt(cost.length);
  for (let k = 0, begin = row * units + column; k < block.length; begin += units) {
    for (let j = 0; j < columns; j++, k++) cost[begin + j]! += block[k]!;
  }
}
