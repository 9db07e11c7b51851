import { basename, encodeUtf8, stat, statfs } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { InputError } from "../errors.ts";
import { layOutSafetensors, type SafetensorsLayout } from "../formats/safetensors/layout.ts";
import { at } from "../invariant.ts";
import { assertNoInput } from "../io/assert-no-input.ts";
import { DTYPES, type DType } from "../tensor/dtype.ts";
import { byteLengthOf, type TensorInfo } from "../tensor/tensor.ts";
import {
  findEarlierFiles,
  indexPath,
  type OutputPlace,
  resolveOutputPlace,
  shardPaths,
} from "./output-paths.ts";

/** Options that determine the files of a saved checkpoint. */
export interface PlanSaveOptions {
  /** Element type of all floating-point tensors; undefined leaves them unchanged. */
  readonly dtype: DType | undefined;
  /** Maximum size of the tensors in one file, in bytes. */
  readonly maxShardBytes: number;
  /** Metadata to store instead of the checkpoint's metadata; undefined to keep these. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Whether an earlier checkpoint may be replaced. */
  readonly overwrite: boolean;
}

/** The files of a checkpoint that is to be saved, byte for byte. */
export interface SavePlan {
  /** Path as the caller named it. */
  readonly path: string;
  /** Folder and beginning of the names that the path stands for. */
  readonly place: OutputPlace;
  /** Files in order, each with its final path and the bytes of its header and tensors. */
  readonly shards: ReadonlyArray<{ readonly path: string; readonly layout: SafetensorsLayout }>;
  /** Index, if there are several shards. */
  readonly index: { readonly path: string; readonly json: Uint8Array } | undefined;
  /** Total size of all files in bytes. */
  readonly bytes: number;
  /** Files of an earlier checkpoint in the same place. */
  readonly earlier: readonly string[];
}

/**
 * Plans the files of a checkpoint, without reading tensors or writing files.
 * @throws InputError if the path cannot be used: it is an input, or it exists and may not be replaced.
 */
export async function planSave(
  checkpoint: Checkpoint,
  path: string,
  options: PlanSaveOptions,
): Promise<SavePlan> {
  const place = await resolveOutputPlace(path, checkpoint.files);
  const tensors = convertedInfos(checkpoint, options.dtype);
  const parts = planShards(tensors, options.maxShardBytes);
  const paths = shardPaths(place, parts.length);
  const metadata = options.metadata ?? checkpoint.metadata;
  const shards = parts.map((part, i) => ({
    path: at(paths, i, "shard"),
    layout: layOutSafetensors(part, metadata),
  }));
  const index = shards.length > 1 ? { path: indexPath(place), json: encodeIndex(shards) } : undefined;
  const bytes = shards.reduce((sum, { layout }) => sum + layout.size, index?.json.length ?? 0);
  const earlier = await findReplaced({ path, place, shards }, checkpoint, options);
  return { path, place, shards, index, bytes, earlier };
}

/**
 * Lists the files of an earlier checkpoint that a plan would replace or remove.
 * @throws InputError if one of them is an input, or may not be replaced.
 */
export async function findReplaced(
  { path, place, shards }: Pick<SavePlan, "path" | "place" | "shards">,
  checkpoint: Checkpoint,
  { overwrite }: Pick<PlanSaveOptions, "overwrite">,
): Promise<readonly string[]> {
  const earlier = await findEarlierFiles(place);
  await assertNoInput([...shards.map((shard) => shard.path), ...earlier], checkpoint.files);
  const [first] = earlier;
  if (first === undefined || overwrite) return earlier;
  throw new InputError(
    `Cannot save to "${path}" as it must not replace an earlier checkpoint: "${first}" exists; ` +
      "choose another path or allow overwriting",
    { input: path },
  );
}

function convertedInfos(checkpoint: Checkpoint, dtype: DType | undefined): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    const converts = dtype !== undefined && DTYPES[info.dtype].float;
    infos.set(name, { dtype: converts ? dtype : info.dtype, shape: info.shape });
  }
  return infos;
}

/** Encodes the index in the form that transformers writes: keys sorted, indented by two. */
function encodeIndex(shards: SavePlan["shards"]): Uint8Array {
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
 * Checks that a path does not exist yet.
 * @throws InputError if it exists
 */
export async function assertNotThere(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  throw new InputError(
    `Cannot save to "${path}" as it must not replace an earlier file: it exists; choose another path or allow overwriting`,
    { input: path },
  );
}

/**
 * Checks that the planned files fit on the disk, before writing begins.
 * @throws InputError if the disk has less free space than the files need.
 */
export async function assertRoom({
  place: { folder },
  bytes,
}: {
  readonly place: Pick<OutputPlace, "folder">;
  readonly bytes: number;
}): Promise<void> {
  const disk = await statfs(folder).catch(() => undefined);
  // Some network file systems report no blocks at all.
  if (disk === undefined || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (free >= bytes) return;
  throw new InputError(
    `Cannot save to "${folder}" as the disk must have room for ${bytes} bytes: ${free} are free; ` +
      "free some space or choose another disk",
    { input: folder },
  );
}

/**
 * Distributes tensors over files in their order, and starts a new file when the next tensor would make the
 * tensors of the current one exceed `maxBytes`. A larger tensor gets its own file. Returns at least one file.
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
