import { borrowScratch } from "@isthmus/core";
import { kernelsIn } from "./load-kernels.ts";

/** Number of elements that are summed at a time: values, base and sums stay in the second-level cache. */
export const SUM_ELEMENTS: number = 1 << 15;

/** Number of elements that the kernel takes at once. */
const GROUP = 4;

/** A weighted sum of the clients' displacements in at most {@link SUM_ELEMENTS} elements, in f64. */
export interface DisplacementSum {
  /** Input of {@link DisplacementSum.addValues}: f32 elements of a client. */
  readonly values: Float32Array;
  /** Elements of the network that clients began with. */
  readonly base: Float64Array;
  /** The sums. */
  readonly sums: Float64Array;
  /** Adds the first `count` of {@link DisplacementSum.values} less the base, times a weight. */
  addValues(weight: number, count: number): void;
  /** Releases the memory: nothing of it may be used afterwards. */
  release(): void;
}

/**
 * Borrows memory for a weighted sum of displacements. With SIMD or without, each difference, product and sum
 * is rounded to f64 alone, so that the sums have the same bits.
 */
export function borrowDisplacementSum(): DisplacementSum {
  const { bytes, release } = borrowScratch(SUM_ELEMENTS * 20);
  const { buffer, byteOffset } = bytes;
  const [base, sums, values] = [byteOffset, byteOffset + 8 * SUM_ELEMENTS, byteOffset + 16 * SUM_ELEMENTS];
  const sum = {
    base: new Float64Array(buffer, base, SUM_ELEMENTS),
    sums: new Float64Array(buffer, sums, SUM_ELEMENTS),
    values: new Float32Array(buffer, values, SUM_ELEMENTS),
    release,
  };
  const kernels = kernelsIn(bytes);
  if (kernels === undefined) return { ...sum, addValues: byLoop(sum) };
  // The elements behind the last one are left over from earlier sums: they are added too, but not used.
  const round = (count: number): number => Math.ceil(count / GROUP) * GROUP;
  return {
    ...sum,
    addValues: (weight, count) => kernels.addDisplacement(values, base, weight, sums, round(count)),
  };
}

type Arrays = Pick<DisplacementSum, "base" | "sums" | "values">;

function byLoop({ base, sums, values }: Arrays): DisplacementSum["addValues"] {
  return (weight, count) => addDisplacement(values.subarray(0, count), base, weight, sums);
}

/** Adds values less a base, times a weight, to sums. */
export function addDisplacement(
  values: Float32Array | Float64Array,
  base: Float64Array,
  weight: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < values.length; i++) {
    sums[i] = (sums[i] as number) + weight * ((values[i] as number) - (base[i] as number));
  }
}
