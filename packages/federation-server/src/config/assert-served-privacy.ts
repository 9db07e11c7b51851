import { UnsupportedError, UsageError } from "@isthmus/core";
import { beginPrivacy, describeSpent, hasRoom, isLocal, resolveRule } from "@isthmus/federated";
import type { FederationConfig } from "./federation-config.ts";

/**
 * Checks that a server can keep the account of privacy of a federation, if it has one.
 * @throws UnsupportedError if a choice of the federation breaks the account; the message names the reason
 * @throws UsageError if the budget has no room for one round
 */
export function assertServedPrivacy({
  strategy,
  layerBarriers,
}: Pick<FederationConfig, "strategy" | "layerBarriers">): void {
  const { privacy } = strategy;
  if (privacy === undefined) return;
  resolveRule(strategy);
  if (privacy.sampling.kind !== "all") {
    throw new UnsupportedError(
      "Cannot serve a federation with an account of sampled clients as who takes part depends on who is there and who is " +
        'fastest, which is no chance that the account knows: write "sampling: { kind: all }"',
      { feature: "privacy" },
    );
  }
  if (layerBarriers > 0) {
    throw new UnsupportedError(
      'Cannot keep the account of privacy as "layerBarriers" publishes numbers of two clients without noise: leave it out',
      { feature: "privacy" },
    );
  }
  if (hasRoom(privacy, beginPrivacy(privacy))) return;
  throw new UsageError(
    `Cannot serve a federation as ${describeSpent(privacy, beginPrivacy(privacy))}; raise "noise" or "budget"`,
  );
}

/** Multiple of the clients that there are at which the divisor of a private mean is doubted. */
const FAR_MORE = 1.5;

/**
 * Says why the divisor of a private mean is too large for the clients of a federation, so that the network
 * hardly moves; returns `undefined` if it is not.
 * @param tokens - number of clients that have a token
 */
export function doubtAboutClients(
  { strategy: { privacy }, plan }: Pick<FederationConfig, "strategy" | "plan">,
  tokens: number,
): string | undefined {
  const there = Math.max(tokens, plan.quorum);
  if (privacy === undefined || isLocal(privacy) || privacy.clients <= FAR_MORE * there) return undefined;
  return `"clients" of the privacy is ${privacy.clients}, by which the sum of updates is divided however few come, and there are ${there}: the network moves ${(privacy.clients / there).toPrecision(2)} times less far than they do; set it to the number of clients of a round`;
}
