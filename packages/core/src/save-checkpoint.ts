import { rmdir, statfs, unlink } from "node:fs/promises";
import { basename } from "node:path";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { planShards } from "./checkpoint/plan-shards.ts";
import { InputError } from "./errors.ts";
import { layOutSafetensors, type SafetensorsLayout } from "./formats/safetensors/layout.ts";
import { writeSafetensors } from "./formats/safetensors/write-safetensors.ts";
import { assertNoInput } from "./io/assert-no-input.ts";
import { createFolder } from "./io/create-folder.ts";
import { createOutputFile, type OutputFile } from "./io/output-file.ts";
import { reasonOf } from "./io/system-error.ts";
import { resolveOptions } from "./options.ts";
import {
  findEarlierFiles,
  indexPath,
  type OutputPlace,
  resolveOutputPlace,
  shardPaths,
} from "./save/output-paths.ts";
import { DTYPES, type DType } from "./tensor/dtype.ts";
import { byteLengthOf, type TensorInfo } from "./tensor/tensor.ts";

/** Options of {@link saveCheckpoint}. */
export interface SaveCheckpointOptions {
  /** Element type of all floating-point tensors; integers and `bool` keep theirs. @defaultValue as they are */
  readonly dtype: DType | undefined;
  /** Most bytes of tensors in one file; a larger tensor gets a file of its own. @defaultValue no limit */
  readonly maxShardBytes: number;
  /** Strings to store instead of the checkpoint's own. @defaultValue those of the checkpoint */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Replace an earlier checkpoint of that name; never one that is read from. @defaultValue false */
  readonly overwrite: boolean;
  /** Write NaN and infinities, and let numbers overflow that `dtype` cannot hold. @defaultValue false */
  readonly allowNonFinite: boolean;
  /** Bytes written at once; rounded up to a multiple of 8. @defaultValue 1 MiB */
  readonly chunkBytes: number;
  /** Buffers of `chunkBytes`: while one is filled, the others are being written. @defaultValue 4 */
  readonly buffers: number;
  /**
   * Wait until the disk has everything, so that the files survive a power cut as well as a killed process; takes
   * about as long again for what fits in memory. @defaultValue false
   */
  readonly durable: boolean;
  /** Stops the work and removes what was written. */
  readonly signal: AbortSignal | undefined;
  /** Called after each chunk. */
  readonly onProgress: ((progress: SaveProgress) => void) | undefined;
}

/** How far {@link saveCheckpoint} has got. */
export interface SaveProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What {@link saveCheckpoint} has written. */
export interface SaveCheckpointResult {
  /** What to open: the file, or the index of the shards. */
  readonly path: string;
  /** Every file written, the index last. */
  readonly files: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
}

