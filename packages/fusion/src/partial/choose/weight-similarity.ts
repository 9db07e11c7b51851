import { asFloat32, type Checkpoint, sizeOf } from "@isthmus/core";
import type { SeparableGraph } from "../graph/plan-widening.ts";
import { addPairSums, type PairSums } from "../kernels/pair-sums.ts";

/**
 * Measures the similarity of the weights of paired units: the cosine between all incoming and outgoing
 * weights of a unit of A and the weights of its partner.
 * @param networks - A, and B in the coordinates of A
 * @returns similarities in `[-1, 1]`, `[units]`; 0 for units that are not roots
 */
export async function weightSimilarity(
  { spec, layouts }: SeparableGraph,
  [a, b]: readonly [Checkpoint, Checkpoint],
): Promise<Float64Array> {
  const sums: PairSums = {
    products: new Float64Array(spec.units),
    squaresA: new Float64Array(spec.units),
    squaresB: new Float64Array(spec.units),
  };
  for (const [name, { shape, axes }] of layouts.weights) {
    if (axes.size === 0 || spec.weights.get(name)?.role !== "parameter") continue;
    const [inA, inB] = [await a.read(name), await b.read(name)];
    const numbers = [asFloat32(inA.data, inA.dtype), asFloat32(inB.data, inB.dtype)] as const;
    for (const [axis, from] of axes) {
      addPairSums(...numbers, { extent: from.length, inner: sizeOf(shape.slice(axis + 1)), from }, sums);
    }
  }
  return sums.products.map((product, unit) => {
    const squares = (sums.squaresA[unit] as number) * (sums.squaresB[unit] as number);
    return squares > 0 ? product / Math.sqrt(squares) : 0;
  });
}
