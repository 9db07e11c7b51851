import { type FileHandle, open } from "node:fs/promises";
import { InputError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** A file that is written at any position, by several writers at once if need be. */
export interface PositionalFile {
  /** Writes all of `bytes` at `position`; several writes may be under way at once. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Waits until the disk has every byte. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file that exists already for writing at any position; what is not written to stays.
 * @param name - path for messages, where the file is to get another name once it is complete
 * @throws InputError if it cannot be opened, and, from its methods, if it cannot be written
 */
export async function openPositionalFile(path: string, name: string = path): Promise<PositionalFile> {
  const handle = await open(path, "r+").catch((error: unknown) => {
    throw writeError(name, error);
  });
  return {
    write: (bytes, position) => writeFully(handle, bytes, { position, name }),
    async sync() {
      await handle.sync().catch((error: unknown) => {
        throw writeError(name, error);
      });
    },
    close: () => handle.close(),
  };
}

/**
 * Writes all of `bytes` at a position, however many calls of the operating system that takes.
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
 * @param missing - description of the error that there is no file of that name
 */
export function writeError(path: string, error: unknown, missing?: string): InputError {
  return new InputError(`Cannot write "${path}" as ${reasonOf(error, missing)}`, {
    input: path,
    cause: error,
  });
}
