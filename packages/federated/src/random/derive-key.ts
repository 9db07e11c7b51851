import { OutOfRangeError, UsageError } from "@isthmus/core";
import { createHash, hkdfSync, randomBytes } from "@isthmus/platform";

/**
 * Seed of random numbers: a whole number in `[0, 2^53)` for studies that must repeat, or 32 bytes of
 * `drawSecret`, kept secret, if privacy depends on the seed. A whole number can be guessed.
 */
export type Seed = number | Uint8Array;

/** Number of bytes of secrets and of keys. */
export const KEY_BYTES = 32;

/** Salt that keeps keys of this package apart from any others that are derived from the same secret. */
const SALT = "isthmus federated 1";

/**
 * Draws 32 bytes that nobody can guess, from the operating system: the seed of a run that must be private.
 */
export function drawSecret(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/**
 * Derives a key of 32 bytes for one purpose from a seed: by HKDF with SHA-256 (RFC 5869), so that keys of
 * other labels reveal nothing about this one.
 * @param labels - purpose of the key, from general to particular; other lists give other keys
 * @throws OutOfRangeError if a number is not whole and in `[0, 2^53)`
 * @throws UsageError if a secret has another length than 32 bytes
 */
export function deriveKey(seed: Seed, ...labels: readonly (string | number)[]): Uint8Array {
  // Labels are hashed, as HKDF takes at most 1024 bytes here, and written as JSON, so that no two lists have
  // the same bytes.
  const info = createHash("sha256").update(JSON.stringify(labels)).digest();
  return new Uint8Array(hkdfSync("sha256", seedBytes(seed), SALT, info, KEY_BYTES));
}

function seedBytes(seed: Seed): Uint8Array {
  if (typeof seed === "number") {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new OutOfRangeError(
        `Cannot derive a key as the seed must be a whole number of at least 0: it is ${seed}`,
      );
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(seed), true);
    return bytes;
  }
  if (seed.length !== KEY_BYTES) {
    throw new UsageError(
      `Cannot derive a key as a secret must have ${KEY_BYTES} bytes: it has ${seed.length}; draw it by drawSecret()`,
    );
  }
  return seed;
}
