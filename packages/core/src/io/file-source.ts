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
import { type OpenFile, openFile, openFileSync } from "./open-file.ts";
import { freeSlot, noteBusy, noteIdle, type RestingFile, takeSlot } from "./open-slots.ts";
import { reasonOf } from "./system-error.ts";

/**
 * Opens a file for reads at any position; several may be under way at once.
 *
 * If the file is written to after it was opened, the next read fails, so that no computation mixes old and
 * new content. If another file takes its name, reads continue in the opened file, or fail if more files were
 * open than the system allows, as such files are closed while nothing reads them, and opened again.
 * @param within - folder in which the file must lie after all links are resolved. @defaultValue any folder
 * @throws InputError if the file does not exist, may not be read, or is not a regular file; from its methods,
 *   if the file has changed or was closed
 * @throws FormatError from its methods, if the file was cut short
 */
export async function openFileSource(path: string, within?: string): Promise<ByteSource> {
  const { handle, stats } = await openInSlot(path, within);
  return new FileSource({ path, within, stats }, handle);
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
    assertUnchanged({ path, stats }, fstatSync(descriptor));
    return out;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : readError(path, offset, error);
  } finally {
    closeSync(descriptor);
  }
}

/** Path and folder by which a file was opened, and its state then. */
interface Opened {
  readonly path: string;
  readonly within: string | undefined;
  readonly stats: Stats;
}

class FileSource implements ByteSource, RestingFile {
  readonly name: string;
  readonly size: number;
  readonly #opened: Opened;
  /** Open file; undefined while it rests. */
  #handle: FileHandle | undefined;
  #opening: Promise<FileHandle> | undefined;
  #reads = 0;
  #isClosed = false;

  constructor(opened: Opened, handle: FileHandle) {
    this.name = opened.path;
    this.size = opened.stats.size;
    this.#opened = opened;
    this.#handle = handle;
    noteIdle(this);
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
    this.#reads++;
    noteBusy(this);
    try {
      const handle = this.#handle ?? (await this.#openAgain());
      for (let done = 0; done < out.length; ) {
        const count = await this.#readOnce(handle, out, done, begin + done);
        if (count === 0) throw cutShort(this.name, this.size, begin + done);
        done += count;
      }
      // This asks the system for size and time again: that takes about 1 us, a read of 128 KiB at least 5.
      assertUnchanged(this.#opened, fstatSync(this.#descriptor(handle)));
    } finally {
      this.#reads--;
      if (this.#reads === 0 && this.#handle !== undefined) noteIdle(this);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    await this.rest();
  }

  async rest(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    noteBusy(this);
    await handle.close();
    freeSlot();
  }

  /** Opens a file that rests; reads that begin meanwhile wait for the same opening. */
  #openAgain(): Promise<FileHandle> {
    this.#assertOpen();
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #reopen(): Promise<FileHandle> {
    const { path, within, stats: before } = this.#opened;
    const { handle, stats } = await openInSlot(path, within);
    this.#handle = handle;
    if (stats.ino === before.ino && stats.dev === before.dev) return handle;
    await this.rest();
    throw changed(path, "another file took its name");
  }

  async #readOnce(handle: FileHandle, out: Uint8Array, offset: number, position: number): Promise<number> {
    const length = Math.min(out.length - offset, MAX_READ_BYTES);
    const descriptor = this.#descriptor(handle);
    try {
      if (length <= SYNC_READ_BYTES) return readSync(descriptor, out, offset, length, position);
      return (await handle.read(out, offset, length, position)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EINTR" || code === "EAGAIN") return this.#readOnce(handle, out, offset, position);
      throw readError(this.name, position, error);
    }
  }

  #descriptor({ fd }: FileHandle): number {
    if (fd < 0) this.#isClosed = true;
    this.#assertOpen();
    return fd;
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new InputError(`Cannot read "${this.name}" as it must be open: it was closed before`, {
      input: this.name,
    });
  }
}

async function openInSlot(path: string, within: string | undefined): Promise<OpenFile> {
  await takeSlot();
  try {
    return await openFile(path, within);
  } catch (error) {
    freeSlot();
    throw error;
  }
}

/**
 * Checks that size and time of a file are unchanged: writing to the file changes its time and usually its
 * size, replacing it under its name changes neither.
 */
function assertUnchanged({ path, stats }: Pick<Opened, "path" | "stats">, after: Stats): void {
  if (stats.size === after.size && stats.mtimeMs === after.mtimeMs) return;
  throw changed(path, "it was written to since it was opened");
}

function changed(path: string, how: string): InputError {
  return new InputError(
    `Cannot read "${path}" as it must stay as it is while it is read: ${how}; wait until it is complete, and start again`,
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
