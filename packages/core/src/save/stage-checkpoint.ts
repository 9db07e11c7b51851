import {
  basename,
  dirname,
  join,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { InputError } from "../errors.ts";
import { at, InvariantError } from "../invariant.ts";
import { createFolder, removeFolders } from "../io/create-folder.ts";
import { openPositionalFile, writeError } from "../io/positional-file.ts";
import { lockPathOf, takeLock } from "../io/take-lock.ts";
import { removeStaleTemporaries } from "../io/temporary-name.ts";
import type { SaveCheckpointResult } from "../save-checkpoint.ts";
import type { TensorInfo } from "../tensor/tensor.ts";
import { type FileForm, publishingOrder, type TensorEncoding } from "./file-form.ts";
import { indexPath, isCheckpointFile, type OutputPlace } from "./output-paths.ts";
import { assertRoom, findReplaced, planSave, type SavePlan } from "./plan-save.ts";
import { publishFiles } from "./publish-files.ts";
import { SAFETENSORS_FORM } from "./safetensors-form.ts";

/** Position at which the elements of a tensor are written while its checkpoint is not complete. */
export interface StagedTensor extends TensorInfo {
  /** Path of the unfinished file. */
  readonly path: string;
  /** Final path of the file, for messages. */
  readonly target: string;
  /** Position in the file of the first byte of the tensor. */
  readonly position: number;
  /** Encoding of the elements in the file. @defaultValue the bytes of the elements, one after the other */
  readonly encoding?: TensorEncoding | undefined;
}

/**
 * An unfinished checkpoint in a hidden folder, whose tensors can be written in any order and by several
 * writers.
 */
export interface StagedCheckpoint {
  /** Hidden folder, which may contain other files of the same work. */
  readonly folder: string;
  /** Position of each tensor in the unfinished files, by name. */
  readonly tensors: ReadonlyMap<string, StagedTensor>;
  /** Total size of all files in bytes. */
  readonly bytes: number;
  /** Whether the files contain data that an earlier process wrote. */
  readonly resumed: boolean;
  /**
   * Writes the headers, gives the files their final names, removes the hidden folder and releases the lock of
   * the place.
   * @param metadata - metadata with the same length in bytes as the metadata at staging
   * @throws InputError if a file cannot be written or renamed
   */
  publish(metadata: Readonly<Record<string, string>>): Promise<SaveCheckpointResult>;
  /** Releases the lock of the place, and keeps the files, so that a later process can continue. */
  close(): Promise<void>;
  /** Removes the files, and releases the lock of the place. */
  discard(): Promise<void>;
}

/** Options of {@link stageCheckpoint}. */
export interface StageCheckpointOptions {
  /** Maximum size of the tensors in one file, in bytes. */
  readonly maxShardBytes: number;
  /** Whether an earlier checkpoint may be replaced. */
  readonly overwrite: boolean;
  /** Whether to wait until all bytes are on the disk before a file gets its final name. */
  readonly durable: boolean;
  /**
   * Placeholder metadata of the final length; the final metadata replace them when the checkpoint is
   * published.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** Form of the files. @defaultValue safetensors */
  readonly form?: FileForm | undefined;
  /**
   * Decides whether the unfinished files in the hidden folder are used; if not, they are removed. Called only
   * if the folder exists; must refuse files if `isWhole` is false, as some are missing or too short.
   */
  readonly goesOn: (folder: string, isWhole: boolean) => Promise<boolean>;
}

/** File in the hidden folder that lists the files while they are being renamed. */
const PUBLISHING = "publishing.json";

/**
 * Makes the files of a checkpoint in a hidden folder beside their final place, with their full size and
 * without content, or takes over the files of a killed process.
 *
 * @param checkpoint - names, element types and shapes of the tensors, and the files that must not be replaced
 * @param path - path of the checkpoint, as in `saveCheckpoint`
 * @throws InputError if the path cannot be used, another process is writing there, or the disk lacks space
 */
export async function stageCheckpoint(
  checkpoint: Checkpoint,
  path: string,
  options: StageCheckpointOptions,
): Promise<StagedCheckpoint> {
  const { form = SAFETENSORS_FORM } = options;
  const place = await form.placeOf(path, checkpoint.files);
  const created = await createFolder(place.folder);
  const unlock = await takeLock(lockPathOf(indexPath(place), "saving"), path);
  const folder = join(place.folder, `.${hiddenName(place)}.unfinished`);
  const leave = async (): Promise<void> => {
    await unlock();
    await removeFolders(created);
  };
  try {
    await takeBackPublished(folder, place.folder);
    const plan = await planSave(checkpoint, path, { ...options, form, dtype: undefined });
    await removeStaleTemporaries(place.folder, (name) => isCheckpointFile(place, name));
    const resumed = (await isFolder(folder)) && (await options.goesOn(folder, await hasFiles(folder, plan)));
    if (!resumed) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    try {
      await assertRoom({ ...plan, bytes: plan.bytes - (await allocatedBytes(folder)) });
      for (const { path: target, layout } of plan.shards) await createFile(folder, target, layout.size);
    } catch (error) {
      if (!resumed) await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return createStage(checkpoint, { plan, form, folder, resumed, leave }, options);
  } catch (error) {
    await leave();
    throw error;
  }
}

/** Returns the name of a place without its folder, which differs for formats that differ in their ending. */
function hiddenName({ stem, extension = "" }: OutputPlace): string {
  return `${stem}${extension}`;
}

/** Pattern of names of hidden folders, which contain the beginning of the names of the files. */
const HIDDEN = /^\.(.+)\.unfinished$/;

/**
 * Returns the current and the final path of a file of an unfinished checkpoint, from its hidden folder and
 * its name, neither of which is trusted.
 * @throws InputError if the folder is not one of unfinished files, or cannot contain a file of that name
 */
export function stagedFile(folder: string, name: string): Pick<StagedTensor, "path" | "target"> {
  const stem = HIDDEN.exec(basename(folder))?.[1];
  const places = [{ stem: stem ?? "" }, { stem: stem?.replace(/\.gguf$/, "") ?? "", extension: ".gguf" }];
  const isOfIt = stem !== undefined && places.some((place) => isCheckpointFile({ folder, ...place }, name));
  if (isOfIt && !name.endsWith(".json"))
    return { path: join(folder, name), target: join(dirname(folder), name) };
  throw new InputError(
    `Cannot write "${name}" in "${folder}" as it must be a file of an unfinished checkpoint there: folders of such are called .NAME.unfinished, and their files NAME.safetensors or NAME-00001-of-00002.safetensors, or the same in GGUF`,
    { input: name },
  );
}

interface Staging {
  readonly plan: SavePlan;
  readonly form: FileForm;
  readonly folder: string;
  readonly resumed: boolean;
  readonly leave: () => Promise<void>;
}

function createStage(
  checkpoint: Checkpoint,
  { plan, form, folder, resumed, leave }: Staging,
  options: StageCheckpointOptions,
): StagedCheckpoint {
  const tensors = new Map<string, StagedTensor>();
  for (const { path: target, layout } of plan.shards) {
    for (const [name, { dtype, shape, begin, encoding }] of layout.tensors) {
      const place = { position: begin, ...stagedFile(folder, basename(target)) };
      tensors.set(name, { dtype, shape, ...place, ...(encoding && { encoding }) });
    }
  }
  const discard = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await leave();
  };
  return {
    folder,
    tensors,
    resumed,
    bytes: plan.bytes,
    discard,
    close: leave,
    async publish(metadata) {
      const { shards } = form.layOut(checkpoint.tensors, plan.place, { ...options, metadata });
      await writeHeaders({ plan, shards, folder, durable: options.durable });
      const files = publishingOrder(plan);
      const earlier = await findReplaced(plan, checkpoint, options);
      await writeFile(join(folder, PUBLISHING), JSON.stringify(files.map((file) => basename(file))));
      const outputs = files.map((file) => ({ path: file, publish: () => moveTo(file, folder) }));
      await publishFiles(outputs, earlier, options.durable);
      await discard();
      return { path: at(files, files.length - 1, "file"), files, bytes: plan.bytes };
    },
  };
}

/** Writes the first bytes of each file. */
async function writeHeaders({
  plan: { shards: planned, index },
  shards,
  folder,
  durable,
}: Pick<Staging, "plan" | "folder"> &
  Pick<SavePlan, "shards"> & { readonly durable: boolean }): Promise<void> {
  for (const [i, { path, layout }] of planned.entries()) {
    const { header } = at(shards, i, "shard").layout;
    if (header.length !== layout.header.length) {
      throw new InvariantError(
        `metadata of "${path}" must be as long as planned: a header of ${header.length} bytes, not ${layout.header.length}`,
      );
    }
    const file = await openPositionalFile(join(folder, basename(path)), path);
    try {
      await file.write(header, 0);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
  }
  if (index !== undefined) {
    await writeFile(join(folder, basename(index.path)), index.json).catch((error: unknown) => {
      throw writeError(index.path, error);
    });
  }
}

async function moveTo(path: string, folder: string): Promise<void> {
  await rename(join(folder, basename(path)), path).catch((error: unknown) => {
    throw writeError(path, error, "its unfinished file must stay until it is complete: it was removed");
  });
}

/**
 * Moves files back into the hidden folder if a process was killed while it renamed them; if all files had got
 * their final names, only the folder is removed.
 */
async function takeBackPublished(folder: string, target: string): Promise<void> {
  const names = await readNames(join(folder, PUBLISHING));
  if (names === undefined) return;
  const staged = new Set(await readdir(folder));
  if (names.every((name) => !staged.has(name))) {
    await rm(folder, { recursive: true, force: true });
    return;
  }
  for (const name of names) {
    if (!staged.has(name)) await rename(join(target, name), join(folder, name)).catch(() => {});
  }
  await rm(join(folder, PUBLISHING), { force: true });
}

async function readNames(path: string): Promise<readonly string[] | undefined> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return JSON.parse(await handle.readFile("utf8")) as readonly string[];
  } catch {
    // The process was killed while it wrote the list: no file had been renamed yet.
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Creates a file with its full size, without content; an existing file keeps its content. */
async function createFile(folder: string, target: string, size: number): Promise<void> {
  const path = join(folder, basename(target));
  try {
    const handle = await open(path, "a");
    try {
      await handle.truncate(size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw writeError(target, error);
  }
}

/**
 * Returns the number of bytes that the files in a folder take on the disk; parts without content take none.
 */
async function allocatedBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).blocks * 512;
  return bytes;
}

/** Checks whether all unfinished files of a plan exist with their full size. */
async function hasFiles(folder: string, { shards }: SavePlan): Promise<boolean> {
  for (const { path, layout } of shards) {
    const stats = await stat(join(folder, basename(path))).catch(() => undefined);
    if (stats?.size !== layout.size) return false;
  }
  return true;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
