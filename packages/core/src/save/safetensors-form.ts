import { basename, encodeUtf8 } from "@isthmus/platform";
import { layOutSafetensors, type SafetensorsLayout } from "../formats/safetensors/layout.ts";
import { at } from "../invariant.ts";
import { byteLengthOf, type TensorInfo } from "../tensor/tensor.ts";
import type { FileForm, LaidOutFiles } from "./file-form.ts";
import { indexPath, resolveOutputPlace, shardPaths } from "./output-paths.ts";

/** The form of safetensors: one file, or shards with an index. */
export const SAFETENSORS_FORM: FileForm<SafetensorsLayout> = {
  identity: "safetensors",
  placeOf: resolveOutputPlace,
  layOut(tensors, place, { metadata, maxShardBytes }) {
    const parts = planShards(tensors, maxShardBytes);
    const paths = shardPaths(place, parts.length);
    const shards = parts.map((part, i) => ({
      path: at(paths, i, "shard"),
      layout: layOutSafetensors(part, metadata),
    }));
    const index = shards.length > 1 ? { path: indexPath(place), json: encodeIndex(shards) } : undefined;
    return { shards, index };
  },
};

/** Encodes the index in the form that transformers writes: keys sorted, indented by two. */
function encodeIndex(shards: LaidOutFiles<SafetensorsLayout>["shards"]): Uint8Array {
  const map = new Map<string, string>();
  let total_size = 0;
  for (const { path, layout } of shards) {
    for (const [name, info] of layout.tensors) {
      map.set(name, basename(path));
      total_size += byteLengthOf(info);
    }
  }
  const weight_map = Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  return encodeUtf8(`${JSON.stringify({ metadata: { total_size }, weight_map }, undefined, 2)}\n`);
}

/**
 * Distributes tensors over files in their order, and starts a new file when the next tensor would make the
 * tensors of the current one exceed `maxBytes`. A larger tensor gets its own file. Returns at least one file.
 * @param bytesOf - size of a tensor in a file. @defaultValue the number of bytes of its elements
 */
export function planShards(
  tensors: ReadonlyMap<string, TensorInfo>,
  maxBytes: number,
  bytesOf: (name: string, info: TensorInfo) => number = (_, info) => byteLengthOf(info),
): ReadonlyArray<ReadonlyMap<string, TensorInfo>> {
  let shard = new Map<string, TensorInfo>();
  const shards = [shard];
  let bytes = 0;
  for (const [name, info] of tensors) {
    const size = bytesOf(name, info);
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
