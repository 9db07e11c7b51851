/** Addresses of built files, relative to the page. */
export interface Assets {
  /** Script of the story's worker. */
  readonly worker: string;
  /** Script of the lab's worker. */
  readonly labWorker: string;
  /** Files of two example networks and their graph, with their sizes in bytes. */
  readonly examples: readonly { readonly path: string; readonly bytes: number }[];
  /** Packed digits. */
  readonly digits: string;
  /** Script that draws the figures of results. */
  readonly figures: string;
  /** Folder of the engine's files. */
  readonly engine: string;
  /** Size of the engine's file of WebAssembly in bytes. */
  readonly engineBytes: number;
}

declare const ASSETS: Assets;

/** Addresses that the build fills in. */
export const assets: Assets = ASSETS;
