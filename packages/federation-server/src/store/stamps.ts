import { stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

/** Milliseconds after which a change of a file has another time: systems count times in steps of up to 10. */
const STEP_MS = 20;
/** Number of nanoseconds in a second. */
const SECOND = 1_000_000_000n;

/** Stamps of files by path, as they were when the bytes of the files were checked. */
export type Stamps = Map<string, string>;

/**
 * Returns a text that tells the state of a file from all later ones: whoever writes to the file, or replaces
 * it, changes its time of change, which no program can set. It saves digesting the file to see that it is as
 * it was.
 * @returns undefined if there is no such file, or its file system counts times in whole seconds
 */
export async function stampOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined || stats.ctimeNs % SECOND === 0n) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

/** Remembers the stamp of a file once every later change will have another time. */
export async function rememberStamp(stamps: Stamps, path: string): Promise<void> {
  const { ctimeMs = 0 } = (await stat(path).catch(() => undefined)) ?? {};
  const left = ctimeMs + STEP_MS - Date.now();
  if (left > 0) await setTimeout(Math.min(left, STEP_MS));
  const stamp = await stampOf(path);
  if (stamp !== undefined) stamps.set(path, stamp);
}
