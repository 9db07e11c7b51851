import { decodeUtf8, encodeUtf8 } from "../byte-arrays.ts";
import type { FileHandle, Files, OpenFlags, Stats } from "../port.ts";
import { decodeLatin1 } from "./bytes.ts";
import { MemoryVolume } from "./memory-volume.ts";
import { dirname, isAbsolute, join, relative, resolve } from "./paths.ts";
import { StorageVolume } from "./storage-volume.ts";
import { systemError } from "./system-error.ts";
import type { OpenedFile, Opening, Volume } from "./volume.ts";
import type { WebFolder } from "./web.ts";

/** Files in memory and mounted files, which are everywhere but in the storage. */
export const memory: MemoryVolume = new MemoryVolume();

let storage: { readonly folder: string; readonly volume: StorageVolume } | undefined;

/** Lets the storage of the page hold the files below a folder. */
export async function addStorage(folder: string, root: WebFolder): Promise<void> {
  if (storage !== undefined) throw systemError("EBUSY", { syscall: "mount", path: folder });
  await mkdir(folder, { recursive: true });
  storage = { folder, volume: new StorageVolume(root, folder) };
}

/** Returns the storage if it holds a path. */
export function storageOf(path: string): StorageVolume | undefined {
  if (storage === undefined) return undefined;
  const way = relative(storage.folder, path);
  return way === ".." || way.startsWith("../") || isAbsolute(way) ? undefined : storage.volume;
}

const volumeOf = (path: string): Volume => storageOf(path) ?? memory;

export const constants: OpenFlags = {
  O_RDONLY: 0,
  O_RDWR: 2,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: undefined,
  O_NONBLOCK: undefined,
};

/** Synchronous reads are never faster here, and only workers can make them. */
export const SYNC_READ_BYTES: number = 0;

const opened = new Map<number, OpenedFile>();
// The first three never belong to files.
let lastDescriptor = 2;

function keepOpen(file: OpenedFile): number {
  opened.set(++lastDescriptor, file);
  return lastDescriptor;
}

function openedBy(descriptor: number, syscall: string): OpenedFile {
  const file = opened.get(descriptor);
  if (file !== undefined) return file;
  throw systemError("EBADF", { syscall, path: String(descriptor) });
}

/** Reads the flags of `open` as Node.js does: `r`, `r+`, `w`, `wx`, `a`, or a number. */
function openingOf(flags: string | number): Opening {
  if (typeof flags === "number")
    return { writes: (flags & 3) !== constants.O_RDONLY, creates: false, isNew: false, empties: false };
  const begin = flags.slice(0, 1);
  return {
    writes: flags !== "r",
    creates: begin !== "r",
    isNew: flags.includes("x"),
    empties: begin === "w",
  };
}

