import { chmod, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "@isthmus/core";
import type { ReceivedUpdate } from "@isthmus/federated";

/** Where a server keeps its files, all below one folder. */
export interface Store {
  readonly folder: string;
  readonly journal: string;
  /** File of the secret that noise is drawn from. */
  readonly noiseSecret: string;
  /** Returns the path of a global network by the hash of its bytes. */
  model(hash: string): string;
  /** Returns the path of what rule and optimiser carry from an aggregation, counted from 1, to the next. */
  state(step: number): string;
  /** Returns the path that the network of an aggregation is written to until its hash is known. */
  unfinished(step: number): string;
  /** Returns the path of an update that counted. */
  update(update: Pick<ReceivedUpdate, "round" | "client" | "hash">): string;
  /**
   * Returns the path that an upload of a client is moved to before it is looked at, so that no request of the
   * client can change it any more.
   */
  unchecked(client: string): string;
  /** Returns the folder of a client's bytes that are still coming in, or have not been looked at. */
  uploads(client: string): string;
  /** Returns the path of a client's bytes that are still coming in, or have not been looked at. */
  upload(client: string, hash: string): string;
}

/** Permissions of the folders: updates of clients and the journal are for whoever runs the server. */
const OWN = 0o700;

/**
 * Makes the folders of a store if they are missing, for the user of the server alone. A folder that was there
 * may be one of other things, too: then the folders within it are closed to other users.
 * @throws InputError if a folder within is of another user
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
    model: (hash) => join(folder, "models", `${hash}.safetensors`),
    state: (step) => join(folder, "models", `step-${step}.state.safetensors`),
    unfinished: (step) => join(folder, "models", `step-${step}.unfinished.safetensors`),
    update: ({ round, client, hash }) => join(folder, "updates", `${round}.${client}.${hash}.safetensors`),
    unchecked: (client) => join(folder, "updates", `unchecked.${client}.safetensors`),
    uploads: (client) => join(folder, "uploads", client),
    upload: (client, hash) => join(folder, "uploads", client, `${hash}.safetensors`),
  };
}

/** Removes all updates but the ones at these paths; what a killed process left behind goes with them. */
export async function keepUpdates(store: Store, paths: ReadonlySet<string>): Promise<void> {
  const folder = join(store.folder, "updates");
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!paths.has(path)) await rm(path, { force: true });
  }
}

/** Renames a file whose bytes the disk has, and waits until the disk has the new name, too. */
export async function publish(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
