import { UnsupportedError } from "@isthmus/core";
import { AGGREGATE_DEFAULTS, type AggregateOptions } from "../aggregate/aggregate-options.ts";
import { parametersOf } from "../aggregate/parameters-of.ts";

/** Choices for the aggregation of a round that may require single updates. */
export interface SecurableRound extends Pick<AggregateOptions, "rule" | "preAggregations"> {
  /** Whether updates are aligned before they are averaged. @defaultValue false */
  readonly aligned?: boolean | undefined;
  /** Whether layers are shared by barriers that are measured between clients. @defaultValue false */
  readonly sharedByBarrier?: boolean | undefined;
  /** Whether updates are accepted at any time, and not in rounds. @defaultValue false */
  readonly asynchronous?: boolean | undefined;
}

/** A round with which rules are tested: its clients differ in all numbers that weights may depend on. */
const PROBE = {
  count: 3,
  shares: [0.5, 0.3, 0.2],
  losses: [1, 2, 3],
  staleness: [0, 1, 2],
  gram: new Float64Array(0),
} as const;

/**
 * Checks that a round needs nothing of the updates but their sum, weighted by examples, so that it can be
 * summed securely. Optimisers of the server see the aggregate alone, so all of them are possible.
 * @throws UnsupportedError if the server must see single updates; the message names the reason
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { AGGREGATION_RULES, assertSecurable } from "@isthmus/federated";
 *
 * assertSecurable({}); // fedavg
 * const median = AGGREGATION_RULES.get("coordinate-median") ?? assert.fail();
 * assert.throws(() => assertSecurable({ rule: { of: median } }), /compares single updates/);
 * ```
 */
export function assertSecurable(round: SecurableRound): void {
  const reason = reasonAgainst(round);
  if (reason === undefined) return;
  const { of: rule } = round.rule ?? AGGREGATE_DEFAULTS.rule;
  throw new UnsupportedError(
    `Cannot sum updates securely with rule "${rule.name}" as ${reason}, and a secure sum shows none by itself: ` +
      "use the rule fedavg by itself, with any optimiser of the server, or do without the secure sum",
    { feature: "secure sum" },
  );
}

function reasonAgainst(round: SecurableRound): string | undefined {
  const { rule: configured = AGGREGATE_DEFAULTS.rule, preAggregations = [] } = round;
  const { of: rule } = configured;
  const [step] = preAggregations;
  if (step !== undefined) return `the step "${step.of.name}" before it compares single updates`;
  if (round.aligned) return "aligning looks at each client's weights";
  if (round.sharedByBarrier) return "barriers are measured between clients' networks";
  if (round.asynchronous) return "masks cancel among the clients of one round, and late ones have others";
  if (rule.kind === "coordinates") return "it compares single updates element by element";
  if (rule.needs.includes("gram")) return "it looks at distances between single updates";
  if (rule.needs.includes("losses")) return "its weights depend on the loss of each client";
  if (rule.needs.includes("norms")) return "it looks at the norms of single updates";
  const { weights } = rule.weigh(PROBE, parametersOf("aggregate", configured));
  const isMean = PROBE.shares.every((share, i) => weights[i] === share);
  return isMean
    ? undefined
    : "its weights are not the shares of examples, which clients put on their updates";
}
