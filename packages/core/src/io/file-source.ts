import {
  closeSync,
  type FileHandle,
  fstatSync,
  readSync,
  type Stats,
  SYNC_READ_BYTES,
} from "@isthmus/platform";
import { FormatError, InputError } from "../errors.ts";
import { assertByteRange, type ByteSource } from "./byte-source.ts";
import { MAX_READ_BYTES } from "./limits.ts";
import { openFile, openFileSync } from "./open-file.ts";
import { reasonOf } from "./system-error.ts";

/**
 * Opens a file for reads at any position; several may be under way at once.
 *
 * If the file is written to after it was opened, the next read fails, so that no computation mixes old and
 * new content. If another file takes its name, reads continue in the opened file.
 * @param within - folder in which the file must lie after all links are resolved. @defaultValue any folder
 * @throws InputError if the file does not exist, may not be read, or is not a regular file; from its methods,
 *   if the file has changed or was closed
 * @throws FormatError from its methods, if the file was cut short
 */
export async function openFileSource(path: string, within?: string): Promise<ByteSource> {
  const { handle, stats } = await openFile(path, within);
  return new FileSource(path, stats, handle);
}

/**
 * Reads bytes `[offset, offset + length)` of a file synchronously.
 * @throws InputError if the file does not exist, may not be read, is not a regular file, or changes meanwhile
 * @throws FormatError if the range is not within the file; the size is compared before memory is allocated
 */
export function readFileRangeSync(path: string, offset: number, length: number): Uint8Array {
  const { descriptor, stats } = openFileSync(path);
  try {
    assertByteRange({ name: path, size: stats.size }, offset, offset + length);
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(descriptor, out, done, Math.min(length - done, MAX_READ_BYTES), offset + done);
      if (count === 0) throw cutShort(path, stats.size, offset + done);
      done += count;
    }
    assertUnchanged(path, stats, fstatSync(descriptor));
    return out;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : readError(path, offset, error);
  } finally {
    closeSync(descriptor);
  }
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #stats: Stats;

  constructor(name: string, stats: Stats, handle: FileHandle) {
    this.name = name;
    this.size = stats.size;
    this.#stats = stats;
    this.#handle = handle;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    assertByteRange(this, begin, end);
    // The memory does not come from Node's pool of small buffers, so that views of 8-byte elements are
    // aligned.
    const out = new Uint8Array(end - begin);
    await this.readInto(begin, out);
    return out;
  }

  async readInto(begin: number, out: Uint8Array): Promise<void> {
    assertByteRange(this, begin, begin + out.length);
    for (let done = 0; done < out.length; ) {
      const count = await this.#readOnce(out, done, begin + done);
      if (count === 0) throw cutShort(this.name, this.size, begin + done);
      done += count;
    }
    this.#assertUnchanged();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readOnce(out: Uint8Array, offset: number, position: number): Promise<number> {
    const length = Math.min(out.length - offset, MAX_READ_BYTES);
    const descriptor = this.#descriptor();
    try {
      if (length <= SYNC_READ_BYTES) return readSync(descriptor, out, offset, length, position);
      return (await this.#handle.read(out, offset, length, position)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EINTR" || code === "EAGAIN") return this.#readOnce(out, offset, position);
      throw readError(this.name, position, error);
    }
  }

  /** Asks the system for size and time again; this takes about 1 us, a read of 128 KiB at least 5. */
  #assertUnchanged(): void {
    assertUnchanged(this.name, this.#stats, fstatSync(this.#descriptor()));
  }

  #descriptor(): number {
    const { fd } = this.#handle;
    if (fd >= 0) return fd;
    throw new InputError(`Cannot read "${this.name}" as it must be open: it was closed before`, {
      input: this.name,
    });
  }
}

/**
 * Checks that size and time of a file are unchanged: writing to the file changes its time and usually its
 * size, replacing it under its name changes neither.
 */
function assertUnchanged(path: string, before: Stats, after: Stats): void {
  if (before.size === after.size && before.mtimeMs === after.mtimeMs) return;
  throw new InputError(
    `Cannot read "${path}" as it must stay as it is while it is read: it was written to since it was opened; ` +
      "wait until it is complete, and start again",
    { input: path },
  );
}

function cutShort(path: string, size: number, end: number): FormatError {
  return new FormatError(
    `Cannot read "${path}" as it ends at byte ${end}: it had ${size} bytes when it was opened, so it was cut short since`,
    { format: "bytes" },
  );
}

function readError(path: string, position: number, error: unknown): InputError {
  return new InputError(`Cannot read "${path}" at byte ${position} as ${reasonOf(error)}`, {
    input: path,
    cause: error,
  });
}
