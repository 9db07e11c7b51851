import { chmod, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "@isthmus/core";
import type { ReceivedUpdate } from "@isthmus/federated";

/** Paths of the files of a server, all below one folder. */
export interface Store {
  /** Folder of all files, as the configuration names it. */
  readonly folder: string;
  /** Path of the journal, one event a line. */
  readonly journal: string;
  /** Path of the secret from which noise is derived. */
  readonly noiseSecret: string;
  /** Path of the random text that distinguishes this federation from all others. */
  readonly identity: string;
  /** Path of the graph as clients read it, with everything that its file kept in others. */
  readonly graph: string;
  /** Returns the path of a global network by the hash of its bytes. */
  model(hash: string): string;
  /**
   * Returns the path of the state that rule and optimiser carry from an aggregation, counted from 1, to the
   * next.
   */
  state(step: number): string;
  /** Returns the path to which the network of an aggregation is written until its hash is known. */
  unfinished(step: number): string;
  /** Returns the path of an update that counted. */
  update(update: Pick<ReceivedUpdate, "round" | "client" | "hash">): string;
  /**
   * Returns the path to which an upload of a client is moved before it is checked, so that no request of the
   * client can change it any more.
   */
  unchecked(client: string): string;
  /** Returns the folder of a client's uploads that are incomplete, or have not been checked. */
  uploads(client: string): string;
  /** Returns the path of a client's upload that is incomplete, or has not been checked. */
  upload(client: string, hash: string): string;
}

/** Permissions of the folders: only the user who runs the server may read updates and the journal. */
const OWN = 0o700;

/**
 * Makes the folders of a store if they are missing, for the user of the server alone. A folder that existed
 * before may hold other files, too: its permissions stay, and only the folders within it are closed to other
 * users.
 * @throws InputError if a folder within it belongs to another user
 */
export async function openStore(folder: string): Promise<Store> {
  await mkdir(folder, { recursive: true, mode: OWN });
  for (const path of ["models", "updates", "uploads"].map((name) => join(folder, name))) {
    await mkdir(path, { recursive: true, mode: OWN });
    await chmod(path, OWN).catch((cause: unknown) => {
      throw new InputError(
        `Cannot serve a federation with "${path}" as the folder must be of the user who runs the server, for whom alone it is: ${(cause as Error).message}`,
        { input: path, cause },
      );
    });
  }
  return {
    folder,
    journal: join(folder, "journal.jsonl"),
    noiseSecret: join(folder, "noise.secret"),
    identity: join(folder, "identity"),
    graph: join(folder, "models", "graph.onnx"),
    model: (hash) => join(folder, "models", `${hash}.safetensors`),
    state: (step) => join(folder, "models", `step-${step}.state.safetensors`),
    unfinished: (step) => join(folder, "models", `step-${step}.unfinished.safetensors`),
    update: ({ round, client, hash }) => join(folder, "updates", `${round}.${client}.${hash}.safetensors`),
    unchecked: (client) => join(folder, "updates", `unchecked.${client}.safetensors`),
    uploads: (client) => join(folder, "uploads", client),
    upload: (client, hash) => join(folder, "uploads", client, `${hash}.safetensors`),
  };
}

/**
 * Removes all updates except the ones at these paths, and with them files that a killed process left behind.
 */
export async function keepUpdates(store: Store, paths: ReadonlySet<string>): Promise<void> {
  const folder = join(store.folder, "updates");
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!paths.has(path)) await rm(path, { force: true });
  }
}

/** Renames a file whose bytes are on the disk, and waits until the new name is on the disk, too. */
export async function publish(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
