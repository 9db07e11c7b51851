import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { assertWholeOptions, OutOfRangeError, UsageError } from "@isthmus/core";
import type { ClientRequirements, RequiredProtection } from "./assert-required.ts";
import type { ClientTrust } from "./working-client.ts";

/** Requirements of a client that insists on nothing. */
export const REQUIREMENT_DEFAULTS: ClientRequirements = {
  require: [],
  leastClients: 2,
  leastNoise: 1,
  mostClip: Number.POSITIVE_INFINITY,
};

/** Protections that each bound is a bound of. */
const BOUNDS: readonly (readonly [
  Exclude<keyof ClientRequirements, "require">,
  readonly RequiredProtection[],
])[] = [
  ["leastClients", ["secure", "identity"]],
  ["leastNoise", ["private", "noise"]],
  ["mostClip", ["private", "noise"]],
];

/**
 * Returns what a client insists on; clients that know each other insist on sums among themselves.
 * @throws OutOfRangeError if a bound is out of its range
 * @throws UsageError if known clients are required, and none are known, or a bound is given without the
 *   protection that it is a bound of
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
  const required = {
    require: knowsPeers ? [...require, "identity" as const] : require,
    leastClients,
    leastNoise,
    mostClip,
  };
  for (const [name, protections] of BOUNDS) {
    if (required[name] === REQUIREMENT_DEFAULTS[name]) continue;
    if (protections.some((protection) => required.require.includes(protection))) continue;
    const names = protections.map((protection) => `"${protection}"`).join(" or ");
    throw new UsageError(
      `Cannot join a federation with "${name}" ${required[name]} alone as it says what ${names} must be: add one of them to "require" (--require), or nothing is insisted on`,
    );
  }
  return required;
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
 * @throws UsageError if there are keys of others, and none of this client for them, or a key is none of
 *   Ed25519
 */
export function trustOf({ identity, peers }: KnownKeys): ClientTrust | undefined {
  if (identity === undefined && peers === undefined) return undefined;
  if (identity !== undefined) {
    assertKey('"identity" (--identity)', "private", () => createPrivateKey(identity));
    const others = Object.entries(peers ?? {});
    for (const [name, key] of others)
      assertKey(`the key of "${name}" in "peers"`, "public", () => createPublicKey(key));
    if (peers !== undefined && others.length === 0) {
      throw new UsageError(
        'Cannot join a federation with "peers" that are none: give the public keys of the others (--peers: a folder with a file NAME.pem for each)',
      );
    }
    return { identity, peers: peers && new Map(others) };
  }
  throw new UsageError(
    'Cannot join a federation with "peers" alone as they must know this client, too: give its private key as "identity" (--identity)',
  );
}

/** Checks a key before the server is asked for anything. */
function assertKey(what: string, kind: "private" | "public", read: () => KeyObject): void {
  let fault = "it is none";
  try {
    const type = read().asymmetricKeyType;
    if (type === "ed25519") return;
    fault = `it is one of ${type}`;
  } catch {
    // The message says that the text is no key at all.
  }
  throw new UsageError(
    `Cannot join a federation as ${what} must be a ${kind} key of Ed25519 in PEM, as by openssl genpkey -algorithm ed25519: ${fault}`,
  );
}
