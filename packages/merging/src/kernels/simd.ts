import { kernelMemory, startKernels } from "@isthmus/core";
import * as elementwise from "../../wasm/elementwise.mjs";
import * as mixtures from "../../wasm/mixtures.mjs";
import * as softmax from "../../wasm/softmax.mjs";
import * as taskVectors from "../../wasm/task-vectors.mjs";

/**
 * Loops of kernels/*.ts. Their arguments are addresses of arrays, numbers, and last a count that is a
 * multiple of 8.
 */
export interface Simd {
  /** Computes the differences of a network in f32 from the base. */
  readonly subtract: Loop;
  /** Computes the differences of a network in bf16 from the base. */
  readonly subtractFromBfloat: Loop;
  /** Adds task vectors to a base, all differences counting. */
  readonly mixAll: Loop;
  /** Adds task vectors to a base, only differences of the elected sign counting. */
  readonly mixElected: Loop;
  /** Adds changes, multiplied by a factor, to a base. */
  readonly addChanges: Loop;
  /** Sets values to 0 if their magnitudes lie outside a range. */
  readonly keepMagnitudes: Loop;
  /**
   * Lists the differences whose magnitudes are in a window: returns their number plus 2^32 times the number
   * below it.
   */
  readonly listMagnitudes: (...addressesAndNumbers: readonly number[]) => bigint;
  /**
   * Decides elements by random bits outside two limits, and lists the undecided ones: returns their number.
   */
  readonly decideByBits: (...addressesAndNumbers: readonly number[]) => number;
  /** Draws random bits for consecutive positions. */
  readonly randomBits: Loop;
  /** Sets values to 0 if their random bits are not below a limit. */
  readonly keepBelow: Loop;
  /** Computes the inner product of two vectors, as 8 partial sums in f64. */
  readonly product: Loop;
  /** Computes the sum of absolute values, as 8 partial sums in f64. */
  readonly sizes: Loop;
  /** Moves a base towards a network by steps of limited size. */
  readonly stepTowards: Loop;
  /** Counts, for each element, the differences that are larger than a limit. */
  readonly countLarger: Loop;
  /** Adds the differences of a network that are larger than a limit, scaled by how many networks have one. */
  readonly addContributions: Loop;
  /** Counts the differences larger than a limit: unshared ones, plus 2^32 times the shared ones. */
  readonly countShared: (...addressesAndNumbers: readonly number[]) => bigint;
  /** Computes the variance of each element over networks. */
  readonly variances: Loop;
  /** Adds values times a factor to sums. */
  readonly addScaled: Loop;
  /** Computes absolute values times a factor. */
  readonly sizesTimes: Loop;
  /** Sets values to 0 if their importance is below a threshold. */
  readonly keepImportant: Loop;
  /** Adds to each element of a base the largest change among the networks. */
  readonly takeLargestChange: Loop;
  /** Finds the largest number of a row; minus infinity if no number is larger. */
  readonly largestOf: (...addressesAndNumbers: readonly number[]) => number;
  /** Computes exponentials of differences from the largest number of a row, and 8 partial sums of them. */
  readonly exponentials: Loop;
  /** Computes the Kullback-Leibler divergence of two rows of exponentials, as 8 partial sums. */
  readonly divergences: Loop;
}

type Loop = (...addressesAndNumbers: readonly number[]) => void;

/** Number of elements that SIMD loops process at once. */
const GROUP = 8;

let loaded: { readonly simd: Simd; readonly buffer: ArrayBuffer } | undefined;
let isTried = false;

/** Returns the SIMD loops if all arrays lie in the memory in which they compute; otherwise undefined. */
export function simdFor(...arrays: readonly ArrayBufferView[]): Simd | undefined {
  if (!isTried) {
    loaded = load();
    isTried = true;
  }
  if (loaded === undefined) return undefined;
  for (const { buffer } of arrays) if (buffer !== loaded.buffer) return undefined;
  return loaded.simd;
}

/** Returns the number of elements in complete groups; plain loops process the rest. */
export function wholeGroups(length: number): number {
  return length - (length % GROUP);
}

function load(): typeof loaded {
  const memory = kernelMemory();
  if (memory === undefined) return undefined;
  const modules = [taskVectors, mixtures, elementwise, softmax].map(({ readCode }) =>
    startKernels(readCode()),
  );
  const simd: object = Object.assign({}, ...modules);
  return { simd: simd as Simd, buffer: memory.buffer };
}
