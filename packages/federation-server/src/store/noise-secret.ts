import { readFileBytes, saveFile } from "@isthmus/core";
import { drawSecret, type Seed } from "@isthmus/federated";
import { fileSize } from "./read-pieces.ts";
import type { Store } from "./store.ts";

/** Bytes of a secret. */
const SECRET_BYTES = 32;

/**
 * Reads the secret that a federation's noise is drawn from, or draws it: a server that is started again makes
 * the same bytes of the same round, and nobody but its user can read the file.
 */
export async function openNoiseSecret({ noiseSecret: path }: Store): Promise<Seed> {
  if ((await fileSize(path)) === SECRET_BYTES) return new Uint8Array(await readFileBytes(path, SECRET_BYTES));
  const secret = drawSecret();
  await saveFile(path, secret, [], { mode: 0o600 });
  return secret;
}
