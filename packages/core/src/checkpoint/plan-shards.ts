import { byteLengthOf, type TensorInfo } from "../tensor/tensor.ts";

/**
 * Distributes tensors over files in their order, and starts a new file when the next tensor would make the
 * tensors of the current one exceed `maxBytes`. A tensor larger than that gets a file of its own. Returns at
 * least one file.
 */
export function planShards(
  tensors: ReadonlyMap<string, TensorInfo>,
  maxBytes: number,
): ReadonlyArray<ReadonlyMap<string, TensorInfo>> {
  let shard = new Map<string, TensorInfo>();
  const shards = [shard];
  let bytes = 0;
  for (const [name, info] of tensors) {
    const size = byteLengthOf(info);
    if (bytes + size > maxBytes && shard.size > 0) {
      shard = new Map();
      shards.push(shard);
      bytes = 0;
    }
    shard.set(name, info);
    bytes += size;
  }
  return shards;
}
