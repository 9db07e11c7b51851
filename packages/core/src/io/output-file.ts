import { basename, dirname, type FileHandle, join, open, rename, unlink } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { type AnchoredFolder, anchorFolder } from "./confine-files.ts";
import { createFolder } from "./create-folder.ts";
import { writeError, writeFully } from "./positional-file.ts";
import { removeStaleTemporaries, temporaryName } from "./temporary-name.ts";

/** A file being written under a temporary name; its final name appears only once it is complete. */
export interface OutputFile {
  /** The final path. */
  readonly path: string;
  /** Writes all of `bytes` at `position`; several writes may be under way at once. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Closes the file under its temporary name; if `durable`, waits until all bytes are on the disk. */
  finish(durable: boolean): Promise<void>;
  /** Renames the finished file to its final name, and replaces a file of that name. */
  publish(): Promise<void>;
  /** Closes and removes the temporary file; does nothing once published. */
  discard(): Promise<void>;
}

/** Number of attempts to find a free temporary name. */
const MAX_NAMES = 1000;

/**
 * Starts a file under a temporary name in the folder of `path`, which is created if it is missing; removes
 * temporary files of processes that were killed while they wrote the same file.
 * @param mode - permissions of the file, before the umask of the process
 * @throws InputError if the folder cannot be created or may not be written, and, from its methods, if the
 *   disk is full.
 */
export async function createOutputFile(path: string, mode: number = 0o666): Promise<OutputFile> {
  const folder = dirname(path);
  await createFolder(folder);
  const anchor = await anchorFolder(folder);
  try {
    await removeStaleTemporaries(anchor.path, (name) => name === basename(path));
    return await openTemporary(path, mode, anchor);
  } catch (error) {
    await anchor.close();
    throw error;
  }
}

async function openTemporary(path: string, mode: number, folder: AnchoredFolder): Promise<TemporaryFile> {
  for (let attempt = 0; attempt < MAX_NAMES; attempt++) {
    const temporary = join(folder.path, basename(temporaryName(path, attempt)));
    try {
      return new TemporaryFile(path, { temporary, folder, handle: await open(temporary, "wx", mode) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(path, error);
    }
  }
  throw new InputError(
    `Cannot write "${path}" as a temporary name must be free: ${MAX_NAMES} are taken, remove them`,
    {
      input: path,
    },
  );
}

/** A handle with which a file is written until it gets its final name. */
interface Temporary {
  readonly temporary: string;
  readonly folder: AnchoredFolder;
  readonly handle: FileHandle;
}

class TemporaryFile implements OutputFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #folder: AnchoredFolder;
  readonly #handle: FileHandle;
  #state: "open" | "finished" | "gone" = "open";

  constructor(path: string, { temporary, folder, handle }: Temporary) {
    this.path = path;
    this.#temporary = temporary;
    this.#folder = folder;
    this.#handle = handle;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return writeFully(this.#handle, bytes, { position, name: this.path });
  }

  async finish(durable: boolean): Promise<void> {
    try {
      if (durable) await this.#handle.sync();
      await this.#handle.close();
      this.#state = "finished";
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async publish(): Promise<void> {
    try {
      await rename(this.#temporary, join(this.#folder.path, basename(this.path)));
      this.#state = "gone";
      await this.#folder.close();
    } catch (error) {
      throw writeError(this.path, error, "its temporary file must stay until it is complete: it was removed");
    }
  }

  async discard(): Promise<void> {
    if (this.#state === "gone") return;
    const open = this.#state === "open";
    this.#state = "gone";
    // The failure that led here must be reported, not a failure to clean up after it.
    if (open) await this.#handle.close().catch(() => {});
    await unlink(this.#temporary).catch(() => {});
    await this.#folder.close().catch(() => {});
  }
}
