import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Milliseconds that a write may take before later writes are handed to another thread. */
const SLOW_MS = 100;
/** Milliseconds for which writes are handed over after a slow one. */
const REST_MS = 1000;

/** Function that appends bytes to a file: at once, or by the time that the returned promise resolves. */
export type AppendBytes = (file: FileHandle, bytes: Uint8Array) => Promise<void> | undefined;

/**
 * Creates a function that writes at once while the disk keeps up: a write into the page cache takes less time
 * than handing bytes to another thread, and the bytes of hundreds of clients need not be kept in the
 * meantime. A slow disk must not hold up other requests: after a slow write, later writes are left to another
 * thread for a while.
 */
export function createAppender(): AppendBytes {
  let rest = 0;
  return (file, bytes) => {
    const began = performance.now();
    if (began < rest) return file.appendFile(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(file.fd, bytes, done);
    const ended = performance.now();
    if (ended - began > SLOW_MS) rest = ended + REST_MS;
    return undefined;
  };
}