/** A handle in the form of Node.js. */
class Handle implements FileHandle {
  #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  get fd(): number {
    return this.#descriptor;
  }

  async read(
    ...[buffer, offset, length, position]: Parameters<FileHandle["read"]>
  ): ReturnType<FileHandle["read"]> {
    return { bytesRead: await this.#file("read").read(buffer.subarray(offset, offset + length), position) };
  }

  async write(
    ...[buffer, offset, length, position]: Parameters<FileHandle["write"]>
  ): ReturnType<FileHandle["write"]> {
    const part = buffer.subarray(offset, offset + length);
    return { bytesWritten: this.#file("write").write(part, position) };
  }

  async readFile(): Promise<string> {
    return decodeUtf8(await readWhole(this.#file("read")));
  }

  async stat(): Promise<Stats> {
    return this.#file("fstat").stat();
  }

  async truncate(size: number): Promise<void> {
    this.#file("ftruncate").truncate(size);
  }

  async sync(): Promise<void> {
    this.#file("fsync").sync();
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #file(syscall: string): OpenedFile {
    return openedBy(this.#descriptor, syscall);
  }
}

async function readWhole(file: OpenedFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.stat().size);
  let done = 0;
  while (done < bytes.length) {
    const count = await file.read(bytes.subarray(done), done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function writeWhole(file: OpenedFile, bytes: Uint8Array, position: number): number {
  for (let done = 0; done < bytes.length; ) done += file.write(bytes.subarray(done), position + done);
  return bytes.length;
}

/** Opens a file, works with it, and closes it. */
async function withFile<T>(path: string, flags: string, work: (file: OpenedFile) => T): Promise<Awaited<T>> {
  const whole = resolve(path);
  const file = await volumeOf(whole).open(whole, openingOf(flags));
  try {
    return await work(file);
  } finally {
    file.close();
  }
}

export const open: Files["open"] = async (path, flags) => {
  const whole = resolve(path);
  return new Handle(keepOpen(await volumeOf(whole).open(whole, openingOf(flags))));
};

export const readFile: Files["readFile"] = async (path, encoding) => {
  const bytes = await withFile(String(path), "r", readWhole);
  return encoding === "latin1" ? decodeLatin1(bytes) : decodeUtf8(bytes);
};

export const writeFile: Files["writeFile"] = (path, content) =>
  withFile(path, "w", (file) => {
    writeWhole(file, typeof content === "string" ? encodeUtf8(content) : content, 0);
  });

export const appendFile: Files["appendFile"] = (path, text) =>
  withFile(path, "a", (file) => {
    writeWhole(file, encodeUtf8(text), file.stat().size);
  });

export const stat = (async (path: string, options?: { readonly bigint: true }) => {
  const whole = resolve(path);
  const stats = await volumeOf(whole).stat(whole);
  if (options === undefined) return stats;
  const [dev, ino, size, mtimeNs] = [stats.dev, stats.ino, stats.size, 1e6 * stats.mtimeMs].map(BigInt);
  return { dev, ino, size, mtimeNs };
}) as Files["stat"];

// No file is a link here.
export const lstat: Files["lstat"] = (path) => stat(path);

export const access: Files["access"] = async (path) => {
  await stat(path);
};

export const realpath: Files["realpath"] = async (path) => {
  await stat(path);
  return resolve(path);
};

export const readdir = (async (path: string, options?: { readonly withFileTypes: true }) => {
  const whole = resolve(path);
  const entries = await volumeOf(whole).readdir(whole);
  return options === undefined ? entries.map(({ name }) => name) : entries;
}) as Files["readdir"];

export const mkdir: Files["mkdir"] = async (path, { recursive = false } = {}) => {
  const whole = resolve(path);
  if (recursive) {
    const there = await stat(whole).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (there?.isDirectory()) return;
    if (there === undefined) await mkdir(dirname(whole), { recursive });
  }
  await volumeOf(whole).mkdir(whole);
};

export const rename: Files["rename"] = async (from, to) => {
  const [here, there] = [resolve(from), resolve(to)];
  const volume = volumeOf(here);
  if (volume !== volumeOf(there)) throw systemError("EXDEV", { syscall: "rename", path: here });
  await volume.rename(here, there);
};

export const unlink: Files["unlink"] = async (path) => {
  const whole = resolve(path);
  await volumeOf(whole).unlink(whole);
};

export const rmdir: Files["rmdir"] = async (path) => {
  const whole = resolve(path);
  await volumeOf(whole).rmdir(whole);
};

export const rm: Files["rm"] = async (path, { recursive = false, force = false } = {}) => {
  try {
    if (!(await stat(path)).isDirectory()) return await unlink(path);
    if (!recursive) throw systemError("EISDIR", { syscall: "rm", path });
    for (const name of await readdir(path)) await rm(join(path, name), { recursive, force });
    await rmdir(path);
  } catch (error) {
    if (!force || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
};

export const statfs: Files["statfs"] = (path) => volumeOf(resolve(path)).statfs();

// The functions below are for files in memory and mounted files alone, as browsers open no others at once.

export const openSync: Files["openSync"] = (path, flags) =>
  keepOpen(memory.openSync(assertMemory(path, "open"), openingOf(flags)));

export const readSync: Files["readSync"] = (...[descriptor, buffer, offset, length, position]) =>
  openedBy(descriptor, "read").readSync(buffer.subarray(offset, offset + length), position);

export const fstatSync: Files["fstatSync"] = (descriptor) => openedBy(descriptor, "fstat").stat();

export const closeSync: Files["closeSync"] = (descriptor) => {
  openedBy(descriptor, "close").close();
  opened.delete(descriptor);
};

export const lstatSync: Files["lstatSync"] = (path) => memory.statSync(assertMemory(path, "lstat"), "lstat");

export const existsSync: Files["existsSync"] = (path) => {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
};

export const realpathSync: Files["realpathSync"] = (path) => {
  lstatSync(path);
  return resolve(path);
};

export const readFileSync: Files["readFileSync"] = (path) => {
  const descriptor = openSync(String(path), "r");
  try {
    const bytes = new Uint8Array(fstatSync(descriptor).size);
    readSync(descriptor, bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
};

export const pathOfDescriptor: Files["pathOfDescriptor"] = (descriptor) =>
  openedBy(descriptor, "readlink").path;

function assertMemory(path: string, syscall: string): string {
  const whole = resolve(path);
  if (storageOf(whole) === undefined) return whole;
  throw systemError("ENOTSUP", { syscall, path: whole });
}
