import { UnsupportedError, UsageError } from "@isthmus/core";
import {
  beginPrivacy,
  type ClientSampling,
  describeSpent,
  isLocal,
  privateRoundsLeft,
} from "@isthmus/federated";
import type { ResolvedFederation } from "./describe-defaults.ts";

/**
 * Counts the rounds that a federation runs: the number of its description, or fewer if its privacy budget has
 * no room for them.
 * @throws UnsupportedError if a choice of the simulation breaks the account of privacy
 * @throws UsageError if the sampling of the account differs from the simulated one, or the budget has no room
 * for one round
 */
export function countRounds(description: ResolvedFederation): number {
  const { rounds } = description;
  const { privacy, start } = description.strategy;
  if (privacy === undefined) return rounds;
  // A client that adds noise itself is charged for each round, whether it is asked or not.
  if (!isLocal(privacy)) assertSampling(description, privacy.sampling);
  if (description.client.scaffold) {
    throw new UnsupportedError(
      'Cannot keep the account of privacy as "scaffold" averages the variates of clients without clipping and noise: leave it out',
      { feature: "privacy" },
    );
  }
  if (start === "apart") {
    throw new UnsupportedError(
      'Cannot keep the account of privacy as clients that start "apart" must be aligned to each other: start them "together"',
      { feature: "privacy" },
    );
  }
  const left = privateRoundsLeft(privacy);
  if (left === 0) {
    throw new UsageError(
      `Cannot simulate a federation as ${describeSpent(privacy, beginPrivacy(privacy))}; raise "noise" or "budget"`,
    );
  }
  return Math.min(rounds, left);
}

/**
 * Checks that clients are sampled as the account of privacy assumes: each client by itself, or a fixed number
 * at random. If the fixed number is not that of all clients, an additional client takes the place of another,
 * which the account for `all` does not cover.
 */
function assertSampling(
  { clients, fraction, sampling: simulated }: ResolvedFederation,
  sampling: ClientSampling,
): void {
  if (simulated === "poisson") {
    if (sampling.kind === "poisson" && sampling.probability === fraction) return;
    throw new UsageError(
      `Cannot keep the account of privacy as a simulation asks each client with a probability of ${fraction}, and the ` +
        `account is for ${JSON.stringify(sampling)}: write "sampling: { kind: poisson, probability: ${fraction} }"`,
    );
  }
  const size = Math.ceil(fraction * clients);
  const isSimulated =
    sampling.kind === "all"
      ? size === clients
      : sampling.kind === "fixed-size" && sampling.size === size && sampling.population === clients;
  if (isSimulated) return;
  const described =
    size === clients ? "{ kind: all }" : `{ kind: fixed-size, size: ${size}, population: ${clients} }`;
  throw new UsageError(
    `Cannot keep the account of privacy as a simulation asks ${size} of ${clients} clients in each round, and the ` +
      `account is for ${JSON.stringify(sampling)}: write "sampling: ${described}"`,
  );
}
