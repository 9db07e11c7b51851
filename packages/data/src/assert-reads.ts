import { InputError, OutOfRangeError } from "@isthmus/core";
import type { Batch } from "@isthmus/graph";

/** Name and size of a data set, by which reads are checked. */
export interface Extent {
  /** Name of the data set, for messages. */
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
}

/**
 * Returns the number of examples to use of `count`: `limit`, or all if `limit` is 0. @throws InputError if
 * there are fewer
 */
export function limitTo(limit: number, count: number, name: string): number {
  if (limit <= count) return limit === 0 ? count : limit;
  throw new InputError(
    `Cannot take the first ${limit} examples of "${name}" as there must be as many: it has ${count}`,
    { input: name },
  );
}

/**
 * Checks that examples `[begin, end)` are within a data set. @throws OutOfRangeError if they are not within
 * it
 */
export function assertReads({ name, size }: Extent, begin: number, end: number): void {
  if (Number.isInteger(begin) && Number.isInteger(end) && 0 <= begin && begin <= end && end <= size) return;
  throw new OutOfRangeError(
    `Cannot read examples ${begin} to ${end} of "${name}" as the range must be within it: it has ${size}`,
  );
}

/**
 * Checks that examples of `stride` elements, with `perExample` labels each, can be gathered into a batch.
 * @throws OutOfRangeError if an index is not within the data set, or the batch has room for more or fewer
 *   examples
 */
export function assertGathers(
  { name, size, stride, perExample = 1 }: Extent & { readonly stride: number; readonly perExample?: number },
  indices: Uint32Array,
  { inputs, labels }: Batch,
): void {
  if (inputs.data.length !== indices.length * stride || labels.length !== indices.length * perExample) {
    throw wrongBatch(
      `it must have room for ${indices.length} examples: it has room for ${inputs.data.length / stride} and ${labels.length} labels`,
    );
  }
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index < size) continue;
    throw new OutOfRangeError(
      `Cannot read example ${index} of "${name}" as it must be within the data set: it has ${size}`,
    );
  }
}

/** Returns the error for examples that do not fit into a batch. */
export function wrongBatch(reason: string): OutOfRangeError {
  return new OutOfRangeError(`Cannot read examples into a batch as ${reason}`);
}
