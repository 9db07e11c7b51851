import { lstat, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ifThere, namesIn } from "../../if-there.ts";
import { OBJECTS_FOLDER, SHARED_FOLDER } from "./task-keys.ts";
import { sweepUsed } from "./used-files.ts";

/** Keeps a cache of copies within a number of bytes. */
export interface CacheLimit {
  /**
   * Records added bytes. If the cache exceeds its limit, the least recently used copies are removed, unless a
   * task reads them.
   */
  note(bytes: number): Promise<void>;
  /** Trims the cache a last time, except for copies that other processes use. */
  close(): Promise<void>;
}

/** Share of the limit to which a cache is trimmed, so that not every new copy makes others be removed. */
const LEFT = 0.9;
/** Milliseconds after which a cache is listed again, as other workers add copies to it. */
const LIST_MS = 5 * 60_000;
/** Milliseconds for which a copy counts as in use after a request for it: its task is about to open it. */
const FRESH_MS = 1000;
/** Milliseconds until the next attempt to trim a cache of which too many copies were in use. */
const AGAIN_MS = 2000;
/** Milliseconds after which an incomplete file, or an empty folder, counts as abandoned. */
const LEFT_BEHIND_MS = 60 * 60_000;

/** Makes a {@link CacheLimit} for the cache in a folder, which other processes may use and limit, too. */
export function createCacheLimit(root: string, limit: number): CacheLimit {
  let bytes = 0;
  let listed = Number.NEGATIVE_INFINITY;
  let trimming: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  const trim = async (): Promise<void> => {
    listed = performance.now();
    await sweepUsed(root);
    bytes = await trimCache(root, limit);
  };
  const trimOnce = (): Promise<void> => {
    clearTimeout(again);
    again = undefined;
    trimming ??= trim()
      // A cache that cannot be listed, or a copy that cannot be removed, must not fail a task.
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
      const isDue = bytes > limit ? again === undefined : performance.now() - listed >= LIST_MS;
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
  /** Time when the copy was last asked for, in milliseconds since 1970. */
  readonly used: number;
  readonly mayGo: boolean;
}

/** Removes copies until a cache is within its limit, and returns its remaining size in bytes. */
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

/** Pattern of names of folders of copies: digests of files, or digests that identify objects. */
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
    // A second hard link shows that a task reads the file.
    if (nlink > 1 || isWritten) mayGo = false;
    bytes += size;
  }
  return { files, bytes, used, mayGo };
}
