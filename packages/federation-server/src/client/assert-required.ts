import { InputError } from "@isthmus/core";
import { isLocal, type SecureSettings } from "@isthmus/federated";
import type { FederationAbout } from "./parse-about.ts";

/** A protection that a client can insist on: masks in a secure sum, or noise that it adds itself. */
export type RequiredProtection = "secure" | "private";

/** Protection that a client insists on, whatever its server asks for. */
export interface ClientRequirements {
  /** Protections without which the client sends nothing. */
  readonly require: readonly RequiredProtection[];
  /** Smallest number of clients that a secure sum must have, if `secure` is required. */
  readonly leastClients: number;
  /** Smallest noise multiplier of a round, if `private` is required. */
  readonly leastNoise: number;
}

/**
 * Checks that a federation protects its clients as one of them requires.
 * @throws InputError if it does not; the message says what the server asks for instead
 */
export function assertRequired(
  { name, secure, privacy }: Pick<FederationAbout, "name" | "secure" | "privacy">,
  { require, leastNoise }: ClientRequirements,
): void {
  if (require.includes("secure") && !secure) {
    throw unmet(name, '"secure", masked updates', "its server asks for updates that it can read");
  }
  if (!require.includes("private")) return;
  const rule = `"private", noise of this client with a multiplier of at least ${leastNoise}`;
  if (privacy === null) throw unmet(name, rule, "its server asks for updates without noise");
  if (!isLocal(privacy))
    throw unmet(name, rule, "its server would add the noise, after it has read the update");
  if (!(privacy.noise >= leastNoise)) throw unmet(name, rule, `its server asks for ${privacy.noise}`);
}

/**
 * Checks that a secure sum has enough clients, if the client requires secure sums.
 * @throws InputError if the sum may have fewer clients
 */
export function assertRequiredSum(
  { threshold, session, clients }: SecureSettings,
  { require, leastClients }: ClientRequirements,
): void {
  if (!require.includes("secure") || threshold >= leastClients) return;
  const share = Math.ceil((100 * leastClients) / clients.length) / 100;
  const wayOut =
    share > 1
      ? `the sum has ${clients.length} clients, so that its server must wait for a larger "quorum"`
      : `its server's file makes it so by: secure: { threshold: ${share} }`;
  throw unmet(
    session,
    `"secure", a sum of at least ${leastClients} clients`,
    `it may be of ${threshold}; ${wayOut}`,
  );
}

function unmet(name: string, rule: string, offer: string): InputError {
  return new InputError(
    `Cannot take part in "${name}" as this client requires ${rule}: ${offer}; nothing was sent, and only a federation that protects its clients so can have its updates`,
    { input: "require" },
  );
}
