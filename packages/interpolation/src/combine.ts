import {
  assertSameStructure,
  type Checkpoint,
  convertInto,
  DTYPES,
  type DType,
  defineCheckpoint,
  type Elements,
  type TensorData,
  viewData,
} from "@isthmus/core";

/** How {@link combine} makes one checkpoint of several. */
export interface Combination {
  /** What the result is, for messages. */
  readonly source: string;
  /** Checkpoints of the same structure, at least one; the first gives order, element types and metadata. */
  readonly inputs: readonly [Checkpoint, ...Checkpoint[]];
  /** The input whose integer tensors are kept as they are: counters are not averaged. */
  readonly integersFrom: Checkpoint;
  /** Writes the elements of one range of a float tensor. */
  readonly blend: (name: string, parts: readonly Elements[], out: Elements) => void | Promise<void>;
}

/**
 * Returns a checkpoint that is computed from others range by range when it is read.
 * @throws MismatchError if names or shapes differ
 */
export function combine({ source, inputs, integersFrom, blend }: Combination): Checkpoint {
  const [first, ...others] = inputs;
  for (const other of others) assertSameStructure(first, other);
  const scratch = new Scratch();
  return defineCheckpoint({
    source,
    tensors: first.tensors,
    metadata: first.metadata,
    inputs,
    async readInto(name, begin, out) {
      const dtype = first.tensors.get(name)?.dtype ?? "f32";
      const target = { dtype, data: out };
      if (!DTYPES[dtype].float) {
        await scratch.with([integersFrom], { name, begin, length: out.length }, ([part]) => {
          if (part !== undefined) convertInto(part, target);
        });
        return;
      }
      await scratch.with(inputs, { name, begin, length: out.length }, (parts) => blend(name, parts, target));
    },
  });
}

interface Range {
  readonly name: string;
  readonly begin: number;
  readonly length: number;
}

/** Buffers kept for the next range: a merge streams thousands of equal ones, which would burden the collector. */
const MAX_KEPT = 8;

/** Memory for ranges of the inputs, used again from one range to the next. */
class Scratch {
  readonly #free: ArrayBuffer[] = [];

  /** Reads a range of every checkpoint, all at once, and hands them over for the time of `use`. */
  async with(
    checkpoints: readonly Checkpoint[],
    range: Range,
    use: (parts: readonly Elements[]) => void | Promise<void>,
  ): Promise<void> {
    const taken: ArrayBuffer[] = [];
    const parts = checkpoints.map((checkpoint) => {
      const dtype = checkpoint.tensors.get(range.name)?.dtype ?? "f32";
      return { checkpoint, part: { dtype, data: this.#take(dtype, range.length, taken) } };
    });
    try {
      await Promise.all(
        parts.map(({ checkpoint, part }) => checkpoint.readRangeInto(range.name, range.begin, part.data)),
      );
      await use(parts.map(({ part }) => part));
    } finally {
      this.#free.push(...taken.slice(0, Math.max(0, MAX_KEPT - this.#free.length)));
    }
  }

  #take(dtype: DType, length: number, taken: ArrayBuffer[]): TensorData {
    const bytes = length * DTYPES[dtype].bytes;
    const place = this.#free.findIndex((buffer) => buffer.byteLength >= bytes);
    const buffer = place < 0 ? new ArrayBuffer(bytes) : this.#free.splice(place, 1)[0];
    taken.push(buffer as ArrayBuffer);
    return viewData(dtype, new Uint8Array(buffer as ArrayBuffer, 0, bytes));
  }
}
