import { UnsupportedError } from "@isthmus/core";
import { assertSecurable, isLocal, lookUp, PRE_AGGREGATIONS, resolveRule } from "@isthmus/federated";
import type { FederationConfig } from "./federation-config.ts";

/**
 * Checks that a federation with secure sums needs nothing of the updates but their sum.
 * @throws UnsupportedError if the server must see single updates; the message names the reason
 */
export function assertServedSecure({
  strategy,
  plan,
  limits,
  layerBarriers,
}: Pick<FederationConfig, "strategy" | "plan" | "limits" | "layerBarriers">): void {
  if (plan.secure === null) return;
  const { before = [], align, clip, privacy } = strategy;
  if (privacy !== undefined && !isLocal(privacy)) {
    throw unsupported(
      '"privacy" of the server clips single updates: let clients clip and add noise, by "at: clients"',
    );
  }
  assertSecurable({
    rule: resolveRule(strategy),
    preAggregations: before.map((step) => lookUp("step before aggregation", PRE_AGGREGATIONS, step)),
    aligned: align !== undefined,
    sharedByBarrier: layerBarriers > 0,
  });
  if (clip !== undefined) throw unsupported('"clip" measures the norm of single updates: leave it out');
  if (typeof limits.norm === "number") {
    throw unsupported('"limits.norm" measures single updates, and masked ones have no norm: leave it out');
  }
}

function unsupported(reason: string): UnsupportedError {
  return new UnsupportedError(`Cannot sum updates securely as ${reason}`, { feature: "secure sum" });
}
