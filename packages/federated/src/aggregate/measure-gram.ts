import type { Checkpoint } from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import { BLOCK, cutRanges, readDisplacement, readFloat64Range } from "./ranges.ts";

/** Inputs of {@link measureGram}. */
export interface GramSource {
  /** Global network, from which displacements are measured unless an update has a `base`. */
  readonly network: Checkpoint;
  /** Updates of the clients, in the order of the rows of the result. */
  readonly updates: readonly ClientUpdate[];
  /** Names of the tensors whose elements enter the products. */
  readonly names: readonly string[];
  /**
   * A further point, placed last, with the same names of tensors: the aggregate that a rule carries from the
   * round before.
   */
  readonly carried?: Checkpoint | undefined;
  /** Whether only norms are needed: entries off the diagonal stay 0. */
  readonly onlyNorms: boolean;
  /** Largest number of bytes that are held at once. */
  readonly memory: number;
  /** Signal that stops the measurement between two ranges. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called after each range with the number of elements done. */
  readonly onProgress?: ((elements: number) => void) | undefined;
}

/**
 * Measures the inner products of all displacements in f64, `[points, points]`, in one pass over the files.
 *
 * The products are of displacements and not of whole networks, so that no precision is lost by cancelling
 * what the networks have in common.
 */
export async function measureGram(source: GramSource): Promise<Float64Array> {
  const { network, updates, names, carried, memory, signal, onProgress } = source;
  const count = updates.length + (carried === undefined ? 0 : 1);
  const gram = new Float64Array(count * count);
  for (const range of cutRanges(network, names, { memory, arrays: count + 1 })) {
    signal?.throwIfAborted();
    const global = await readFloat64Range(network, range);
    const points = await Promise.all(updates.map((update) => readDisplacement(update, range, global)));
    if (carried !== undefined) points.push(await readFloat64Range(carried, range));
    addProducts(points, gram, source.onlyNorms);
    onProgress?.(range.end - range.begin);
  }
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) gram[j * count + i] = gram[i * count + j] as number;
  }
  return gram;
}

/** Adds the products of a range to the lower triangle, block by block, so that blocks stay in the cache. */
function addProducts(points: readonly Float64Array[], gram: Float64Array, onlyNorms: boolean): void {
  const [{ length } = { length: 0 }] = points;
  const { length: count } = points;
  for (let begin = 0; begin < length; begin += BLOCK) {
    const blocks = points.map((point) => point.subarray(begin, begin + BLOCK));
    for (const [i, a] of blocks.entries()) {
      for (const [j, b] of blocks.entries()) {
        if (j > i) break;
        if (onlyNorms && j < i) continue;
        gram[i * count + j] = (gram[i * count + j] as number) + product(a, b);
      }
    }
  }
}

function product(a: Float64Array, b: Float64Array): number {
  let [even, odd] = [0, 0];
  const pairs = a.length & ~1;
  for (let i = 0; i < pairs; i += 2) {
    even += (a[i] as number) * (b[i] as number);
    odd += (a[i + 1] as number) * (b[i + 1] as number);
  }
  return pairs < a.length ? even + odd + (a[pairs] as number) * (b[pairs] as number) : even + odd;
}
