import { InputError } from "@isthmus/core";
import { isLocal, type SecureSettings } from "@isthmus/federated";
import type { FederationAbout } from "./parse-about.ts";

/**
 * A protection that a client can insist on: masks in a secure sum, clients that know each other's keys, noise
 * that the client adds itself, or noise that the federation's plan promises, whoever adds it.
 */
export type RequiredProtection = "secure" | "identity" | "private" | "noise";

/** Protection that a client insists on, whatever its server asks for. */
export interface ClientRequirements {
  /** Protections without which the client sends nothing. */
  readonly require: readonly RequiredProtection[];
  /** Smallest number of clients that a secure sum must have, if `secure` or `identity` is required. */
  readonly leastClients: number;
  /** Smallest noise multiplier of a round, if `private` or `noise` is required. */
  readonly leastNoise: number;
  /** Largest norm that updates are shortened to, if `private` or `noise` is required. */
  readonly mostClip: number;
}

/** Promises of a federation to its clients, which are a part of its description. */
type Promises = Pick<FederationAbout, "name" | "secure" | "privacy" | "signedSurvivors">;

/** A protection: the rule for people, and what a federation offers that does not keep to it. */
interface Requirement {
  readonly rule: string;
  readonly offerOf: (about: Promises, requirements: ClientRequirements) => string | undefined;
}

const READABLE = "its server asks for updates that it can read";

/** All protections that a client can insist on. */
export const REQUIREMENTS: Readonly<Record<RequiredProtection, Requirement>> = {
  secure: { rule: "masked updates", offerOf: ({ secure }) => (secure ? undefined : READABLE) },
  identity: {
    rule: "sums only among clients that know each other's keys, whose lists of survivors are signed",
    offerOf({ secure, signedSurvivors }) {
      if (!secure) return READABLE;
      return signedSurvivors
        ? undefined
        : "its server is of an earlier version, which passes no signatures on";
    },
  },
  private: {
    rule: "noise of this client",
    offerOf(about, requirements) {
      return about.privacy === null || isLocal(about.privacy)
        ? noiseOffer(about, requirements)
        : "its server would add the noise, after it has read the update";
    },
  },
  noise: { rule: "noise in every published network", offerOf: noiseOffer },
};

/** Says what noise a federation offers if it is less than a client requires; undefined if it is enough. */
function noiseOffer({ privacy }: Promises, { leastNoise, mostClip }: ClientRequirements): string | undefined {
  if (privacy === null) return "its server asks for updates without noise";
  const { noise, clip, adaptive } = privacy;
  if (!(noise >= leastNoise)) return `its multiplier must be at least ${leastNoise}: it is ${noise}`;
  if (!(clip <= mostClip)) return `updates must be shortened to at most ${mostClip}: the clip is ${clip}`;
  if (adaptive === undefined || mostClip === Number.POSITIVE_INFINITY) return undefined;
  return `updates must be shortened to at most ${mostClip}: the clip adapts, from ${clip} to what there is no bound on`;
}

/**
 * Checks that a federation protects its clients as one of them requires.
 * @throws InputError if it does not; the message says what the server asks for instead
 */
export function assertRequired(about: Promises, requirements: ClientRequirements): void {
  for (const name of requirements.require) {
    const { rule, offerOf } = REQUIREMENTS[name];
    const offer = offerOf(about, requirements);
    if (offer !== undefined) throw unmet(about.name, `"${name}", ${rule}`, offer);
  }
}

/**
 * Checks that a secure sum has enough clients, if the client requires secure sums.
 * @throws InputError if the sum may have fewer clients
 */
export function assertRequiredSum(
  { threshold, session, clients }: SecureSettings,
  { require, leastClients }: ClientRequirements,
): void {
  if (threshold >= leastClients || !(require.includes("secure") || require.includes("identity"))) return;
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
    `Cannot take part in "${name}" as this client requires ${rule}: ${offer}; nothing is sent, and only a federation that protects its clients so can have its updates`,
    { input: "require" },
  );
}
