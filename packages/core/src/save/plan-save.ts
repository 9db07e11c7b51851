import { stat, statfs } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { InputError } from "../errors.ts";
import { assertNoInput } from "../io/assert-no-input.ts";
import { DTYPES, type DType } from "../tensor/dtype.ts";
import type { TensorInfo } from "../tensor/tensor.ts";
import type { FileForm, FileLayout, LaidOutFiles } from "./file-form.ts";
import { findEarlierFiles, type OutputPlace } from "./output-paths.ts";

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
export interface SavePlan<L extends FileLayout = FileLayout> extends LaidOutFiles<L> {
  /** Path as the caller named it. */
  readonly path: string;
  /** Folder and beginning of the names that the path stands for. */
  readonly place: OutputPlace;
  /** Total size of all files in bytes. */
  readonly bytes: number;
  /** Files of an earlier checkpoint in the same place. */
  readonly earlier: readonly string[];
}

/**
 * Plans the files of a checkpoint in a form, without reading tensors or writing files.
 * @throws InputError if the path cannot be used: it is an input, or it exists and may not be replaced.
 */
export async function planSave<L extends FileLayout>(
  checkpoint: Checkpoint,
  path: string,
  { form, ...options }: PlanSaveOptions & { readonly form: FileForm<L> },
): Promise<SavePlan<L>> {
  const place = await form.placeOf(path, checkpoint.files);
  const { dtype, maxShardBytes, metadata = checkpoint.metadata } = options;
  const laidOut = form.layOut(convertedInfos(checkpoint, dtype), place, { metadata, maxShardBytes });
  const { shards, index } = laidOut;
  const bytes = shards.reduce((sum, { layout }) => sum + layout.size, index?.json.length ?? 0);
  const earlier = await findReplaced({ path, place, shards }, checkpoint, options);
  return { path, place, ...laidOut, bytes, earlier };
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
  const paths = shards.map((shard) => shard.path);
  const earlier = await findEarlierFiles(place, paths, checkpoint.files);
  await assertNoInput([...paths, ...earlier], checkpoint.files);
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
  path,
  place: { folder },
  bytes,
}: {
  readonly path: string;
  readonly place: Pick<OutputPlace, "folder">;
  readonly bytes: number;
}): Promise<void> {
  const disk = await statfs(folder).catch(() => undefined);
  // Some network file systems report no blocks at all.
  if (disk === undefined || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (free >= bytes) return;
  throw new InputError(
    `Cannot save to "${path}" as the disk must have room for ${bytes} bytes: ${free} are free; ` +
      "free some space or choose another disk",
    { input: path },
  );
}
