import { FormatError, UsageError } from "@isthmus/core";
import { combine, split } from "shamir-secret-sharing";
import { KEY_BYTES } from "../random/derive-key.ts";

/** Number of bytes of one share of a key: as many as the key has, and one for the point of the share. */
export const SHARE_BYTES: number = KEY_BYTES + 1;

/**
 * Splits a key into shares, of which `threshold` determine the key and fewer reveal nothing (Shamir, How to
 * share a secret, 1979, over the field of 256 elements). Coefficients are drawn from the operating system.
 * @param count - 2 to 255
 */
export function splitSecret(secret: Uint8Array, count: number, threshold: number): Promise<Uint8Array[]> {
  return split(secret, count, threshold);
}

/**
 * Joins shares to the key that they were made of.
 * @param shares - as many shares as the threshold; with shares of different keys the result is another key
 * @throws UsageError if there are fewer than two shares
 * @throws FormatError if two shares are of the same point
 */
export async function joinShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  if (shares.length < 2) {
    throw new UsageError(`Cannot join shares as there must be at least 2: there are ${shares.length}`);
  }
  try {
    return await combine([...shares]);
  } catch (cause) {
    throw new FormatError(
      `Cannot join ${shares.length} shares as each must have ${SHARE_BYTES} bytes and be of a point of its own`,
      { format: "secure sum", cause },
    );
  }
}
