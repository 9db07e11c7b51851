import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { OutOfRangeError, UsageError } from "./errors.ts";
import type { SafetensorsLayout } from "./formats/safetensors/layout.ts";
import { writeSafetensors } from "./formats/safetensors/write-safetensors.ts";
import { at } from "./invariant.ts";
import { createFolder, removeFolders } from "./io/create-folder.ts";
import { createOutputFile, type OutputFile } from "./io/output-file.ts";
import { lockPathOf, removeDeadLock, takeLock } from "./io/take-lock.ts";
import { removeStaleTemporaries } from "./io/temporary-name.ts";
import { resolveOptions } from "./options.ts";
import { indexPath, isCheckpointFile } from "./save/output-paths.ts";
import { assertRoom, findReplaced, planSave, type SavePlan } from "./save/plan-save.ts";
import { publishFiles } from "./save/publish-files.ts";
import { isIndex, isShard } from "./save/removal-order.ts";
import { SAFETENSORS_FORM } from "./save/safetensors-form.ts";
import { DTYPES, type DType } from "./tensor/dtype.ts";

/** Options of {@link saveCheckpoint}. */
export interface SaveCheckpointOptions {
  /**
   * Element type of all floating-point tensors; integers and `bool` are not converted. @defaultValue
   * unchanged
   */
  readonly dtype?: DType | undefined;
  /**
   * Maximum size of the tensors in one file in bytes; a larger tensor gets its own file. @defaultValue no
   * limit
   */
  readonly maxShardBytes?: number;
  /** Metadata to store instead of the checkpoint's metadata. @defaultValue the checkpoint's metadata */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether to replace an earlier checkpoint of that name. A file that is an input is never replaced.
   * @defaultValue false
   */
  readonly overwrite?: boolean;
  /**
   * Whether to write NaN and infinities, and let numbers overflow that `dtype` cannot hold.
   * @defaultValue false
   */
  readonly allowNonFinite?: boolean;
  /** Number of bytes that are written at once; rounded up to a multiple of 8. @defaultValue 1 MiB */
  readonly chunkBytes?: number;
  /** Number of buffers of `chunkBytes`: while one is filled, the others are being written. @defaultValue 4 */
  readonly buffers?: number;
  /**
   * Whether to wait until all bytes are on the disk, so that the files survive a power cut as well as a
   * killed process; this doubles the time for checkpoints that fit in memory. @defaultValue false
   */
  readonly durable?: boolean;
  /** Signal that stops the work and removes the files written so far. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk. */
  readonly onProgress?: ((progress: SaveProgress) => void) | undefined;
}

/** Progress of {@link saveCheckpoint}, in bytes. */
export interface SaveProgress {
  /** Share of the bytes that are written, in `[0, 1]`. */
  readonly done: number;
  /** Bytes that are written so far, headers included. */
  readonly doneBytes: number;
  /** Bytes of all files, headers and index included. */
  readonly totalBytes: number;
}

/** Files that {@link saveCheckpoint} has written. */
export interface SaveCheckpointResult {
  /** Path for opening the checkpoint: the file, or the index of the shards. */
  readonly path: string;
  /** Paths of all files, the index last. */
  readonly files: readonly string[];
  /** Total size of all files in bytes. */
  readonly bytes: number;
}

