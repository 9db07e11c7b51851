import { rm } from "node:fs/promises";
import {
  type Checkpoint,
  createCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { hasWorkState } from "@isthmus/training";
import { readWeights } from "../dropout-path/read-weights.ts";

/** The last point of a path that was measured, from which the next one is as far as the path is long. */
export interface LastPoint {
  /** In memory. */
  readonly network: Checkpoint;
  /** Copies a network in place of it, and writes it to the file. */
  replace(network: Checkpoint): Promise<void>;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Opens the last point that was measured.
 * @param path - its file; undefined for none
 * @param start - the point where a path begins
 * @param goesOn - whether a path goes on from its file, if there is one
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

/** Copies a network into memory of its own: tensors of a training are written again later. */
async function copy(network: Checkpoint): Promise<Checkpoint> {
  const weights = [...(await readWeights(network))].map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() } as Tensor] as const,
  );
  return createCheckpoint(new Map(weights), {}, network.source);
}
