import { stat } from "node:fs/promises";
import { digestFile, InputError } from "@isthmus/core";

/** Digests of files, each computed once for as long as neither the time nor the size of the file changes. */
export interface Digests {
  /** @throws InputError if a file does not exist or has another digest */
  check(path: string, digest: string): Promise<void>;
  /** Stores the digest of a file that was computed while the file was written. */
  note(path: string, digest: string): Promise<void>;
}

/** Makes an empty store of digests. */
export function createDigests(): Digests {
  const digests = new Map<string, { readonly state: string; readonly digest: Promise<string> }>();
  const digestOf = async (path: string): Promise<string> => {
    const state = await stateOf(path);
    const earlier = digests.get(path);
    if (earlier?.state === state) return earlier.digest;
    const digest = digestFile(path);
    digests.set(path, { state, digest });
    // A file that could not be read is tried again, as a network disk may be back by then.
    digest.catch(() => digests.delete(path));
    return digest;
  };
  return {
    async check(path, expected) {
      const digest = await digestOf(path);
      if (digest !== expected) throw otherDigest(path, expected, digest);
    },
    async note(path, digest) {
      digests.set(path, { state: await stateOf(path), digest: Promise.resolve(digest) });
    },
  };
}

/** Returns a text that changes when a file is written to or replaced. */
async function stateOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}

/** Returns the error for a file whose digest differs from the one that a task was planned with. */
export function otherDigest(path: string, expected: string, digest: string): InputError {
  return new InputError(
    `Cannot use "${path}" as its SHA-256 digest must be ${expected}, as when the task was planned: it is ${digest}; restore the file, or plan again`,
    { input: path },
  );
}
