import {
  assertCheckpoint,
  assertSameStructure,
  borrowScratch,
  type Checkpoint,
  convertInto,
  DTYPES,
  defineCheckpoint,
  type Elements,
  entry,
  sizeOf,
  viewData,
} from "@isthmus/core";

/** Beginning of a range within a tensor: the tensor's name, and the position of the first element. */
export interface TensorRange {
  /** Name of the tensor. */
  readonly name: string;
  /** Position of the first element, in row-major order. */
  readonly begin: number;
}

/** Checkpoints that {@link combine} combines, and the functions by which it does. */
export interface Combination<S = undefined> {
  /** Description of the result, for messages. */
  readonly source: string;
  /** Checkpoints of the same structure, at least one; the first gives order, element types and metadata. */
  readonly inputs: readonly [Checkpoint, ...Checkpoint[]];
  /**
   * Input from which integer tensors are copied, for all of them or for each by its name; integers such as
   * counters are not averaged.
   */
  readonly integersFrom: Checkpoint | ((name: string) => Checkpoint);
  /**
   * Examines a whole float tensor once, before its first range is computed; the result is passed to `blend`.
   */
  readonly survey?: ((name: string) => S | Promise<S>) | undefined;
  /** Computes the elements of one range of a float tensor. */
  readonly blend: (
    range: TensorRange,
    parts: readonly Elements[],
    out: Elements,
    survey: S,
  ) => void | Promise<void>;
}

/**
 * Returns a checkpoint that is computed from others range by range when it is read.
 * @throws MismatchError if names or shapes differ
 */
export function combine<S = undefined>(combination: Combination<S>): Checkpoint {
  const { source, inputs, integersFrom, blend } = combination;
  for (const input of inputs) assertCheckpoint(`make ${source.replace(/\(.*/s, "")} of checkpoints`, input);
  const [first, ...others] = inputs;
  for (const other of others) assertSameStructure(first, other);
  const surveyOf = once(combination.survey);
  return defineCheckpoint({
    source,
    tensors: first.tensors,
    metadata: first.metadata,
    inputs,
    async readInto(name, begin, out) {
      const { dtype } = entry(first.tensors, name, "tensor");
      const target = { dtype, data: out };
      if (!DTYPES[dtype].float) {
        const from = typeof integersFrom === "function" ? integersFrom(name) : integersFrom;
        await withRanges([from], { name, begin, length: out.length }, ([part]) => {
          if (part !== undefined) convertInto(part, target);
        });
        return;
      }
      const survey = await surveyOf(name);
      await withRanges(inputs, { name, begin, length: out.length }, (parts) =>
        blend({ name, begin }, parts, target, survey),
      );
    },
  });
}

/** Remembers the survey of each tensor; ranges that are read concurrently wait for the same survey. */
function once<S>(survey: Combination<S>["survey"]): (name: string) => Promise<S> {
  const surveys = new Map<string, Promise<S>>();
  return (name) => {
    const earlier = surveys.get(name);
    if (earlier !== undefined) return earlier;
    const result = (async () => survey?.(name) as S)();
    surveys.set(name, result);
    return result;
  };
}

/** Number of elements of all checkpoints that are held at a time while a whole tensor is surveyed. */
const SURVEYED = 1 << 22;

/**
 * Largest and smallest number of elements of one checkpoint among them; the largest number fits in borrowed
 * memory as f32.
 */
const [MOST, LEAST] = [1 << 18, 1 << 13];

/**
 * Reads a tensor of several checkpoints from its first to its last element, range by range, all checkpoints
 * side by side.
 * @param use - called with the parts of one range, in the order of the checkpoints; they are valid only
 *   during the call
 */
export async function scanTensor(
  checkpoints: readonly [Checkpoint, ...Checkpoint[]],
  name: string,
  use: (parts: readonly Elements[], begin: number) => void | Promise<void>,
): Promise<void> {
  const size = sizeOf(entry(checkpoints[0].tensors, name, "tensor").shape);
  const step = Math.min(MOST, Math.max(LEAST, Math.floor(SURVEYED / checkpoints.length)));
  for (let begin = 0; begin < size; begin += step) {
    const length = Math.min(step, size - begin);
    await withRanges(checkpoints, { name, begin, length }, (parts) => use(parts, begin));
  }
}

/**
 * Reads the same range of a tensor from all checkpoints concurrently.
 * @param use - called with the parts in the order of the checkpoints; they are valid only until its promise
 *   settles
 */
export async function withRanges(
  checkpoints: readonly Checkpoint[],
  { name, begin, length }: TensorRange & { readonly length: number },
  use: (parts: readonly Elements[]) => void | Promise<void>,
): Promise<void> {
  const ranges = checkpoints.map((checkpoint) => {
    const { dtype } = entry(checkpoint.tensors, name, "tensor");
    const scratch = borrowScratch(length * DTYPES[dtype].bytes);
    return { checkpoint, scratch, part: { dtype, data: viewData(dtype, scratch.bytes) } };
  });
  try {
    // All reads must have ended, even if one fails, before the memory is released.
    const reads = await Promise.allSettled(
      ranges.map(({ checkpoint, part }) => checkpoint.readRangeInto(name, begin, part.data)),
    );
    for (const read of reads) if (read.status === "rejected") throw read.reason;
    await use(ranges.map(({ part }) => part));
  } finally {
    for (const { scratch } of ranges) scratch.release();
  }
}
