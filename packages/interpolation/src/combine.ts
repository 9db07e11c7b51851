import {
  assertCheckpoint,
  assertSameStructure,
  at,
  borrowScratch,
  type Checkpoint,
  convertInto,
  DTYPES,
  defineCheckpoint,
  type Elements,
  entry,
  viewData,
} from "@isthmus/core";

/** Checkpoints that {@link combine} makes one checkpoint of, and how. */
export interface Combination {
  /** Description of the result, for messages. */
  readonly source: string;
  /** Checkpoints of the same structure, at least one; the first gives order, element types and metadata. */
  readonly inputs: readonly [Checkpoint, ...Checkpoint[]];
  /**
   * Input that integer tensors are taken from unchanged, for all of them or for each by its name; counters
   * are not averaged.
   */
  readonly integersFrom: Checkpoint | ((name: string) => Checkpoint);
  /** Writes the elements of one range of a float tensor, computed from the same range of each input. */
  readonly blend: (name: string, parts: readonly Elements[], out: Elements) => void | Promise<void>;
}

/**
 * Returns a checkpoint that is computed from others range by range when it is read.
 * @throws MismatchError if names or shapes differ
 */
export function combine({ source, inputs, integersFrom, blend }: Combination): Checkpoint {
  for (const input of inputs) assertCheckpoint(`make ${source.replace(/\(.*$/s, "")} of checkpoints`, input);
  const [first, ...others] = inputs;
  for (const other of others) assertSameStructure(first, other);
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
        await withRanges([from], { name, begin, length: out.length }, (parts) => {
          convertInto(at(parts, 0, "part"), target);
        });
        return;
      }
      await withRanges(inputs, { name, begin, length: out.length }, (parts) => blend(name, parts, target));
    },
  });
}

interface Range {
  readonly name: string;
  readonly begin: number;
  readonly length: number;
}

/** Reads a range of every checkpoint, all at once, into memory that is only valid until `use` has ended. */
async function withRanges(
  checkpoints: readonly Checkpoint[],
  { name, begin, length }: Range,
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
