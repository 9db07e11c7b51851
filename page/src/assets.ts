/** Addresses of built files, relative to the page. */
export interface Assets {
  /** Script of the worker. */
  readonly worker: string;
  /** Packed digits. */
  readonly digits: string;
  /** Folder of the engine's files. */
  readonly engine: string;
  /** Size of the engine's file of WebAssembly in bytes. */
  readonly engineBytes: number;
}

declare const ASSETS: Assets;

/** Addresses that the build fills in. */
export const assets: Assets = ASSETS;
