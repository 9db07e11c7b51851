import { allocateData, type Checkpoint, convertInto, entry, sizeOf, type TensorData } from "@isthmus/core";

/**
 * Number of elements in a block. Products are summed by block before they are added to a total, and ranges
 * consist of whole blocks, so that sums do not depend on the memory that is available.
 */
export const BLOCK: number = 1 << 14;

/** Elements `[begin, end)` of a tensor. */
export interface TensorRange {
  /** Name of the tensor. */
  readonly name: string;
  /** Index of the first element, row-major, from 0. */
  readonly begin: number;
  /** End of the elements, exclusive. */
  readonly end: number;
}

/**
 * Cuts tensors into ranges of whole blocks.
 * @param memory - largest number of bytes that all arrays of a range may take
 * @param arrays - number of f64 arrays that a range takes
 */
export function* cutRanges(
  network: Checkpoint,
  names: Iterable<string>,
  { memory, arrays }: { readonly memory: number; readonly arrays: number },
): Generator<TensorRange> {
  const blocks = Math.max(1, Math.floor(memory / (8 * arrays * BLOCK)));
  for (const name of names) {
    const size = sizeOf(entry(network.tensors, name, "tensor").shape);
    for (let begin = 0; begin < size; begin += blocks * BLOCK) {
      yield { name, begin, end: Math.min(size, begin + blocks * BLOCK) };
    }
  }
}

/** Counts the elements of tensors. */
export function countElements(network: Checkpoint, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + sizeOf(entry(network.tensors, name, "tensor").shape), 0);
}

/** Reads a range of a tensor as f64; f32 and f64 elements are exact. */
export async function readFloat64Range(
  checkpoint: Checkpoint,
  { name, begin, end }: TensorRange,
): Promise<Float64Array> {
  const { dtype } = entry(checkpoint.tensors, name, "tensor");
  const stored: TensorData = allocateData(dtype, end - begin);
  await checkpoint.readRangeInto(name, begin, stored);
  if (stored instanceof Float64Array) return stored;
  const data = new Float64Array(end - begin);
  convertInto({ dtype, data: stored }, { dtype: "f64", data });
  return data;
}

/**
 * Reads a client's displacement in a range: its network less the network that it began with.
 * @param global - the range of the global network, with which the client began unless the update has a `base`
 */
export async function readDisplacement(
  { network, base }: { readonly network: Checkpoint; readonly base?: Checkpoint | undefined },
  range: TensorRange,
  global: Float64Array,
): Promise<Float64Array> {
  const [values, start] = await Promise.all([
    readFloat64Range(network, range),
    base === undefined ? global : readFloat64Range(base, range),
  ]);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - (start[i] as number);
  return values;
}
