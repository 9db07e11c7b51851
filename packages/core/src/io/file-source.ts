import { constants, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FormatError, InputError } from "../errors.ts";
import { assertByteRange, type ByteSource } from "./byte-source.ts";
import { MAX_READ_BYTES } from "./limits.ts";
import { reasonOf } from "./system-error.ts";

/**
 * Largest read that is done at once rather than handed to another thread, in bytes: handing over takes about 60 us,
 * four times as long as such a read from the page cache, and what is read stays in this core's cache.
 */
const SYNC_READ_BYTES = 128 * 1024;

/**
 * Opens a file for reads at any position; several may be under way at once.
 * @throws InputError if there is no such file, it may not be read, or it is not a regular file.
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  const handle = await openForReading(path);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? "a folder" : "a device, pipe or socket";
      throw new InputError(`Cannot read "${path}" as it must be a regular file: it is ${kind}`, {
        input: path,
      });
    }
    return new FileSource(path, stats.size, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    assertByteRange(this, begin, end);
    // Not from Node's pool of small buffers, so that views of 8-byte elements are aligned.
    const out = new Uint8Array(end - begin);
    await this.readInto(begin, out);
    return out;
  }

  async readInto(begin: number, out: Uint8Array): Promise<void> {
    assertByteRange(this, begin, begin + out.length);
    let done = 0;
    while (done < out.length) {
      const count = await this.#readOnce(out, done, begin + done);
      if (count === 0) {
        throw new FormatError(
          `Cannot read bytes ${begin} to ${begin + out.length} of "${this.name}" as it ends at byte ${begin + done}: ` +
            `it had ${this.size} bytes when it was opened, so it was cut short since`,
          { format: "bytes" },
        );
      }
      done += count;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readOnce(out: Uint8Array, offset: number, position: number): Promise<number> {
    const length = Math.min(out.length - offset, MAX_READ_BYTES);
    try {
      if (length <= SYNC_READ_BYTES) return readSync(this.#handle.fd, out, offset, length, position);
      return (await this.#handle.read(out, offset, length, position)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EINTR" || code === "EAGAIN") return this.#readOnce(out, offset, position);
      throw new InputError(`Cannot read "${this.name}" at byte ${position} as ${reasonOf(error)}`, {
        input: this.name,
        cause: error,
      });
    }
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new InputError(`Cannot open "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}
