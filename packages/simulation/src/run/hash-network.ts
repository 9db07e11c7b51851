import { type Checkpoint, findNonFinite, viewBytes } from "@isthmus/core";
import { createHash } from "@isthmus/platform";

/** Hexadecimal digits of a hash. */
const LENGTH = 32;

/** Computes the hash by which rounds identify a network, from its tensors in the order of names. */
export async function hashNetwork(network: Checkpoint): Promise<string> {
  const hash = createHash("sha256");
  // A file may have the tensors in another order.
  for (const name of [...network.tensors.keys()].sort())
    hash.update(viewBytes((await network.read(name)).data));
  return hash.digest("hex").slice(0, LENGTH);
}

/** Returns whether all numbers of some tensors are finite, as a server checks before an update counts. */
export async function allFinite(network: Checkpoint, names: Iterable<string>): Promise<boolean> {
  for (const name of names) {
    if (findNonFinite(await network.read(name)) >= 0) return false;
  }
  return true;
}
