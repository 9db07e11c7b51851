import { at } from "@isthmus/core";
import { largestSize, type Numbers } from "../kernels/task-vectors.ts";
import { productOf, sumOfSizes } from "../kernels/vectors.ts";
import type { ScannedTensor } from "./scan-deltas.ts";
import { scanDeltas } from "./scan-deltas.ts";
import type { Thinning } from "./sparsifier.ts";

/** Norms that rescaling may restore after thinning out. */
export const RESCALE_NORMS = ["l1", "l2", "linf"] as const;

/** A norm that rescaling may restore after thinning out. */
export type RescaleNorm = (typeof RESCALE_NORMS)[number];

/** Norm below which it counts as 0, so that the vector is not scaled. */
const LEAST_NORM = 1e-7;

/**
 * Computes, for each network, the factor by which its task vector is multiplied after it has been thinned
 * out, so that its norm over the whole tensor stays the same; sums are in f64.
 * @param thinnings - thinning of each network; undefined if nothing is dropped
 */
export async function measureRescaling(
  tensor: ScannedTensor,
  thinnings: readonly (Thinning | undefined)[],
  { norm, rowLength }: { readonly norm: RescaleNorm; readonly rowLength: number | undefined },
): Promise<number[]> {
  if (thinnings.every((thinning) => thinning === undefined)) return thinnings.map(() => 1);
  const before = thinnings.map(() => 0);
  const after = thinnings.map(() => 0);
  await scanDeltas(
    tensor,
    ({ begin, deltas, patterns }) => {
      for (const [k, thinning] of thinnings.entries()) {
        if (thinning === undefined) continue;
        const delta = at(deltas, k, "network");
        before[k] = accumulate(norm, at(before, k, "norm"), delta);
        thinning.thin(delta, at(patterns, k, "network"), begin);
        after[k] = accumulate(norm, at(after, k, "norm"), delta);
      }
    },
    { rowLength },
  );
  return thinnings.map((_, k) => {
    const [whole, rest] = [normOf(norm, at(before, k, "norm")), normOf(norm, at(after, k, "norm"))];
    return whole < LEAST_NORM || rest < LEAST_NORM ? 1 : whole / rest;
  });
}

function accumulate(norm: RescaleNorm, total: number, values: Numbers): number {
  if (norm === "linf") return Math.max(total, largestSize(values));
  return total + (norm === "l1" ? sumOfSizes(values) : productOf(values, values));
}

function normOf(norm: RescaleNorm, total: number): number {
  return norm === "l2" ? Math.sqrt(total) : total;
}
