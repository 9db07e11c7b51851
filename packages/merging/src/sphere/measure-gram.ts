import {
  at,
  blendInto,
  borrowScratch,
  convertInto,
  DTYPES,
  dot,
  type Elements,
  viewData,
} from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import type { MergedTensor } from "../merge-method.ts";

/** Number of elements that are multiplied at a time, so small that all networks stay in the cache. */
const BLOCK = 1 << 14;

/**
 * Computes the inner products of one tensor between all networks, summed in f64, in one pass over the
 * networks. With a base, they are products of the differences from the base.
 *
 * @returns Gram matrix `[networks][networks]`, symmetric
 */
export async function measureGram({
  name,
  networks,
  base,
}: Pick<MergedTensor, "name" | "networks" | "base">): Promise<number[][]> {
  const gram = networks.map(() => networks.map(() => 0));
  await scanTensor(base === undefined ? networks : [...networks, base], name, (parts) => {
    const size = at(parts, 0).data.length;
    for (let begin = 0; begin < size; begin += BLOCK) {
      const block = parts.map(({ dtype, data }) => ({ dtype, data: data.subarray(begin, begin + BLOCK) }));
      withWide(block.slice(0, networks.length), block[networks.length], (wide) => addProducts(gram, wide));
    }
  });
  return gram.map((row, i) => row.map((_, j) => at(at(gram, Math.max(i, j)), Math.min(i, j))));
}

/** Adds the products of one block to the lower triangle of a Gram matrix. */
function addProducts(gram: readonly number[][], parts: readonly Elements[]): void {
  for (const [i, left] of parts.entries()) {
    const row = at(gram, i);
    for (let j = 0; j <= i; j++) row[j] = at(row, j) + dot(left, at(parts, j));
  }
}

/**
 * Provides stored elements, or their differences from an origin, as f32, or f64 if an array is f64, so that
 * each element is converted once for all products.
 * @param use - called with one array for each part, which is valid only during the call
 */
function withWide(
  parts: readonly Elements[],
  origin: Elements | undefined,
  use: (wide: readonly Elements[]) => void,
): void {
  const isDouble = [...parts, ...(origin ? [origin] : [])].some(({ dtype }) => dtype === "f64");
  const dtype = isDouble ? "f64" : "f32";
  const lent = parts.map(({ data }) => borrowScratch(data.length * DTYPES[dtype].bytes));
  try {
    const wide = lent.map(({ bytes }): Elements => ({ dtype, data: viewData(dtype, bytes) }));
    for (const [i, out] of wide.entries()) {
      if (origin === undefined) convertInto(at(parts, i), out);
      else blendInto([at(parts, i), origin], [1, -1], out);
    }
    use(wide);
  } finally {
    for (const scratch of lent) scratch.release();
  }
}
