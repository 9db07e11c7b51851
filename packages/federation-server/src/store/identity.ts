import { randomBytes } from "node:crypto";
import { readTextFile, saveFile } from "@isthmus/core";
import { fileSize } from "./read-pieces.ts";
import type { Store } from "./store.ts";

/** Number of bytes of an identity. */
const BYTES = 16;

/**
 * Reads the identity of a federation, a random text that its clients bind their folders to, or draws one and
 * stores it.
 * @param isNew - whether the federation begins, so that an identity in its folder is of an earlier one
 */
export async function openIdentity({ identity: path }: Store, isNew: boolean): Promise<string> {
  if (!isNew && (await fileSize(path)) > 0) return (await readTextFile(path)).trim();
  const identity = randomBytes(BYTES).toString("hex");
  await saveFile(path, `${identity}\n`);
  return identity;
}