/** Defaults of {@link saveCheckpoint}. */
export const SAVE_CHECKPOINT_DEFAULTS: Readonly<SaveCheckpointOptions> = {
  dtype: undefined,
  maxShardBytes: Number.POSITIVE_INFINITY,
  metadata: undefined,
  overwrite: false,
  allowNonFinite: false,
  chunkBytes: 2 ** 20,
  buffers: 4,
  durable: false,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Saves a checkpoint as safetensors, in one file or in shards with an index.
 *
 * `path` is a file `x.safetensors`, whose shards are `x-00001-of-0000N.safetensors`, or a folder for
 * `model.safetensors`. Tensors are read by range and written in chunks, so memory does not grow with the
 * checkpoint. Files are written under temporary names and renamed when all are complete: a failed or killed
 * save leaves nothing under a final name. The same tensors and options give the same bytes.
 * @throws InputError if the path cannot be used: it is an input, exists already, or the disk is full; and if a number is NaN or
 *   infinite, or overflows `dtype`.
 * @throws TypeError if `dtype` is not a floating-point type.
 * @throws RangeError if a size or count is not positive.
 */
export async function saveCheckpoint(
  checkpoint: Checkpoint,
  path: string,
  options?: { readonly [K in keyof SaveCheckpointOptions]?: SaveCheckpointOptions[K] | undefined },
): Promise<SaveCheckpointResult> {
  const resolved = resolveOptions("save a checkpoint", SAVE_CHECKPOINT_DEFAULTS, options);
  assertOptions(resolved);
  resolved.signal?.throwIfAborted();
  const plan = await planSave(checkpoint, path, resolved);
  const created = plan.place.ownsFolder ? await createPlace(plan.place.folder) : undefined;
  const files: OutputFile[] = [];
  try {
    await assertRoom(plan);
    await writeFiles(checkpoint, plan, files, resolved);
    resolved.signal?.throwIfAborted();
    for (const file of files) await file.publish();
  } catch (error) {
    for (const file of files) await file.discard();
    if (created !== undefined) await rmdir(created).catch(() => {});
    throw error;
  }
  const written = files.map((file) => file.path);
  for (const stale of plan.earlier) if (!written.includes(stale)) await unlink(stale).catch(() => {});
  return { path: written.at(-1) ?? path, files: written, bytes: plan.bytes };
}

interface SavePlan {
  readonly place: OutputPlace;
  readonly shards: ReadonlyArray<{ readonly path: string; readonly layout: SafetensorsLayout }>;
  /** The index, if there are several shards. */
  readonly index: { readonly path: string; readonly json: Uint8Array } | undefined;
  /** Files of an earlier checkpoint that this one replaces. */
  readonly earlier: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
}

type Options = Readonly<SaveCheckpointOptions>;

function assertOptions({ dtype, maxShardBytes, chunkBytes, buffers }: Options): void {
  if (dtype !== undefined && !DTYPES[dtype]?.float) {
    throw new TypeError(
      `Cannot save a checkpoint as ${dtype} as the element type must be a floating-point one`,
    );
  }
  for (const [name, value] of Object.entries({ maxShardBytes, chunkBytes, buffers })) {
    if (value >= 1) continue;
    throw new RangeError(`Cannot save a checkpoint as ${name} must be at least 1: it is ${value}`);
  }
}

async function planSave(checkpoint: Checkpoint, path: string, options: Options): Promise<SavePlan> {
  const place = await resolveOutputPlace(path);
  const tensors = convertedInfos(checkpoint, options.dtype);
  const parts = planShards(tensors, options.maxShardBytes);
  const paths = shardPaths(place, parts.length);
  const metadata = options.metadata ?? checkpoint.metadata;
  const shards = parts.map((part, i) => ({
    path: paths[i] ?? path,
    layout: layOutSafetensors(part, metadata),
  }));
  const index = shards.length > 1 ? { path: indexPath(place), json: encodeIndex(shards) } : undefined;
  const earlier = await findEarlierFiles(place);
  await assertNoInput([...paths, ...earlier], checkpoint.files);
  const [first] = earlier;
  if (first !== undefined && !options.overwrite) {
    throw new InputError(
      `Cannot save to "${path}" as it must not replace an earlier checkpoint: "${first}" exists; ` +
        "choose another path or allow overwriting",
      { input: path },
    );
  }
  const bytes = shards.reduce((sum, { layout }) => sum + layout.size, index?.json.length ?? 0);
  return { place, shards, index, earlier, bytes };
}

function convertedInfos(checkpoint: Checkpoint, dtype: DType | undefined): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    const converts = dtype !== undefined && DTYPES[info.dtype].float;
    infos.set(name, { dtype: converts ? dtype : info.dtype, shape: info.shape });
  }
  return infos;
}

/** The index as transformers writes it: keys sorted, indented by two. */
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
  return Buffer.from(`${JSON.stringify({ metadata: { total_size }, weight_map }, undefined, 2)}\n`);
}

/** Creates a folder and those above it; returns the folder if it was missing. */
async function createPlace(folder: string): Promise<string | undefined> {
  try {
    return (await createFolder(folder)) ? folder : undefined;
  } catch (error) {
    throw new InputError(`Cannot save to "${folder}" as ${reasonOf(error)}`, { input: folder, cause: error });
  }
}

/** @throws InputError if the disk has clearly less room than will be needed, before anything is written. */
async function assertRoom({ place: { folder }, bytes }: SavePlan): Promise<void> {
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

async function writeFiles(
  checkpoint: Checkpoint,
  { shards, index, bytes: totalBytes }: SavePlan,
  files: OutputFile[],
  { signal, onProgress, buffers, chunkBytes, durable, allowNonFinite }: Options,
): Promise<void> {
  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    onProgress?.({ doneBytes, totalBytes });
  };
  const stream = {
    signal,
    allowNonFinite,
    buffers: Math.ceil(buffers),
    chunkBytes: Math.ceil(chunkBytes / 8) * 8,
    onBytes,
  };
  for (const { path, layout } of shards) {
    const file = await createOutputFile(path);
    files.push(file);
    await writeSafetensors(checkpoint, layout, file, stream);
    await file.finish(durable);
  }
  if (index === undefined) return;
  const file = await createOutputFile(index.path);
  files.push(file);
  await file.write(index.json, 0);
  await file.finish(durable);
  onBytes(index.json.length);
}
