import type { Elements } from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import {
  addVectorProducts,
  mixVectors,
  type VectorFactors,
  type VectorLayout,
} from "../kernels/vector-arcs.ts";
import type { MergedRange, MergedTensor } from "../merge-method.ts";
import { computeBlocks, eachBlock } from "../number-blocks.ts";
import type { ParameterSpecs } from "../parameters.ts";
import { arcFactors, cosineOf } from "./arc.ts";

/** Largest `1 - cosine^2` of colinear vectors; the rest is rounding of sums in f64. */
const COLINEAR = 1e-12;

/** Returns the factors of the point at `t` on the arc; undefined for colinear vectors, which have no arc. */
export function arcOrLine(cosine: number, t: number): readonly [number, number] | undefined {
  return 1 - cosine * cosine <= COLINEAR ? undefined : arcFactors(cosine, t);
}

/**
 * Measures the angles between the vectors of a tensor in two networks, and returns the factors for each
 * vector.
 */
export async function measureVectorArcs(
  { name, networks, base }: Pick<MergedTensor, "name" | "networks" | "base">,
  layout: VectorLayout,
  t: number,
): Promise<VectorFactors> {
  const sums = new Float64Array(3 * layout.count);
  await scanTensor(base === undefined ? networks : [...networks, base], name, (parts, begin) => {
    eachBlock(parts, ([x, y, origin], offset) => {
      if (y !== undefined) addVectorProducts([x, y, origin], begin + offset, layout, sums);
    });
  });
  const factors = new Float64Array(2 * layout.count).fill(Number.NaN);
  for (let vector = 0; vector < layout.count; vector++) {
    const [squareA = 0, product = 0, squareB = 0] = sums.subarray(3 * vector, 3 * vector + 3);
    const arc = arcOrLine(cosineOf(product, squareA, squareB), t);
    if (arc !== undefined) factors.set(arc, 2 * vector);
  }
  return { factors, t };
}

/** Merges one range of two networks vector by vector, and rounds it once. */
export function mixVectorsInto<P extends ParameterSpecs>(
  { parts, base, begin }: Pick<MergedRange<P>, "parts" | "base" | "begin">,
  layout: VectorLayout,
  factors: VectorFactors,
  out: Elements,
): void {
  computeBlocks(base === undefined ? parts : [...parts, base], out, ([x, y, origin], offset) => {
    if (y !== undefined) mixVectors([x, y, origin], begin + offset, layout, factors);
  });
}
