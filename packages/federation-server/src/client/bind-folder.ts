import { join } from "node:path";
import { InputError, readJsonFile, saveFile } from "@isthmus/core";
import { fileSize } from "../store/read-pieces.ts";
import type { FederationAbout } from "./parse-about.ts";

/** Federation that a folder belongs to, as its file says. */
interface FolderOwner {
  /** Identity of the federation. */
  readonly identity: string;
  /** Name of the federation, for messages. */
  readonly name: string;
}

/**
 * Binds a folder of a client to a federation, so that layers and updates of one federation never get into
 * another.
 * @throws InputError if the folder holds the files of another federation
 */
export async function bindFolder(
  folder: string,
  { identity, name }: Pick<FederationAbout, "identity" | "name">,
): Promise<void> {
  // Older servers give no identity.
  if (identity === null) return;
  const path = join(folder, "federation.json");
  const owner = (await fileSize(path)) === 0 ? undefined : ((await readJsonFile(path)) as FolderOwner);
  if (owner?.identity === identity) return;
  const hasUpdate = (await fileSize(join(folder, "update.json"))) > 0;
  if (owner !== undefined || hasUpdate) {
    const other =
      owner === undefined
        ? "a federation that it does not name"
        : owner.name === name
          ? "another one of this name, or of this one before it was begun anew"
          : `another, "${owner.name}"`;
    throw new InputError(
      `Cannot take part in "${name}" as its folder must hold no files of another federation: "${folder}" is of ${other}; name another folder with --folder (in a script: folder), or remove this one`,
      { input: folder },
    );
  }
  await saveFile(path, JSON.stringify({ identity, name } satisfies FolderOwner));
}
