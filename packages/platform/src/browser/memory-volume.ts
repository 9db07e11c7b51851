import type { DiskSpace, FolderEntry, Stats } from "../port.ts";
import { basename, dirname, namesOf } from "./paths.ts";
import { systemError } from "./system-error.ts";
import {
  createStats,
  kindFunctions,
  OpenedBlob,
  type OpenedFile,
  type Opening,
  type Volume,
} from "./volume.ts";

/** Number of this volume. */
const DEVICE = 1;

let lastNumber = 0;

class Folder {
  readonly kind = "directory";
  readonly ino: number = ++lastNumber;
  readonly entries = new Map<string, Node>();
  readonly stats: Stats = createStats(this.kind, { size: 0, mtimeMs: 0, dev: DEVICE, ino: this.ino });
}

/** A file of the person's machine. */
class MountedFile {
  readonly kind = "file";
  readonly ino: number = ++lastNumber;
  readonly blob: Blob;
  readonly stats: Stats;

  constructor(blob: Blob) {
    this.blob = blob;
    const { size, lastModified: mtimeMs = 0 } = blob as Blob & { readonly lastModified?: number };
    this.stats = createStats(this.kind, { size, mtimeMs, dev: DEVICE, ino: this.ino });
  }
}

/** A file whose content is in memory. */
class MemoryFile {
  readonly kind = "file";
  readonly ino: number = ++lastNumber;
  #bytes = new Uint8Array(0);
  #size = 0;
  #changed = Date.now();

  get stats(): Stats {
    return createStats(this.kind, {
      size: this.#size,
      mtimeMs: this.#changed,
      dev: DEVICE,
      ino: this.ino,
    });
  }

  read(out: Uint8Array, position: number): number {
    const bytes = this.content().subarray(position, position + out.length);
    out.set(bytes);
    return bytes.length;
  }

  write(bytes: Uint8Array, position: number): number {
    if (position + bytes.length > this.#size) this.truncate(position + bytes.length);
    this.#bytes.set(bytes, position);
    this.#touch();
    return bytes.length;
  }

  truncate(size: number): void {
    if (size > this.#bytes.length) {
      const bytes = new Uint8Array(this.#size === 0 ? size : Math.max(size, 2 * this.#bytes.length));
      bytes.set(this.content());
      this.#bytes = bytes;
    } else if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
    this.#touch();
  }

  content(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Notes a change, of which no two have the same time. */
  #touch(): void {
    this.#changed = Math.max(Date.now(), this.#changed + 1);
  }
}

type Node = Folder | MountedFile | MemoryFile;

/** Opens a file in memory; what is written is there at once. */
function openMemoryFile(path: string, file: MemoryFile): OpenedFile {
  return {
    path,
    stat: () => file.stats,
    read: async (out, position) => file.read(out, position),
    readSync: (out, position) => file.read(out, position),
    write: (bytes, position) => file.write(bytes, position),
    truncate: (size) => file.truncate(size),
    sync() {},
    close() {},
  };
}

/** Files in memory, and mounted files of the person's machine. Paths are absolute and normalized. */
export class MemoryVolume implements Volume {
  readonly #root = new Folder();

  /** Adds a file of the person's machine, and the folders above it. */
  mount(path: string, blob: Blob): void {
    const above = dirname(path);
    namesOf(above).reduce((folder, name) => {
      const node = folder.entries.get(name) ?? new Folder();
      if (node.kind !== "directory") throw systemError("ENOTDIR", { syscall: "mount", path });
      folder.entries.set(name, node);
      return node;
    }, this.#root);
    const { entries } = this.#folder(above, "mount");
    if (entries.has(basename(path))) throw systemError("EEXIST", { syscall: "mount", path });
    entries.set(basename(path), new MountedFile(blob));
  }

  /** Returns a whole file, without reading one of the person's machine. */
  content(path: string): Blob {
    const node = this.#find(path, "open");
    if (node instanceof Folder) throw systemError("EISDIR", { syscall: "open", path });
    return node instanceof MountedFile ? node.blob : new Blob([node.content()]);
  }

  statSync(path: string, syscall = "stat"): Stats {
    return this.#find(path, syscall).stats;
  }

  openSync(path: string, { writes, creates, isNew, empties }: Opening): OpenedFile {
    const folder = this.#folder(dirname(path), "open");
    const existing = path === "/" ? folder : folder.entries.get(basename(path));
    if (existing !== undefined && isNew) throw systemError("EEXIST", { syscall: "open", path });
    if (existing === undefined && !creates) throw systemError("ENOENT", { syscall: "open", path });
    const node = existing ?? new MemoryFile();
    if (node instanceof Folder) throw systemError("EISDIR", { syscall: "open", path });
    if (existing === undefined) folder.entries.set(basename(path), node);
    if (node instanceof MemoryFile) {
      if (empties) node.truncate(0);
      return openMemoryFile(path, node);
    }
    if (writes) throw systemError("EROFS", { syscall: "open", path });
    return new OpenedBlob(path, node.blob, node.stats);
  }

  async stat(path: string): Promise<Stats> {
    return this.statSync(path);
  }

  async readdir(path: string): Promise<FolderEntry[]> {
    const { entries } = this.#folder(path, "scandir");
    return [...entries].map(([name, { kind }]) => ({ name, ...kindFunctions(kind) }));
  }

  async open(path: string, how: Opening): Promise<OpenedFile> {
    return this.openSync(path, how);
  }

  async mkdir(path: string): Promise<void> {
    const { entries } = this.#folder(dirname(path), "mkdir");
    if (path === "/" || entries.has(basename(path))) throw systemError("EEXIST", { syscall: "mkdir", path });
    entries.set(basename(path), new Folder());
  }

  async unlink(path: string): Promise<void> {
    if (this.#find(path, "unlink") instanceof Folder)
      throw systemError("EISDIR", { syscall: "unlink", path });
    this.#folder(dirname(path), "unlink").entries.delete(basename(path));
  }

  async rmdir(path: string): Promise<void> {
    if (this.#folder(path, "rmdir").entries.size > 0)
      throw systemError("ENOTEMPTY", { syscall: "rmdir", path });
    this.#folder(dirname(path), "rmdir").entries.delete(basename(path));
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#find(from, "rename");
    const { entries } = this.#folder(dirname(to), "rename");
    const taken = entries.get(basename(to));
    if (taken instanceof Folder) throw systemError("EISDIR", { syscall: "rename", path: to });
    this.#folder(dirname(from), "rename").entries.delete(basename(from));
    entries.set(basename(to), node);
  }

  /** Browsers do not tell how much memory is free. */
  async statfs(): Promise<DiskSpace> {
    return { blocks: 0, bavail: 0, bsize: 1 };
  }

  #find(path: string, syscall: string): Node {
    return namesOf(path).reduce<Node>((node, name) => {
      if (!(node instanceof Folder)) throw systemError("ENOTDIR", { syscall, path });
      const next = node.entries.get(name);
      if (next === undefined) throw systemError("ENOENT", { syscall, path });
      return next;
    }, this.#root);
  }

  #folder(path: string, syscall: string): Folder {
    const node = this.#find(path, syscall);
    if (node instanceof Folder) return node;
    throw systemError("ENOTDIR", { syscall, path });
  }
}
