/**
 * Gathers a panel from a flat tensor: `out[r * columns.length + c] = data[rows[r] + columns[c]]`.
 *
 * Runs of consecutive columns are copied whole, which is most of the work where only rows move.
 */
export function gatherPanelInto(
  data: Float32Array,
  rows: Int32Array,
  columns: Int32Array,
  out: Float32Array,
): void {
  const count = columns.length;
  if (count > 0 && columns[count - 1]! - columns[0]! === count - 1 && isConsecutive(columns)) {
    const first = columns[0]!;
    for (let r = 0; r < rows.length; r++) {
      const begin = rows[r]! + first;
      out.set(data.subarray(begin, begin + count), r * count);
    }
    return;
  }
  let k = 0;
  for (let r = 0; r < rows.length; r++) {
    const base = rows[r]!;
    for (let c = 0; c < count; c++) out[k++] = data[base + columns[c]!]!;
  }
}

function isConsecutive(columns: Int32Array): boolean {
  const first = columns[0]!;
  for (let c = 1; c < columns.length; c++) if (columns[c] !== first + c) return false;
  return true;
}
