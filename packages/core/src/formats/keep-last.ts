import type { TensorData } from "../tensor/dtype.ts";

/**
 * Keeps the whole tensor that was read last in memory, for formats in which no part of a tensor can be read
 * without the rest: even if a tensor is read range by range, its file is then read once.
 * @param read - reads all elements of a tensor, in row-major order
 */
export function keepLast(read: (name: string) => Promise<TensorData>): (name: string) => Promise<TensorData> {
  let last: { readonly name: string; readonly data: Promise<TensorData> } | undefined;
  return (name) => {
    if (last?.name !== name) last = { name, data: read(name) };
    return last.data;
  };
}
