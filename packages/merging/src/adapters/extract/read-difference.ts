import { at, type Checkpoint, entry, sizeOf, toFloat32, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";

/** Two networks of one architecture: a base, and a network that was fine-tuned from it. */
export interface Pair {
  /** Network that was fine-tuned. */
  readonly tuned: Checkpoint;
  /** Network that it was fine-tuned from. */
  readonly base: Checkpoint;
}

/** Number of elements of each network that are read at a time. */
const READ = 2 ** 20;

/** Part of the difference of a tensor. */
export interface DifferencePart {
  /** Position of the first element. */
  readonly begin: number;
  /** Elements of the fine-tune minus elements of the base. */
  readonly difference: Float32Array;
  /** Elements of the base. */
  readonly base: Float32Array | Float64Array;
}

/**
 * Reads the difference of a tensor of both networks in parts, from the first element on. Differences of f64
 * are taken before they are rounded to f32.
 * @param step - elements of a part @defaultValue 2^20
 */
export async function* readDifferences(
  { tuned, base }: Pair,
  name: string,
  step: number = READ,
): AsyncGenerator<DifferencePart> {
  const [of, from] = [entry(tuned.tensors, name, "tensor"), entry(base.tensors, name, "tensor")];
  const isWide = of.dtype === "f64" || from.dtype === "f64";
  const size = sizeOf(of.shape);
  for (let begin = 0; begin < size; begin += step) {
    const end = Math.min(size, begin + step);
    const [x, y] = [await tuned.readRange(name, begin, end), await base.readRange(name, begin, end)];
    const [a, b] = isWide
      ? [toFloat64(x, of.dtype), toFloat64(y, from.dtype)]
      : [toFloat32(x, of.dtype), toFloat32(y, from.dtype)];
    const difference = new Float32Array(a.length);
    for (let i = 0; i < difference.length; i++) difference[i] = (a[i] as number) - (b[i] as number);
    yield { begin, difference, base: b };
  }
}

/** Reads the whole difference of a matrix, `[rows, columns]` as it is stored, in f32. */
export async function readDifference(pair: Pair, name: string): Promise<Matrix> {
  const { shape } = entry(pair.tuned.tensors, name, "tensor");
  const data = new Float32Array(sizeOf(shape));
  for await (const { begin, difference } of readDifferences(pair, name)) data.set(difference, begin);
  return createMatrix(at(shape, 0, "extent"), at(shape, 1, "extent"), data);
}

/** Adds the squares of numbers, in f64. */
export function sumOfSquares(numbers: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += (numbers[i] as number) ** 2;
  return sum;
}
