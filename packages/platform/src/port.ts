/** Size, times and identity of a file or folder. */
export interface Stats {
  /** Size in bytes. */
  readonly size: number;
  /** Time of the last change, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Number of the device or file system that holds the file. */
  readonly dev: number;
  /** Number of the file on its device, the same under all its names. */
  readonly ino: number;
  /** Number of names of the file. */
  readonly nlink: number;
  /** Number of blocks of 512 bytes that the content takes. */
  readonly blocks: number;
  /** Checks whether this is a regular file. */
  isFile(): boolean;
  /** Checks whether this is a folder. */
  isDirectory(): boolean;
  /** Checks whether this is a symbolic link. */
  isSymbolicLink(): boolean;
}

/** Numbers that tell a file, and a state of it, from others, without rounding. */
export interface FileIdentity {
  /** Number of the device. */
  readonly dev: bigint;
  /** Number of the file on its device. */
  readonly ino: bigint;
  /** Size in bytes. */
  readonly size: bigint;
  /** Time of the last change, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/** An entry of a folder. */
export interface FolderEntry {
  /** Name of the entry in its folder. */
  readonly name: string;
  /** Checks whether this is a regular file. */
  isFile(): boolean;
  /** Checks whether this is a folder. */
  isDirectory(): boolean;
  /** Checks whether this is a symbolic link. */
  isSymbolicLink(): boolean;
}

/** An open file. */
export interface FileHandle {
  /** Descriptor for the synchronous functions; negative once the file is closed. */
  readonly fd: number;
  /** Reads bytes of the file at a position into a buffer at an offset. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  /** Writes bytes of a buffer from an offset on to a position of the file. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  /** Reads the rest of the file as text. */
  readFile(encoding: "utf8"): Promise<string>;
  /** Returns size, times and identity. */
  stat(): Promise<Stats>;
  /** Makes the file shorter, or longer by zeros. */
  truncate(size: number): Promise<void>;
  /** Waits until all bytes are on the disk. */
  sync(): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** Free and total space of a file system. */
export interface DiskSpace {
  /** Number of all blocks; 0 if it is unknown. */
  readonly blocks: number;
  /** Number of blocks that may still be taken. */
  readonly bavail: number;
  /** Size of a block in bytes. */
  readonly bsize: number;
}

/** Options of functions that also act on folders and what is in them. */
export interface DeepOptions {
  /** Whether everything in a folder is included. @defaultValue false */
  readonly recursive?: boolean;
  /** Whether a missing file is no error. @defaultValue false */
  readonly force?: boolean;
}

/**
 * Functions on files, under the names and with the meaning and the error codes that they have in Node.js. A
 * browser's page has one virtual folder, `/`, which holds mounted files, files in memory, and its storage.
 */
export interface Files {
  /** Checks that a file exists. */
  readonly access: (path: string) => Promise<void>;
  /** Adds a text to the end of a file. */
  readonly appendFile: (path: string, text: string) => Promise<void>;
  /** Closes a descriptor. */
  readonly closeSync: (descriptor: number) => void;
  /** Checks whether a path exists. */
  readonly existsSync: (path: string) => boolean;
  /** Returns size, times and identity of an open file. */
  readonly fstatSync: (descriptor: number) => Stats;
  /** Returns size, times and identity of a path, of a link itself. */
  readonly lstat: (path: string) => Promise<Stats>;
  /** Returns size, times and identity of a path, of a link itself. */
  readonly lstatSync: (path: string) => Stats;
  /** Makes a folder. */
  readonly mkdir: (path: string, options?: { readonly recursive?: boolean }) => Promise<unknown>;
  /** Opens a file. */
  readonly open: (path: string, flags: string | number, mode?: number) => Promise<FileHandle>;
  /** Opens a file, and returns its descriptor. */
  readonly openSync: (path: string, flags: string | number) => number;
  /** Lists a folder: names, or entries with their kinds. */
  readonly readdir: {
    (path: string): Promise<string[]>;
    (path: string, options: { readonly withFileTypes: true }): Promise<FolderEntry[]>;
  };
  /** Reads a whole file as text. */
  readonly readFile: (path: string | URL, encoding: "utf8" | "latin1") => Promise<string>;
  /** Reads a whole small file. */
  readonly readFileSync: (path: string | URL) => Uint8Array;
  /** Reads bytes of an open file at a position into a buffer at an offset, and returns their number. */
  readonly readSync: (
    ...args: [descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number]
  ) => number;
  /** Returns the path to which all links on a path lead. */
  readonly realpath: (path: string) => Promise<string>;
  /** Returns the path to which all links on a path lead, as the system spells it. */
  readonly realpathSync: (path: string) => string;
  /** Gives a file another path, and replaces a file of that path in one step. */
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Removes a file, or a folder with everything in it. */
  readonly rm: (path: string, options?: DeepOptions) => Promise<void>;
  /** Removes an empty folder. */
  readonly rmdir: (path: string) => Promise<void>;
  /** Returns size, times and identity of a path. */
  readonly stat: {
    (path: string): Promise<Stats>;
    (path: string, options: { readonly bigint: true }): Promise<FileIdentity>;
  };
  /** Returns the space of the file system that holds a path. */
  readonly statfs: (path: string) => Promise<DiskSpace>;
  /** Removes a file. */
  readonly unlink: (path: string) => Promise<void>;
  /** Writes a whole file. */
  readonly writeFile: (path: string, content: string | Uint8Array) => Promise<void>;
  /** Returns the path of an open file by its descriptor; undefined if the system does not report it. */
  readonly pathOfDescriptor: (descriptor: number) => string | undefined;
}

/** Flags for opening files; one that a system lacks is undefined. */
export interface OpenFlags {
  /** Opens for reading. */
  readonly O_RDONLY: number;
  /** Opens for reading and writing. */
  readonly O_RDWR: number;
  /** Opens a folder, and nothing else. */
  readonly O_DIRECTORY: number;
  /** Opens no link. */
  readonly O_NOFOLLOW: number | undefined;
  /** Waits for nobody, as for the writer of a pipe. */
  readonly O_NONBLOCK: number | undefined;
}

/** A digest that is computed part by part. */
export interface Hash {
  /** Adds bytes, or a text in UTF-8. */
  update(data: Uint8Array | string): Hash;
  /** Returns the digest as bytes. */
  digest(): Uint8Array;
  /** Returns the digest as text. */
  digest(encoding: "hex" | "base64"): string;
}

/** Starts a digest. */
export type CreateHash = (algorithm: "sha256") => Hash;

/** Options of functions that unpack bytes at once. */
export interface UnpackOptions {
  /**
   * Most bytes that may come out; more are an error with the code `ERR_BUFFER_TOO_LARGE`, before memory for
   * them is taken.
   */
  readonly maxOutputLength: number;
  /** Whether the input may end early; what it holds is returned then. @defaultValue false */
  readonly isPart?: boolean;
}

/** Function that unpacks bytes. */
export type Unpack = (packed: Uint8Array, options: UnpackOptions) => Uint8Array;

/** A value that all functions called by another function can read. */
export interface Surroundings<T> {
  /** Calls a function, and returns what it returns; it and everything that it awaits read `value`. */
  run<R>(value: T, act: () => R): R;
  /** Returns the value of the surrounding call; undefined outside of any. */
  getStore(): T | undefined;
}

/** The process in which a program runs. */
export type Process = Pick<
  NodeJS.Process,
  | "argv"
  | "cwd"
  | "env"
  | "execArgv"
  | "exit"
  | "features"
  | "kill"
  | "on"
  | "once"
  | "pid"
  | "send"
  | "versions"
> & {
  /** Name of the operating system; `browser` in a page. */
  readonly platform: NodeJS.Platform | "browser";
};
