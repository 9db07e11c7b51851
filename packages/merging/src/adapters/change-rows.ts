import { at, entry, InvariantError, toFloat64, UnsupportedError } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import type { Adapter, AdapterModule } from "./adapter.ts";
import type { ChangedRows } from "./factors.ts";

/** Adds the change of a bias, `weight * scale * bias of B`. */
export async function addBias(
  result: Matrix["data"],
  { bias, scale, name }: AdapterModule,
  { checkpoint }: Adapter,
  { top, bottom, weight }: ChangedRows,
): Promise<void> {
  if (bias === undefined) throw new InvariantError(`module "${name}" has no bias`);
  const { dtype } = entry(checkpoint.tensors, bias, "tensor");
  const change = toFloat64(await checkpoint.readRange(bias, top, bottom), dtype);
  for (let i = 0; i < result.length; i++) {
    result[i] = at(result, i, "element") + weight * scale * at(change, i, "element");
  }
}

/**
 * Scales each row to its learned length.
 *
 * Source: Liu et al., DoRA: weight-decomposed low-rank adaptation, 2024, equation 5.
 */
export async function scaleRowsTo(
  result: Matrix["data"],
  magnitude: string,
  { checkpoint, source }: Adapter,
  { top, bottom, columns, weight, name }: ChangedRows,
): Promise<void> {
  if (weight !== 1) {
    throw new UnsupportedError(
      `Cannot apply adapter "${source}" in part as it has learned lengths of rows (DoRA) of "${name}": its weight must be 1, it is ${weight}`,
      { feature: "DoRA" },
    );
  }
  const { dtype } = entry(checkpoint.tensors, magnitude, "tensor");
  const lengths = toFloat64(await checkpoint.readRange(magnitude, top, bottom), dtype);
  for (let i = 0; i < bottom - top; i++) {
    const row = result.subarray(i * columns, (i + 1) * columns);
    const square = (row as Float64Array).reduce((sum, x) => sum + x * x, 0);
    // A row of zeros has no direction.
    if (square === 0) continue;
    const factor = at(lengths, i, "row") / Math.sqrt(square);
    for (let j = 0; j < columns; j++) row[j] = factor * at(row, j, "element");
  }
}
