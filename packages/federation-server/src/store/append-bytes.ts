import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Milliseconds that a write may take before others are handed to another thread. */
const SLOW_MS = 100;
/** Milliseconds for which writes are handed over after a slow one. */
const REST_MS = 1000;

/** Writes bytes at the end of a file: at once, or by the end of the promise that it returns. */
export type AppendBytes = (file: FileHandle, bytes: Uint8Array) => Promise<void> | undefined;

/**
 * Creates a function that writes at once while the disk keeps up: into the page cache it takes less time
 * than handing bytes to another thread, and they need not be kept meanwhile, of hundreds of clients. A disk
 * that does not keep up must not hold up other requests: after a slow write, another thread waits for it.
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
