import type { DiskSpace, FolderEntry, Stats } from "../port.ts";
import { basename, dirname, namesOf, relative } from "./paths.ts";
import { type Attempt, fromWebError, systemError } from "./system-error.ts";
import {
  createStats,
  type Kind,
  kindFunctions,
  OpenedBlob,
  type OpenedFile,
  type Opening,
  type Volume,
} from "./volume.ts";
import { type WebAccess, type WebFile, type WebFolder, webNavigator } from "./web.ts";

/** Number of this volume. */
const DEVICE = 2;

/** Name of the lock under which pages and workers make files, one at a time. */
const MAKING = "isthmus-make-file";

/** A file that is open for writing, by one handle for all who write it, as browsers give no second one. */
interface Writer {
  readonly access: Promise<WebAccess>;
  users: number;
}

/**
 * The storage of the page's origin (OPFS), which stays after the page is closed, and which only workers can
 * write. All workers and pages of an origin share it.
 */
export class StorageVolume implements Volume {
  readonly #root: WebFolder;
  readonly #mountedAt: string;
  readonly #writers = new Map<string, Writer>();
  /** Numbers of files by their paths, as browsers give them none. */
  readonly #numbers = new Map<string, number>();
  #lastNumber = 0;

  constructor(root: WebFolder, mountedAt: string) {
    this.#root = root;
    this.#mountedAt = mountedAt;
  }

  async stat(path: string): Promise<Stats> {
    const file = await this.#fileOrFolder(path);
    if (file.kind === "directory") return this.#stats(path, file.kind, { size: 0, lastModified: 0 });
    return this.#stats(path, file.kind, await file.getFile());
  }

  async readdir(path: string): Promise<FolderEntry[]> {
    const folder = await this.#folder(path, "scandir");
    const entries: FolderEntry[] = [];
    for await (const { name, kind } of folder.values()) entries.push({ name, ...kindFunctions(kind) });
    return entries;
  }

