import { readFileBytes, saveFile } from "@isthmus/core";
import { drawSecret, type Seed } from "@isthmus/federated";
import { fileSize } from "./read-pieces.ts";
import type { Store } from "./store.ts";

/** Number of bytes of a secret. */
const SECRET_BYTES = 32;

/**
 * Reads the secret from which a federation's noise is derived, or draws one and stores it: so a server that
 * is started again computes the same bytes for the same round. Only the server's user can read the file.
 */
export async function openNoiseSecret({ noiseSecret: path }: Store): Promise<Seed> {
  if ((await fileSize(path)) === SECRET_BYTES) return new Uint8Array(await readFileBytes(path, SECRET_BYTES));
  const secret = drawSecret();
  await saveFile(path, secret, [], { mode: 0o600 });
  return secret;
}
