import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { GgufFormOptions } from "@isthmus/core";
import type { FileMerge, SaveMergeOptions, SaveMergeResult } from "@isthmus/merging";

/** A merge that the process is to save. */
export interface MergeChildRequest {
  readonly merge: FileMerge;
  readonly path: string;
  readonly options: SaveMergeOptions;
  /** Options of the form of GGUF files. @defaultValue safetensors */
  readonly gguf?: GgufFormOptions;
  /** URL of a module that makes products of matrices. */
  readonly products?: string;
}

/** What came of a merge. */
export interface MergeChildReply {
  readonly result?: SaveMergeResult;
  readonly error?: string;
  readonly notes: readonly string[];
}

const CHILD = fileURLToPath(new URL("./merge-child.mjs", import.meta.url));

/** Starts a process that saves merges one after the other, as the package is built. */
export function startMergeChild(...requests: readonly MergeChildRequest[]): ChildProcess {
  return spawn(process.execPath, [CHILD, JSON.stringify(requests)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Saves merges one after the other in a process of their own, and waits for its end. */
export async function runMergeChild<const R extends readonly MergeChildRequest[]>(
  ...requests: R
): Promise<{ [K in keyof R]: MergeChildReply }> {
  const child = startMergeChild(...requests);
  if (child.stdout === null) throw new Error("no output of the process");
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return JSON.parse(output);
}
