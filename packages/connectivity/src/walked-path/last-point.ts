import { rm } from "node:fs/promises";
import { type Checkpoint, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { hasWorkState } from "@isthmus/training";
import { checkpointOf, readWeights } from "../dropout-path/read-weights.ts";

/**
 * Last measured point of a path, from which the distance to the next point, as a part of the path's length,
 * is measured.
 */
export interface LastPoint {
  /** Network at the point, in memory. */
  readonly network: Checkpoint;
  /** Replaces the network by a copy of another one, and writes it to the file. */
  replace(network: Checkpoint): Promise<void>;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Opens the last point that was measured.
 * @param path - file of the point; undefined if there is no file
 * @param start - the point where a path begins
 * @param goesOn - whether to continue from the point in the file, if there is one
 */
export async function openLastPoint(
  path: string | undefined,
  { start, goesOn }: { readonly start: Checkpoint; readonly goesOn: boolean },
): Promise<LastPoint> {
  let network = path === undefined || !goesOn ? start : await openFile(path, start);
  return {
    get network() {
      return network;
    },
    async replace(next) {
      network = await copy(next);
      if (path !== undefined) await saveCheckpoint(network, path, { overwrite: true });
    },
    async remove() {
      if (path !== undefined) await rm(path, { force: true });
    },
  };
}

async function openFile(path: string, start: Checkpoint): Promise<Checkpoint> {
  if (!(await hasWorkState(path))) return start;
  const file = await openCheckpoint(path);
  try {
    return await copy(file);
  } finally {
    await file.close();
  }
}

/** Copies a network into memory of its own, as a training overwrites its tensors later. */
async function copy(network: Checkpoint): Promise<Checkpoint> {
  const weights = [...(await readWeights(network))].map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() } as Tensor] as const,
  );
  return checkpointOf(new Map(weights), network.source);
}
