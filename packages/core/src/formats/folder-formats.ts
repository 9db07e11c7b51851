import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { DCP_METADATA, openDcp } from "./dcp/open-dcp.ts";
import { isShardOfProcess, openShardedSafetensors } from "./dcp/open-sharded-safetensors.ts";

/** A form of folders that training programs write, of several files that are read together. */
export interface FolderFormat {
  /** Checks by the names of files and folders in it whether a folder has this form. */
  readonly matches: (names: readonly string[]) => boolean;
  /** Opens the folder as a checkpoint. */
  readonly open: (folder: string, names: readonly string[]) => Promise<Checkpoint>;
}

/** Forms of folders of training runs; the first that matches opens a folder. */
export const FOLDER_FORMATS: readonly FolderFormat[] = [
  { matches: (names) => names.includes(DCP_METADATA), open: openDcp },
  {
    matches: (names) => names.some(isShardOfProcess),
    open: (folder, names) => openShardedSafetensors(folder, names.filter(isShardOfProcess)),
  },
];
