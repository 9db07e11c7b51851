import { lstat, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, namesIn } from "../../if-there.ts";
import { OBJECTS_FOLDER, SHARED_FOLDER } from "./task-keys.ts";
import { sweepUsed } from "./used-files.ts";

/** Keeps a cache of copies within a number of bytes. */
export interface CacheLimit {
  /**
   * Notes that bytes were added. If there are too many, the copies that were not used for longest are
   * removed, unless a task reads them.
   */
  note(bytes: number): Promise<void>;
  /** Removes what is too much a last time, as far as no other process uses it. */
  close(): Promise<void>;
}

/** Share of the limit that is left after copies were removed, so that not each new one has others removed. */
const LEFT = 0.9;
/** Milliseconds after which a cache is listed again, as other workers add to it. */
const LIST_MS = 5 * 60_000;
/** Milliseconds for which a copy counts as in use after it was asked for: its task is about to open it. */
const FRESH_MS = 1000;
/** Milliseconds after which copies are looked at again of which too many were in use. */
const AGAIN_MS = 2000;
/** Milliseconds after which a file that is not complete, or an empty folder, counts as left behind. */
const LEFT_BEHIND_MS = 60 * 60_000;

/** Makes a {@link CacheLimit} for the cache in a folder, which other processes may use and limit, too. */
export function createCacheLimit(root: string, limit: number): CacheLimit {
  let bytes = 0;
  let listed = Number.NEGATIVE_INFINITY;
  let trimming: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  const trim = async (): Promise<void> => {
    listed = Date.now();
    await sweepUsed(root);
    bytes = await trimCache(root, limit);
  };
  const trimOnce = (): Promise<void> => {
    clearTimeout(again);
    again = undefined;
    trimming ??= trim()
      // A cache that cannot be looked into, or a copy that cannot be removed, must not fail a task.
      .catch(() => {})
      .finally(() => {
        trimming = undefined;
        if (bytes > limit) again = setTimeout(() => void trimOnce(), AGAIN_MS).unref();
      });
    return trimming;
  };
  return {
    async note(added) {
      bytes += added;
      const isDue = bytes > limit ? again === undefined : Date.now() - listed >= LIST_MS;
      if (isDue) await trimOnce();
    },
    async close() {
      await trimOnce();
      clearTimeout(again);
    },
  };
}

/** A folder with a copy. */
interface Entry {
  readonly files: readonly string[];
  readonly bytes: number;
  /** When it was asked for last, in milliseconds since 1970. */
  readonly used: number;
  readonly mayGo: boolean;
}

/** Removes copies until a cache is within its limit, and returns the bytes that are left. */
async function trimCache(root: string, limit: number): Promise<number> {
  const entries = await listEntries(root);
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes <= limit) return bytes;
  const unused = entries.filter(({ mayGo }) => mayGo).sort((a, b) => a.used - b.used);
  for (const entry of unused) {
    if (bytes <= LEFT * limit) break;
    for (const file of entry.files) await rm(file, { force: true });
    bytes -= entry.bytes;
  }
  return bytes;
}

/** Names of folders of copies: digests, or what stands for an object. */
const ENTRY_NAME = /^[0-9a-f]{32}([0-9a-f]{32})?$/;

async function listEntries(root: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const above of [join(root, OBJECTS_FOLDER), join(root, SHARED_FOLDER)]) {
    for (const name of await namesIn(above)) {
      if (!ENTRY_NAME.test(name)) continue;
      const entry = await ifThere(() => describeEntry(join(above, name)), undefined);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return entries;
}

async function describeEntry(folder: string): Promise<Entry | undefined> {
  const { mtimeMs: used } = await stat(folder);
  const names = await namesIn(folder);
  const age = Date.now() - used;
  if (names.length === 0) {
    if (age > LEFT_BEHIND_MS) await rmdir(folder).catch(() => {});
    return undefined;
  }
  const files = names.map((name) => join(folder, name));
  let bytes = 0;
  let mayGo = age > FRESH_MS;
  for (const file of files) {
    const { size, nlink, mtimeMs } = await lstat(file);
    const isWritten = file.endsWith(".tmp") && Date.now() - mtimeMs < LEFT_BEHIND_MS;
    // A second name says that a task reads it.
    if (nlink > 1 || isWritten) mayGo = false;
    bytes += size;
  }
  return { files, bytes, used, mayGo };
}
