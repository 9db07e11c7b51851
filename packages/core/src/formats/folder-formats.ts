import { join } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { openDcp } from "./dcp/open-dcp.ts";
import { openShardedSafetensors } from "./dcp/open-sharded-safetensors.ts";
import { openMegatron } from "./megatron/open-megatron.ts";
import { openOrbax } from "./orbax/open-orbax.ts";
import { openRankFiles } from "./rank-files/open-rank-files.ts";
import { readPointer } from "./read-pointer.ts";
import {
  DCP_METADATA,
  isOrbax,
  MEGATRON_RANK,
  MODEL_OF_RANK,
  OPTIMIZER_FILE,
  SHARD_OF_PROCESS,
} from "./run-file-names.ts";
import { openZero } from "./zero/open-zero.ts";

/** A form of folders that training programs write, of several files that are read together. */
export interface FolderFormat {
  /** Checks by the names of files and folders in it whether a folder has this form. */
  readonly matches: (names: readonly string[]) => boolean;
  /**
   * Opens the folder as a checkpoint.
   * @param openOther - opens another folder, to which this one points
   */
  readonly open: (
    folder: string,
    names: readonly string[],
    openOther: (folder: string) => Promise<Checkpoint>,
  ) => Promise<Checkpoint>;
}

/** File in which DeepSpeed writes the name of the folder of the latest step. */
const LATEST = "latest";

/** File in which Megatron-LM writes the number of the latest iteration. */
const LATEST_ITERATION = "latest_checkpointed_iteration.txt";

const hasWeights = (names: readonly string[]): boolean =>
  names.some((name) => /\.(safetensors|bin)$/.test(name));

const isShard = (name: string): boolean => SHARD_OF_PROCESS.test(name);

/** Forms of folders of training runs; the first that matches opens a folder. */
export const FOLDER_FORMATS: readonly FolderFormat[] = [
  {
    matches: (names) => names.includes(DCP_METADATA),
    open: openDcp,
  },
  {
    matches: (names) => names.some(isShard),
    open: (folder, names) => openShardedSafetensors(folder, names.filter(isShard)),
  },
  {
    matches: (names) => names.some((name) => MODEL_OF_RANK.test(name)),
    open: openRankFiles,
  },
  {
    matches: (names) => names.some((name) => OPTIMIZER_FILE.test(name)),
    open: openZero,
  },
  {
    matches: (names) => names.includes(LATEST) && !hasWeights(names),
    open: async (folder, _, openOther) => openOther(join(folder, await readPointer(folder, LATEST))),
  },
  { matches: isOrbax, open: openOrbax },
  {
    matches: (names) => names.some((name) => MEGATRON_RANK.test(name)),
    open: openMegatron,
  },
  {
    matches: (names) => names.includes(LATEST_ITERATION),
    open: async (folder, _, openOther) => {
      const step = await readPointer(folder, LATEST_ITERATION);
      return openOther(join(folder, /^\d+$/.test(step) ? `iter_${step.padStart(7, "0")}` : step));
    },
  },
];
