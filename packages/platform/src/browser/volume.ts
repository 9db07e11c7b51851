import type { DiskSpace, FolderEntry, Stats } from "../port.ts";
import { BlobReader } from "./blob-reader.ts";
import { type Attempt, fromWebError, systemError } from "./system-error.ts";
import { readBlobSync } from "./web.ts";

/** How a file is opened. */
export interface Opening {
  /** Whether the file is written, too. */
  readonly writes: boolean;
  /** Whether a missing file is made. */
  readonly creates: boolean;
  /** Whether an existing file is an error. */
  readonly isNew: boolean;
  /** Whether the content is removed. */
  readonly empties: boolean;
}

/** A file that is open. */
export interface OpenedFile {
  /** Path by which the file was opened. */
  readonly path: string;
  /** Returns size, times and identity. */
  stat(): Stats;
  /** Reads bytes at a position, as many as there are, and returns their number. */
  read(out: Uint8Array, position: number): Promise<number>;
  /** Reads as `read` does, at once. */
  readSync(out: Uint8Array, position: number): number;
  /** Writes bytes at a position, and returns their number. */
  write(bytes: Uint8Array, position: number): number;
  /** Makes the file shorter, or longer by zeros. */
  truncate(size: number): void;
  /** Waits until all bytes are on the disk. */
  sync(): void;
  /** Closes the file. */
  close(): void;
}

/** A place for files and folders: memory, or the storage of the page. */
export interface Volume {
  /** Returns size, times and identity of a path. */
  stat(path: string): Promise<Stats>;
  /** Lists a folder. */
  readdir(path: string): Promise<FolderEntry[]>;
  /** Opens a file. */
  open(path: string, how: Opening): Promise<OpenedFile>;
  /** Makes a folder. */
  mkdir(path: string): Promise<void>;
  /** Removes a file. */
  unlink(path: string): Promise<void>;
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>;
  /** Gives a file another path, and replaces a file of that path. */
  rename(from: string, to: string): Promise<void>;
  /** Returns free and total space. */
  statfs(): Promise<DiskSpace>;
}

/** Kind of what a path leads to. */
export type Kind = "file" | "directory";

/** Makes the answers to what a file or folder is. */
export const kindFunctions = (kind: Kind): Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink"> => ({
  isFile: () => kind === "file",
  isDirectory: () => kind === "directory",
  isSymbolicLink: () => false,
});

/** Makes the description of a file or folder, which has one name. */
export function createStats(kind: Kind, facts: Pick<Stats, "size" | "mtimeMs" | "dev" | "ino">): Stats {
  const { size, mtimeMs, dev, ino } = facts;
  return { size, mtimeMs, dev, ino, nlink: 1, blocks: Math.ceil(size / 512), ...kindFunctions(kind) };
}

/** A file of the person's machine, or of the storage as it was when it was opened: it is read by ranges. */
export class OpenedBlob implements OpenedFile {
  readonly path: string;
  readonly #blob: Blob;
  readonly #reader: BlobReader;
  readonly #stats: Stats;

  constructor(path: string, blob: Blob, stats: Stats) {
    this.path = path;
    this.#blob = blob;
    this.#reader = new BlobReader(blob);
    this.#stats = stats;
  }

  stat(): Stats {
    return this.#stats;
  }

  async read(out: Uint8Array, position: number): Promise<number> {
    try {
      const bytes = await this.#reader.read(position, position + out.length);
      out.set(bytes);
      return bytes.length;
    } catch (error) {
      throw this.#readError(error);
    }
  }

  readSync(out: Uint8Array, position: number): number {
    try {
      const bytes = readBlobSync(this.#blob.slice(position, position + out.length));
      if (bytes === undefined) throw systemError("ENOTSUP", this.#attempt("read"));
      out.set(bytes);
      return bytes.length;
    } catch (error) {
      throw this.#readError(error);
    }
  }

  write(): number {
    throw systemError("EROFS", this.#attempt("write"));
  }

  truncate(): void {
    throw systemError("EROFS", this.#attempt("ftruncate"));
  }

  sync(): void {}
  close(): void {}

  /** Makes an error of a failed read: whatever the browser calls it, the file is not there as it was. */
  #readError(error: unknown): Error {
    const { name } = error as Error;
    if (name === "NotFoundError") return systemError("ESTALE", this.#attempt("read"), error);
    return fromWebError(error, this.#attempt("read"));
  }

  #attempt(syscall: string): Attempt {
    return { syscall, path: this.path };
  }
}
