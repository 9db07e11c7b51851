import { sameShape, sizeOf } from "@isthmus/core";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { SpectralNormSource, WeightNormSource } from "./weight-source.ts";

/** Largest relative difference of a computed kernel: exporters round in f32. */
const TOLERANCE = 1e-5;

/**
 * Finds a kernel that was computed from lengths and directions, or by dividing by a singular value, as in
 * layers with weight or spectral normalization.
 */
export async function findReparametrized(
  pool: TensorPool,
  carried: CarriedValues,
): Promise<WeightNormSource | SpectralNormSource | undefined> {
  for (const kernel of pool.unused()) {
    if (!sameShape(pool.shapeOf(kernel), carried.shape)) continue;
    const search = { pool, carried, kernel, values: await pool.read(kernel) };
    const source = (await findLengths(search)) ?? (await findSingularVectors(search));
    if (source !== undefined) return source;
  }
  return undefined;
}

/** A tensor that a kernel may have been computed from. */
interface KernelSearch {
  readonly pool: TensorPool;
  readonly carried: CarriedValues;
  /** Name of a tensor that has the shape of the weight. */
  readonly kernel: string;
  readonly values: Float32Array;
}

async function findLengths({
  pool,
  carried,
  kernel,
  values,
}: KernelSearch): Promise<WeightNormSource | undefined> {
  const [outputs = 1] = carried.shape;
  for (const length of vectorsOf(pool, outputs)) {
    const made = withLengths(values, await pool.readVector(length));
    if (isClose(carried.values, made)) return { kind: "weight-norm", length, direction: kernel };
  }
  return undefined;
}

async function findSingularVectors({
  pool,
  carried,
  kernel,
  values,
}: KernelSearch): Promise<SpectralNormSource | undefined> {
  const [outputs = 1] = carried.shape;
  for (const left of vectorsOf(pool, outputs)) {
    for (const right of vectorsOf(pool, values.length / outputs)) {
      if (left === right) continue;
      const value = singularValue(values, await pool.readVector(left), await pool.readVector(right));
      const made = values.map((x) => x / value);
      if (isClose(carried.values, made)) return { kind: "spectral-norm", kernel, left, right };
    }
  }
  return undefined;
}

/** Lists the unused tensors of a number of elements. */
function vectorsOf(pool: TensorPool, size: number): string[] {
  return pool.unused().filter((name) => sizeOf(pool.shapeOf(name)) === size);
}

/** Scales directions `[outputs, n]` to lengths `[outputs]`. */
function withLengths(directions: Float32Array, lengths: Float32Array): Float32Array {
  const width = directions.length / lengths.length;
  const scales = lengths.map((length, o) => {
    const row = directions.subarray(o * width, (o + 1) * width);
    return length / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  });
  return directions.map((x, i) => x * (scales[Math.floor(i / width)] as number));
}

/** Computes `left kernel right` for a kernel `[outputs, n]`. */
function singularValue(kernel: Float32Array, left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < kernel.length; i++) {
    const [row, column] = [Math.floor(i / right.length), i % right.length];
    sum += (left[row] as number) * (kernel[i] as number) * (right[column] as number);
  }
  return sum;
}

function isClose(expected: Float32Array, actual: Float32Array): boolean {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return expected.every((x, i) => Math.abs(x - (actual[i] as number)) <= TOLERANCE * largest);
}
