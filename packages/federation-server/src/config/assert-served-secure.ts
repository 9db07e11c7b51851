import { UnsupportedError } from "@isthmus/core";
import { assertSecurable, isLocal, lookUp, PRE_AGGREGATIONS, resolveRule } from "@isthmus/federated";
import type { FederationConfig } from "./federation-config.ts";

/**
 * Checks that a federation needs nothing of updates but their sum, if it is to be secure.
 * @throws UnsupportedError if something must see single updates; the reason is named
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