  async open(path: string, how: Opening): Promise<OpenedFile> {
    const file = await this.#fileToOpen(path, how);
    if (!how.writes && !this.#writers.has(path)) {
      const content = await file.getFile();
      return new OpenedBlob(path, content, this.#stats(path, "file", content));
    }
    const opened = await this.#openAccess(path, file);
    if (how.empties) opened.truncate(0);
    return opened;
  }

  async mkdir(path: string): Promise<void> {
    const attempt = { syscall: "mkdir", path };
    await webNavigator().locks.request(MAKING, async () => {
      if (await this.#exists(path)) throw systemError("EEXIST", attempt);
      const folder = await this.#folder(dirname(path), attempt.syscall);
      await folder.getDirectoryHandle(basename(path), { create: true }).catch(rethrow(attempt));
    });
  }

  async unlink(path: string): Promise<void> {
    const attempt = { syscall: "unlink", path };
    await this.#file(path, attempt.syscall);
    await this.#remove(attempt);
  }

  async rmdir(path: string): Promise<void> {
    await this.#folder(path, "rmdir");
    await this.#remove({ syscall: "rmdir", path });
  }

  async rename(from: string, to: string): Promise<void> {
    const attempt = { syscall: "rename", path: from };
    const file = await this.#file(from, attempt.syscall);
    const folder = await this.#folder(dirname(to), attempt.syscall);
    await file.move(folder, basename(to)).catch(rethrow(attempt));
    const number = this.#numbers.get(from);
    this.#numbers.delete(from);
    if (number !== undefined) this.#numbers.set(to, number);
  }

  async statfs(): Promise<DiskSpace> {
    const { quota = 0, usage = 0 } = await webNavigator().storage.estimate();
    return { blocks: quota, bavail: Math.max(0, quota - usage), bsize: 1 };
  }

  /** Returns a whole file, without reading it. */
  async content(path: string): Promise<File> {
    return (await this.#file(path, "open")).getFile();
  }

  async #remove(attempt: Attempt): Promise<void> {
    const folder = await this.#folder(dirname(attempt.path), attempt.syscall);
    await folder.removeEntry(basename(attempt.path)).catch(rethrow(attempt));
    this.#numbers.delete(attempt.path);
  }

  async #fileToOpen(path: string, { creates, isNew }: Opening): Promise<WebFile> {
    if (!creates) return this.#file(path, "open");
    const attempt = { syscall: "open", path };
    return webNavigator().locks.request(MAKING, async () => {
      if (isNew && (await this.#exists(path))) throw systemError("EEXIST", attempt);
      const folder = await this.#folder(dirname(path), attempt.syscall);
      return folder.getFileHandle(basename(path), { create: true }).catch(rethrow(attempt));
    });
  }

  async #openAccess(path: string, file: WebFile): Promise<OpenedFile> {
    const writer = this.#writers.get(path) ?? { access: openAccess(path, file), users: 0 };
    this.#writers.set(path, writer);
    const leave = (): boolean => --writer.users === 0 && this.#writers.delete(path);
    writer.users++;
    const access = await writer.access.catch((error: unknown) => {
      leave();
      throw error;
    });
    const { ino } = this.#stats(path, "file", { size: 0, lastModified: 0 });
    const act = <T>(syscall: string, work: () => T): T => {
      try {
        return work();
      } catch (error) {
        throw fromWebError(error, { syscall, path });
      }
    };
    return {
      path,
      stat: () => createStats("file", { size: access.getSize(), mtimeMs: 0, dev: DEVICE, ino }),
      read: async (out, position) => act("read", () => access.read(out, { at: position })),
      readSync: (out, position) => act("read", () => access.read(out, { at: position })),
      write: (bytes, position) => act("write", () => writeWithin(access, bytes, { position, path })),
      truncate: (size) => act("ftruncate", () => truncateWithin(access, size, path)),
      sync: () => act("fsync", () => access.flush()),
      close: () => {
        if (leave()) access.close();
      },
    };
  }

  #stats(path: string, kind: Kind, { size, lastModified }: Pick<File, "size" | "lastModified">): Stats {
    const ino = this.#numbers.get(path) ?? ++this.#lastNumber;
    this.#numbers.set(path, ino);
    return createStats(kind, { size, mtimeMs: lastModified, dev: DEVICE, ino });
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#fileOrFolder(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  async #fileOrFolder(path: string): Promise<WebFile | WebFolder> {
    return this.#file(path, "stat").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EISDIR") return this.#folder(path, "stat");
      throw error;
    });
  }

  async #file(path: string, syscall: string): Promise<WebFile> {
    if (path === this.#mountedAt) throw systemError("EISDIR", { syscall, path });
    const folder = await this.#folder(dirname(path), syscall);
    return folder.getFileHandle(basename(path)).catch(rethrow({ syscall, path }));
  }

  async #folder(path: string, syscall: string): Promise<WebFolder> {
    let folder = this.#root;
    for (const name of namesOf(relative(this.#mountedAt, path)))
      folder = await folder.getDirectoryHandle(name).catch(rethrow({ syscall, path }, "ENOTDIR"));
    return folder;
  }
}

/**
 * Writes bytes. A private window of Chromium whose storage is full throws nothing, but returns an impossible
 * count.
 */
function writeWithin(
  access: WebAccess,
  bytes: Uint8Array,
  { position, path }: { readonly position: number; readonly path: string },
): number {
  const count = access.write(bytes, { at: position });
  if (count > bytes.length) throw systemError("EDQUOT", { syscall: "write", path });
  return count;
}

/**
 * Changes the size. A private window of Chromium whose storage is full throws nothing, but leaves the size.
 */
function truncateWithin(access: WebAccess, size: number, path: string): void {
  access.truncate(size);
  if (access.getSize() !== size) throw systemError("EDQUOT", { syscall: "ftruncate", path });
}

async function openAccess(path: string, file: WebFile): Promise<WebAccess> {
  const attempt = { syscall: "open", path };
  if (file.createSyncAccessHandle === undefined) throw systemError("ENOTSUP", attempt);
  return file.createSyncAccessHandle().catch(rethrow(attempt));
}

/** Makes a function that throws the error of Node.js for one of a browser. */
function rethrow(attempt: Attempt, mismatch?: "EISDIR" | "ENOTDIR"): (error: unknown) => never {
  return (error) => {
    throw fromWebError(error, attempt, mismatch);
  };
}
