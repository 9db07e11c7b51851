import {
  assertCheckpoint,
  assertSameStructure,
  borrowScratch,
  type Checkpoint,
  convertInto,
  DTYPES,
  defineCheckpoint,
  type Elements,
  viewData,
} from "@isthmus/core";

/** How {@link combine} makes one checkpoint of several. */
export interface Combination {
  /** What the result is, for messages. */
  readonly source: string;
  /** Checkpoints of the same structure, at least one; the first gives order, element types and metadata. */
  readonly inputs: readonly [Checkpoint, ...Checkpoint[]];
  /** The input whose integer tensors are kept as they are, of all or of each by its name: counters are not averaged. */
  readonly integersFrom: Checkpoint | ((name: string) => Checkpoint);
  /** Writes the elements of one range of a float tensor. */
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
      const dtype = first.tensors.get(name)?.dtype ?? "f32";
      const target = { dtype, data: out };
      if (!DTYPES[dtype].float) {
        const from = typeof integersFrom === "function" ? integersFrom(name) : integersFrom;
        await withRanges([from], { name, begin, length: out.length }, ([part]) => {
          if (part !== undefined) convertInto(part, target);
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

/** Reads a range of every checkpoint, all at once, and hands them over for the time of `use`. */
async function withRanges(
  checkpoints: readonly Checkpoint[],
  { name, begin, length }: Range,
  use: (parts: readonly Elements[]) => void | Promise<void>,
): Promise<void> {
  const lent = checkpoints.map((checkpoint) => {
    const dtype = checkpoint.tensors.get(name)?.dtype ?? "f32";
    const scratch = borrowScratch(length * DTYPES[dtype].bytes);
    return { checkpoint, scratch, part: { dtype, data: viewData(dtype, scratch.bytes) } };
  });
  try {
    // All must have ended, even if one fails, before the memory is lent again.
    const reads = await Promise.allSettled(
      lent.map(({ checkpoint, part }) => checkpoint.readRangeInto(name, begin, part.data)),
    );
    for (const read of reads) if (read.status === "rejected") throw read.reason;
    await use(lent.map(({ part }) => part));
  } finally {
    for (const { scratch } of lent) scratch.release();
  }
}
