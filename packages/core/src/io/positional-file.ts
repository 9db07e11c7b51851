import { constants, type FileHandle, open } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { assertOpenedWithin, assertPathWithin } from "./confine-files.ts";
import { reasonOf } from "./system-error.ts";

/** A file that can be written at any position, also by several writers at once. */
export interface PositionalFile {
  /** Writes all of `bytes` at `position`; several writes may be under way at once. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Waits until all bytes are on the disk. */
  sync(): Promise<void>;
  /** Closes the file, once no write is under way. */
  close(): Promise<void>;
}

/**
 * Flags for opening files for writing: links are not followed, as no file of Isthmus is one, and opening a
 * named pipe does not wait.
 */
const FLAGS = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens an existing file for writing at any position; its size and all other bytes are unchanged.
 * @param name - path for messages, if the file will be renamed once it is complete
 * @throws InputError if the file cannot be opened, is a link or not a regular file, or {@link confineFiles}
 *   does not allow writing; from its methods, if the file cannot be written, or would grow
 */
export async function openPositionalFile(path: string, name: string = path): Promise<PositionalFile> {
  await assertPathWithin(path, "write");
  const handle = await open(path, FLAGS).catch((error: unknown) => {
    throw writeError(name, error);
  });
  const size = await sizeWithin(handle, path).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  return {
    async write(bytes, position) {
      const end = position + bytes.length;
      if (end > size) throw mustNotGrow(name, { end, size });
      await writeFully(handle, bytes, { position, name });
    },
    async sync() {
      await handle.sync().catch((error: unknown) => {
        throw writeError(name, error);
      });
    },
    close: () => handle.close(),
  };
}

/** Returns the size of an opened file, after checking that it may be written. */
async function sizeWithin(handle: FileHandle, path: string): Promise<number> {
  const stats = await handle.stat();
  if (!stats.isFile()) {
    throw new InputError(
      `Cannot write "${path}" as it must be a regular file: it is a device, pipe or socket`,
      {
        input: path,
      },
    );
  }
  assertOpenedWithin(path, "write", { descriptor: handle.fd, stats });
  return stats.size;
}

function mustNotGrow(
  name: string,
  { end, size }: { readonly end: number; readonly size: number },
): InputError {
  return new InputError(
    `Cannot write "${name}" as what is written must lie within the file: it ends at byte ${end} of ${size}`,
    { input: name },
  );
}

/**
 * Writes all of `bytes` at a position, by as many calls of the operating system as necessary.
 * @param name - path for messages
 * @throws InputError if the file cannot be written
 */
export async function writeFully(
  handle: FileHandle,
  bytes: Uint8Array,
  { position, name }: { readonly position: number; readonly name: string },
): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  } catch (error) {
    throw writeError(name, error);
  }
}

/**
 * Returns the error that explains why a file cannot be written.
 * @param missing - description of the error if the file does not exist
 */
export function writeError(path: string, error: unknown, missing?: string): InputError {
  return new InputError(`Cannot write "${path}" as ${reasonOf(error, missing)}`, {
    input: path,
    cause: error,
  });
}
