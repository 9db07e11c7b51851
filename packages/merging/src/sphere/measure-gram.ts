import { at, blendInto, borrowScratch, DTYPES, dot, type Elements, viewData } from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import type { MergedTensor } from "../merge-method.ts";

/**
 * Computes the inner products of a tensor of all networks with each other, added in f64, in one pass over
 * the networks; with a base, of their differences from it.
 *
 * @returns Gram matrix `[networks][networks]`, symmetric
 */
export async function measureGram({
  name,
  networks,
  base,
}: Pick<MergedTensor, "name" | "networks" | "base">): Promise<number[][]> {
  const gram = networks.map(() => networks.map(() => 0));
  const count = networks.length;
  await scanTensor(base === undefined ? networks : [...networks, base], name, (parts) => {
    const origin = parts[count];
    if (origin === undefined) addProducts(gram, parts);
    else withDifferences(parts.slice(0, count), origin, (deltas) => addProducts(gram, deltas));
  });
  return gram.map((row, i) => row.map((_, j) => at(at(gram, Math.max(i, j)), Math.min(i, j))));
}

/** Adds the products of the lower triangle. */
function addProducts(gram: readonly number[][], parts: readonly Elements[]): void {
  for (const [i, left] of parts.entries()) {
    const row = at(gram, i);
    for (const [j, right] of parts.slice(0, i + 1).entries()) row[j] = at(row, j) + dot(left, right);
  }
}

/**
 * Lends the differences of stored elements from an origin, in f32 (f64 where one of them is f64).
 * @param use - called with one array for each part; they are only valid during the call
 */
export function withDifferences(
  parts: readonly Elements[],
  origin: Elements,
  use: (deltas: readonly Elements[]) => void,
): void {
  const dtype = [...parts, origin].some((part) => part.dtype === "f64") ? "f64" : "f32";
  const lent = parts.map(() => borrowScratch(origin.data.length * DTYPES[dtype].bytes));
  try {
    const deltas = lent.map(({ bytes }): Elements => ({ dtype, data: viewData(dtype, bytes) }));
    for (const [i, delta] of deltas.entries()) blendInto([at(parts, i), origin], [1, -1], delta);
    use(deltas);
  } finally {
    for (const scratch of lent) scratch.release();
  }
}
