import {
  type Checkpoint,
  createCheckpoint,
  createFolder,
  isIsthmusError,
  openCheckpoint,
  sameShape,
  saveCheckpoint,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { createHash, join, readdir, rm, stat } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";

/** Start of the names of kept tensors, which are hidden files in the folder of the result. */
const PREFIX = ".moe-gates-";

/** Settings and files that decide the tensors that no model has. */
export interface GateIdentity {
  /** Settings, as JSON. */
  readonly settings: unknown;
  /** Paths of the files that are read. */
  readonly files: readonly string[];
}

/**
 * Makes the tensors that no model has, or takes the tensors that an interrupted call has stored in the folder
 * of the result. Kept tensors have a digest of all that decides them in their name.
 * @param tensors - names and shapes of the tensors, all of type f32
 */
export async function keepGates(
  folder: string,
  {
    identity,
    tensors,
  }: { readonly identity: GateIdentity; readonly tensors: ReadonlyMap<string, TensorInfo> },
  make: () => Promise<ReadonlyMap<string, Tensor>>,
): Promise<Checkpoint> {
  const states = await Promise.all(
    identity.files.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  const digest = createHash("sha256")
    .update(canonicalJson({ states, settings: identity.settings }))
    .digest("hex");
  const path = join(folder, `${PREFIX}${digest.slice(0, 32)}.safetensors`);
  const stored = await openKept(path, tensors);
  if (stored !== undefined) return stored;
  const made = createCheckpoint(await make(), {}, "gates");
  await createFolder(folder);
  await saveCheckpoint(made, path, { overwrite: true });
  return openCheckpoint(path);
}

/** Opens stored tensors; undefined if there are none, or the file is damaged. */
async function openKept(
  path: string,
  tensors: ReadonlyMap<string, TensorInfo>,
): Promise<Checkpoint | undefined> {
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  try {
    const stored = await openCheckpoint(path);
    const isRight = [...tensors].every(([name, { shape }]) => {
      const info = stored.tensors.get(name);
      return info?.dtype === "f32" && sameShape(info.shape, shape);
    });
    if (isRight) return stored;
    await stored.close();
  } catch (error) {
    if (!isIsthmusError(error)) throw error;
  }
  return undefined;
}

/** Removes all stored tensors from the folder of a result. */
export async function removeKeptGates(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (name.startsWith(PREFIX)) await rm(join(folder, name), { force: true });
}