/** Defaults of {@link saveCheckpoint}. */
export const SAVE_CHECKPOINT_DEFAULTS: Required<SaveCheckpointOptions> = {
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
 * `model.safetensors`, or for `diffusion_pytorch_model.safetensors` if the tensors came from files of that
 * name. Tensors are read by range and written in chunks, so memory does not grow with the
 * checkpoint. Files are written under temporary names and renamed when all are complete: a failed or killed
 * save leaves no file under a final name. The same tensors and options give the same bytes.
 * @throws InputError if the path cannot be used: it is an input, exists already, or the disk is full; and if
 * a number is NaN or infinite, or overflows `dtype`.
 * @throws UsageError if `dtype` is not a floating-point type.
 * @throws OutOfRangeError if a size or count is not positive.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
 *
 * const checkpoint = createCheckpoint({ bias: createTensor("f32", [2], Float32Array.of(1, 2)) });
 * const { files } = await saveCheckpoint(checkpoint, "bias.safetensors", { dtype: "bf16", overwrite: true });
 * assert.equal(files.length, 1);
 * const saved = await openCheckpoint("bias.safetensors");
 * assert.deepEqual((await saved.read("bias")).data, Uint16Array.of(0x3f80, 0x4000));
 * await saved.close();
 * ```
 */
export async function saveCheckpoint(
  checkpoint: Checkpoint,
  path: string,
  options: SaveCheckpointOptions = {},
): Promise<SaveCheckpointResult> {
  const resolved = resolveOptions("save a checkpoint", SAVE_CHECKPOINT_DEFAULTS, options);
  assertOptions(resolved);
  resolved.signal?.throwIfAborted();
  const plan = await planSave(checkpoint, path, { ...resolved, form: SAFETENSORS_FORM });
  const created = await createFolder(plan.place.folder);
  const lock = createShardLock(plan);
  const files: OutputFile[] = [];
  try {
    await lock.takeFor(plan.earlier);
    await assertRoom(plan);
    await removeStaleTemporaries(plan.place.folder, (name) => isCheckpointFile(plan.place, name));
    await writeFiles(checkpoint, plan, files, resolved);
    resolved.signal?.throwIfAborted();
    // The earlier files are looked up again, as writing may have taken long.
    const earlier = await findReplaced(plan, checkpoint, resolved);
    await lock.takeFor(earlier);
    await publishFiles(files, earlier, resolved.durable);
  } catch (error) {
    for (const file of files) await file.discard();
    await lock.giveBack();
    await removeFolders(created);
    throw error;
  }
  await lock.giveBack();
  const written = files.map((file) => file.path);
  return { path: at(written, written.length - 1, "file"), files: written, bytes: plan.bytes };
}

type Options = Readonly<Required<SaveCheckpointOptions>>;

function assertOptions({ dtype, maxShardBytes, chunkBytes, buffers }: Options): void {
  if (dtype !== undefined && !DTYPES[dtype]?.float) {
    const floats = Object.keys(DTYPES).filter((name) => DTYPES[name as DType].float);
    throw new UsageError(
      `Cannot save a checkpoint as ${dtype} as "dtype" must be one of ${floats.join(", ")}: it is "${dtype}"`,
    );
  }
  for (const [name, value] of Object.entries({ maxShardBytes, chunkBytes, buffers })) {
    if (value >= 1) continue;
    throw new OutOfRangeError(`Cannot save a checkpoint as ${name} must be at least 1: it is ${value}`);
  }
}

/** A lock on the output place of a checkpoint, which is taken at most once. */
interface ShardLock {
  /** Takes the lock if the new checkpoint or the earlier files have shards. */
  takeFor(earlier: readonly string[]): Promise<void>;
  giveBack(): Promise<void>;
}

/**
 * Creates the lock that prevents two processes from publishing shards in one place, which would mix them up.
 * A single file needs no lock: the process that publishes last replaces the other's file in one step.
 * @throws InputError from `takeFor`, if another process is saving there
 */
function createShardLock({ place, path, index }: SavePlan): ShardLock {
  let giveBack: (() => Promise<void>) | undefined;
  return {
    async takeFor(earlier) {
      const hasShards = index !== undefined || earlier.some((file) => isShard(file) || isIndex(file));
      const lock = lockPathOf(indexPath(place), "saving");
      if (hasShards) giveBack ??= await takeLock(lock, path);
      else await removeDeadLock(lock);
    },
    giveBack: async () => giveBack?.(),
  };
}

async function writeFiles(
  checkpoint: Checkpoint,
  { shards, index, bytes: totalBytes }: SavePlan<SafetensorsLayout>,
  files: OutputFile[],
  { signal, onProgress, buffers, chunkBytes, durable, allowNonFinite }: Options,
): Promise<void> {
  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    onProgress?.({ done: doneBytes / totalBytes, doneBytes, totalBytes });
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
