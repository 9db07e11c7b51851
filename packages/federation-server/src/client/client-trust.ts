import { assertWholeOptions, OutOfRangeError, UsageError } from "@isthmus/core";
import type { ClientRequirements } from "./assert-required.ts";
import type { ClientTrust } from "./working-client.ts";

/**
 * Returns what a client insists on; clients that know each other insist on sums among themselves.
 * @throws OutOfRangeError if a bound is out of its range
 * @throws UsageError if known clients are required, and none are known
 */
export function requirementsOf(
  { require, leastClients, leastNoise, mostClip }: ClientRequirements,
  trust: ClientTrust | undefined,
): ClientRequirements {
  assertWholeOptions("join a federation", { leastClients }, { leastClients: 2 });
  for (const [name, value] of Object.entries({ leastNoise, mostClip })) {
    if (value > 0) continue;
    throw new OutOfRangeError(`Cannot join a federation as "${name}" must be above 0: it is ${value}`);
  }
  const knowsPeers = trust?.peers !== undefined;
  if (require.includes("identity") && !knowsPeers) {
    throw new UsageError(
      'Cannot require "identity" as this client must know the keys of the others: give them as "peers" (--peers), and its own private key as "identity" (--identity)',
    );
  }
  return { require: knowsPeers ? [...require, "identity"] : require, leastClients, leastNoise, mostClip };
}

/** Keys of clients, as a caller gives them. */
interface KnownKeys {
  /** Private key of this client. */
  readonly identity?: string | undefined;
  /** Public keys of the others, by their names. */
  readonly peers?: Readonly<Record<string, string>> | undefined;
}

/**
 * Returns how clients know each other.
 * @throws UsageError if there are keys of others, and none of this client for them
 */
export function trustOf({ identity, peers }: KnownKeys): ClientTrust | undefined {
  if (identity === undefined && peers === undefined) return undefined;
  if (identity !== undefined) return { identity, peers: peers && new Map(Object.entries(peers)) };
  throw new UsageError(
    'Cannot join a federation with "peers" alone as they must know this client, too: give its private key as "identity" (--identity)',
  );
}
