import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, InputError, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import type { NetworkStore } from "@isthmus/ensemble";
import type { NetworkToTrain } from "@isthmus/zoo";

/** Counts the networks that a collection has left in a folder. */
export async function countNetworks(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => NAME.test(name)).length;
}

/** A store of collected networks in a folder. */
export interface FolderStore extends NetworkStore {
  /** Paths of all networks that were opened, in order. */
  readonly paths: readonly string[];
  /** Returns the path of a network. */
  pathOf(index: number): string;
  /** Closes the files of all networks that were opened. */
  close(): Promise<void>;
}

const NAME = /^net-\d+\.safetensors$/;

/**
 * Creates a store of networks `net-001.safetensors` and so on in a folder. Their tensors have the names that
 * the file of the network which they are trained from has.
 */
export function createFolderStore(
  folder: string,
  { restore, reread }: Pick<NetworkToTrain, "restore" | "reread">,
  metadata: Readonly<Record<string, string>>,
): FolderStore {
  const opened = new Map<string, Checkpoint>();
  const pathOf = (index: number) => join(folder, `net-${String(index + 1).padStart(3, "0")}.safetensors`);
  return {
    pathOf,
    get paths() {
      return [...opened.keys()];
    },
    async save(index, network) {
      // A repeated step of a resumed training writes the same bytes again.
      await saveCheckpoint(restore(network), pathOf(index), { metadata, overwrite: true });
    },
    async open(index) {
      const path = pathOf(index);
      const checkpoint = await openCheckpoint(path);
      opened.set(path, checkpoint);
      return reread(checkpoint);
    },
    async close() {
      for (const checkpoint of opened.values()) await checkpoint.close();
    },
  };
}

/**
 * Checks that a new collection would not be mixed with networks of another one.
 * @throws InputError if the folder holds collected networks
 */
export async function assertNoNetworks(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((candidate) => NAME.test(candidate));
  if (name === undefined) return;
  throw new InputError(
    `Cannot collect networks in "${folder}" as it must not hold others: there is "${name}"; go on with --resume, or choose another folder`,
    { input: folder },
  );
}
