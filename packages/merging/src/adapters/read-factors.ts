import { entry, sizeOf, toFloat32, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix, transposeMatrix } from "@isthmus/linear-algebra";
import type { Adapter, AdapterModule } from "./adapter.ts";
import type { Factors, FactorType } from "./factors.ts";

/** Reads `B`, `[out, rank]`, and `A`, `[rank, in]`, of a module; kernels of convolutions are flattened. */
export async function readFactors(
  { checkpoint }: Pick<Adapter, "checkpoint">,
  { a, b, rank }: Pick<AdapterModule, "a" | "b" | "rank">,
  type: FactorType,
): Promise<Factors> {
  const read = async (name: string): Promise<Matrix["data"]> => {
    const { data, dtype } = await checkpoint.read(name);
    return type === "f64" ? toFloat64(data, dtype) : toFloat32(data, dtype);
  };
  const [left, right] = [await read(b), await read(a)];
  return {
    left: createMatrix(left.length / rank, rank, left),
    right: createMatrix(rank, right.length / rank, right),
  };
}

/**
 * Reads the factors of a module in the order in which its weight is stored: `[rows, rank]`,
 * `[rank, columns]`.
 */
export async function readStoredFactors(
  adapter: Pick<Adapter, "checkpoint">,
  module: AdapterModule,
  type: FactorType,
): Promise<Factors> {
  const { left, right } = await readFactors(adapter, module, type);
  return module.isTransposed
    ? { left: transposeMatrix(right), right: transposeMatrix(left) }
    : { left, right };
}

/** Returns the extents of the change of a module, which is `[out, in]`. */
export function moduleExtents(
  { checkpoint }: Pick<Adapter, "checkpoint">,
  { a, b, rank }: AdapterModule,
): { readonly out: number; readonly in: number } {
  const sizeOfTensor = (name: string) => sizeOf(entry(checkpoint.tensors, name, "tensor").shape);
  return { out: sizeOfTensor(b) / rank, in: sizeOfTensor(a) / rank };
}
