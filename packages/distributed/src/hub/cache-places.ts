import { link, lstat, mkdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { hubFolderOf, InputError, readTextFile, reasonOf, saveFile } from "@isthmus/core";
import type { HubFile } from "./list-repository.ts";

/** Places of a model at one commit in the cache. */
export interface CachePlaces {
  /** Folder of the snapshot: links to blobs, under the names of the repository. */
  readonly snapshot: string;
  /** Path of the lock that a process has while it fetches files of the model. */
  readonly lock: string;
  /** Returns the path of the content of a file. */
  blobOf(file: HubFile): string;
  /** Returns the path of a file in the snapshot. */
  pointerOf(file: HubFile): string;
  /** Returns the path of the file that holds the commit of a branch or a tag. */
  refOf(revision: string): string;
}

/** Returns the places that all programs of the Hugging Face hub use for a model. */
export function cachePlaces(cache: string, name: string, commit: string): CachePlaces {
  const folder = hubFolderOf(name);
  const model = join(cache, folder);
  const snapshot = join(model, "snapshots", commit);
  return {
    snapshot,
    // The locks of huggingface_hub are of another kind and stay when they are released.
    lock: join(cache, ".locks", folder, "isthmus.lock"),
    blobOf: ({ digest }) => join(model, "blobs", digest),
    pointerOf: ({ path }) => join(snapshot, ...path.split("/")),
    refOf: (revision) => join(model, "refs", ...revision.split("/")),
  };
}

/** Checks whether the content of a file is in the cache: as a blob, or in place of a link to one. */
export async function isCached(places: CachePlaces, file: HubFile): Promise<boolean> {
  for (const path of [places.blobOf(file), places.pointerOf(file)]) {
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile() && stats.size === file.size) return true;
  }
  return false;
}

/** Checks whether the snapshot has all of some files. */
export async function isLinked(places: CachePlaces, files: readonly HubFile[]): Promise<boolean> {
  for (const file of files) {
    const stats = await stat(places.pointerOf(file)).catch(() => undefined);
    if (!stats?.isFile() || stats.size !== file.size) return false;
  }
  return true;
}

/**
 * Links a file of the snapshot to its blob, as huggingface_hub does: by a relative link, so that the cache
 * can be moved. A file system without such links gets a second name of the blob.
 */
export async function linkFile(places: CachePlaces, file: HubFile): Promise<void> {
  const [blob, pointer] = [places.blobOf(file), places.pointerOf(file)];
  const target = relative(dirname(pointer), blob);
  const stats = await lstat(pointer).catch(() => undefined);
  const isThere = stats?.isSymbolicLink()
    ? (await readlink(pointer)) === target
    : stats?.isFile() && stats.size === file.size;
  if (isThere) return;
  const temporary = `${pointer}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(pointer), { recursive: true });
    await rm(temporary, { force: true });
    await symlink(target, temporary).catch(() => link(blob, temporary));
    await rename(temporary, pointer);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new InputError(`Cannot write "${pointer}" as ${reasonOf(error)}`, { input: pointer, cause: error });
  }
}

/** Notes the commit of a branch or a tag, so that it is found by that name. */
export async function noteRevision(places: CachePlaces, revision: string, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = places.refOf(revision);
  const noted = await readTextFile(path).catch(() => undefined);
  if (noted !== commit) await saveFile(path, commit);
}
