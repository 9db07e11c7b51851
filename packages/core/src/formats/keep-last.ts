import type { TensorData } from "../tensor/dtype.ts";

/**
 * Keeps the tensor that was read last in memory, whole, for formats in which a part of a tensor cannot be
 * read without the rest: reading it range by range then reads it once.
 * @param read - reads all elements of a tensor, in row-major order
 */
export function keepLast(read: (name: string) => Promise<TensorData>): (name: string) => Promise<TensorData> {
  let last: { readonly name: string; readonly data: Promise<TensorData> } | undefined;
  return (name) => {
    if (last?.name !== name) last = { name, data: read(name) };
    return last.data;
  };
}
