// The part of what browsers offer that is used here; the types of Node.js declare none of it.

/** A handle by which a worker writes a file of its page's storage. */
export interface WebAccess {
  /** Reads bytes at a position, and returns their number. */
  read(out: Uint8Array, options: { readonly at: number }): number;
  /** Writes bytes at a position, and returns their number. */
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  /** Returns the size in bytes. */
  getSize(): number;
  /** Makes the file shorter, or longer by zeros. */
  truncate(size: number): void;
  /** Waits until all bytes are on the disk. */
  flush(): void;
  /** Gives the handle back. */
  close(): void;
}

/** A file of a page's storage. */
export interface WebFile {
  /** Tag of a file. */
  readonly kind: "file";
  /** Name in its folder. */
  readonly name: string;
  /** Returns a snapshot of the file, with its present size and bytes. */
  getFile(): Promise<File>;
  /** Opens the file for writing; missing outside of workers. */
  createSyncAccessHandle?(): Promise<WebAccess>;
  /** Gives the file another place and name. */
  move(folder: WebFolder, name: string): Promise<void>;
}

/** A folder of a page's storage. */
export interface WebFolder {
  /** Tag of a folder. */
  readonly kind: "directory";
  /** Name in the folder above. */
  readonly name: string;
  /** Returns a file of the folder. */
  getFileHandle(name: string, options?: { readonly create: boolean }): Promise<WebFile>;
  /** Returns a folder in the folder. */
  getDirectoryHandle(name: string, options?: { readonly create: boolean }): Promise<WebFolder>;
  /** Removes a file, or a folder. */
  removeEntry(name: string, options?: { readonly recursive: boolean }): Promise<void>;
  /** Lists what is in the folder. */
  values(): AsyncIterable<WebFile | WebFolder>;
}

/** The browser in which the page is. */
export interface WebNavigator {
  /** Memory of the machine in GiB, rounded. */
  readonly deviceMemory?: number;
  /** Storage of the page's origin. */
  readonly storage: {
    getDirectory(): Promise<WebFolder>;
    estimate(): Promise<{ readonly quota?: number; readonly usage?: number }>;
  };
  /** Locks that all pages and workers of the origin share. */
  readonly locks: {
    request<T>(name: string, act: () => Promise<T>): Promise<T>;
    query(): Promise<{ readonly held?: ReadonlyArray<{ readonly name: string }> }>;
  };
}

/** Returns the browser in which the page is. */
export function webNavigator(): WebNavigator {
  return (globalThis as unknown as { readonly navigator: WebNavigator }).navigator;
}

/** Reads a part of a file at once, which only workers can; undefined elsewhere. */
export function readBlobSync(part: Blob): Uint8Array | undefined {
  const { FileReaderSync } = globalThis as unknown as {
    readonly FileReaderSync?: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };
  };
  return FileReaderSync && new Uint8Array(new FileReaderSync().readAsArrayBuffer(part));
}
