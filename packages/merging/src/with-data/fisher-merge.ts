import { type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { combine } from "@isthmus/interpolation";
import { averageByImportance } from "../kernels/elementwise.ts";
import { computeBlocks } from "../number-blocks.ts";

/** Options of {@link fisherMerge}. */
export interface FisherMergeOptions {
  /** Factor of the Fisher information of each network, positive. @defaultValue 1 for all */
  readonly weights?: readonly number[] | undefined;
  /** Least Fisher information of an element, so that no quotient is 0 by 0; positive. @defaultValue 1e-6 */
  readonly floor?: number;
}

/** Defaults of {@link fisherMerge}. */
const FISHER_MERGE_DEFAULTS: Required<FisherMergeOptions> = { weights: undefined, floor: 1e-6 };

/**
 * Averages networks, lazily, with each element weighted by the sensitivity of the network's loss to it:
 * `sum of w_i F_i x_i / sum of w_i F_i` (Matena and Raffel, Merging models with Fisher-weighted averaging,
 * 2022, equation 3).
 *
 * It is computed in f32 (f64 if an array is f64) and rounded once; elements that are equal in all networks
 * stay unchanged, bit for bit. Integer tensors are copied from the first network.
 *
 * @param networks - at least one network, all of one structure
 * @param fishers - diagonal of the Fisher information of each network, a checkpoint with the same names and
 *   shapes: the mean over examples of the squared gradients of the log-likelihood
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError unless each network has one Fisher information and one positive weight, or if
 *   `floor` is not positive
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { fisherMerge } from "@isthmus/merging";
 *
 * const of = (...w: number[]) => createCheckpoint({ w: createTensor("f32", [2], Float32Array.from(w)) });
 * const merged = fisherMerge([of(1, 1), of(5, 5)], [of(3, 1), of(1, 0)]);
 * assert.deepEqual((await merged.read("w")).data, Float32Array.of(2, 1 + 4e-6));
 * ```
 */
export function fisherMerge(
  networks: readonly Checkpoint[],
  fishers: readonly Checkpoint[],
  options: FisherMergeOptions = {},
): Checkpoint {
  const { weights, floor } = resolveOptions("merge by Fisher information", FISHER_MERGE_DEFAULTS, options);
  const factors = weights ?? networks.map(() => 1);
  assertRequest(networks, fishers, factors, floor);
  const [first, ...others] = networks;
  if (first === undefined) throw refuse("there must be a network: got none");
  return combine({
    source: `fisherMerge(${networks.map(({ source }) => source).join(", ")})`,
    inputs: [first, ...others, ...fishers],
    integersFrom: first,
    blend(_range, parts, out) {
      computeBlocks(parts, out, ([mean, ...more]) => {
        const rest = more.slice(0, others.length);
        averageByImportance([mean, ...rest], more.slice(others.length), factors, floor);
      });
    },
  });
}

function assertRequest(
  networks: readonly Checkpoint[],
  fishers: readonly Checkpoint[],
  factors: readonly number[],
  floor: number,
): void {
  const count = networks.length;
  if (fishers.length !== count) {
    throw refuse(`each of ${count} networks needs its Fisher information: got ${fishers.length}`);
  }
  const isPositive = (x: number) => x > 0 && Number.isFinite(x);
  if (factors.length !== count || !factors.every(isPositive)) {
    throw refuse(`each of ${count} networks needs a positive weight: got ${factors.join(", ")}`);
  }
  if (!isPositive(floor)) throw refuse(`"floor" must be positive: it is ${floor}`);
}

function refuse(rule: string): OutOfRangeError {
  return new OutOfRangeError(`Cannot merge by Fisher information as ${rule}`);
}
