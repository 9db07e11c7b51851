import { type Checkpoint, UsageError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { scaleBy } from "../adapters/adapter-scaling.ts";
import type { AggregateOptions } from "../aggregate/aggregate-options.ts";
import { treatLayers } from "../layers/treat-layers.ts";
import type { Treatment } from "../layers/treatment.ts";
import { PRE_AGGREGATIONS } from "../pre-aggregations.ts";
import { assertPrivate } from "../privacy/assert-private.ts";
import { assertPrivacy, isLocal, type PrivacyDescription } from "../privacy/privacy-description.ts";
import { privateMean } from "../privacy/private-mean-rule.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import { SERVER_STEPS } from "../server-steps.ts";
import { type LookedUp, lookUp, type Named } from "./look-up.ts";
import {
  type LayersDescription,
  STRATEGY_DEFAULTS,
  type StrategyDescription,
} from "./strategy-description.ts";

/** The options of an aggregation that a strategy decides. */
export type StrategyOptions = Pick<AggregateOptions, "clip" | "privacy" | "scaleOf"> & {
  readonly [K in "rule" | "preAggregations" | "server" | "treatments"]: NonNullable<AggregateOptions[K]>;
};

/**
 * Looks up the rule, the steps and the optimiser that the description of a strategy names, and decides the
 * treatment of each tensor.
 * @param graph - architecture of the network; without it, batch norms are recognised by their usual names
 * @param network - the global network
 * @throws InputError if there is no rule, step or optimiser of a name
 * @throws UnsupportedError if the strategy is private, and a choice breaks the account
 * @throws UsageError, OutOfRangeError if layers cannot be treated as described
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { aggregateUpdates, resolveStrategy } from "@isthmus/federated";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const strategy = { rule: "coordinate-median", server: { name: "average", learningRate: 0.5 } };
 * const options = resolveStrategy(graph, network, strategy);
 * const { report } = await aggregateUpdates(network, [{ client: "anna", examples: 9, network }], options);
 * assert.equal(report.rule, "coordinate-median");
 * await network.close();
 * ```
 */
export function resolveStrategy(
  graph: Graph | undefined,
  network: Checkpoint,
  description: StrategyDescription = {},
): StrategyOptions {
  const { clip, privacy, share, adapters } = description;
  const { before, server } = { ...STRATEGY_DEFAULTS, ...description };
  const treatments = treatLayers(graph, network, policyOf(share));
  return {
    rule: resolveRule(description, treatments),
    preAggregations: before.map((step) => lookUp("step before aggregation", PRE_AGGREGATIONS, step)),
    server: lookUp("optimiser of the server", SERVER_STEPS, server),
    ...(clip === undefined ? {} : { clip }),
    ...(privacy === undefined ? {} : { privacy }),
    ...(adapters === undefined ? {} : { scaleOf: scaleBy(adapters) }),
    treatments,
  };
}

/**
 * Looks up the rule of a strategy.
 * @param treatments - treatments of tensors, if known. @defaultValue none
 * @throws InputError if there is no rule of the name
 * @throws UnsupportedError if the strategy is private, and a choice breaks the account
 */
export function resolveRule(
  { rule, before = [], clip, privacy, align }: StrategyDescription,
  treatments: ReadonlyMap<string, Treatment> = new Map(),
): LookedUp<AggregationRule> {
  const isNamed = rule !== undefined && nameOf(rule) === privateMean.name;
  if (privacy === undefined) {
    if (isNamed) {
      throw new UsageError(
        `Cannot aggregate by ${privateMean.name} without its bound and noise: set "privacy" of the strategy, and leave out the rule`,
      );
    }
    return lookUp("aggregation rule", AGGREGATION_RULES, rule ?? STRATEGY_DEFAULTS.rule);
  }
  if (isLocal(privacy) && !isNamed) {
    assertPrivacy(privacy);
    return lookUp("aggregation rule", AGGREGATION_RULES, rule ?? "fedavg");
  }
  assertPrivate({
    rule: rule === undefined || isNamed ? undefined : lookUp("aggregation rule", AGGREGATION_RULES, rule).of,
    before: before.map(nameOf),
    clip,
    align,
    treatments,
  });
  return privateRule(privacy);
}

function privateRule(privacy: PrivacyDescription): LookedUp<AggregationRule> {
  assertPrivacy(privacy);
  const { clip, clients } = privacy;
  return { of: privateMean as unknown as AggregationRule, parameters: { clip, clients } };
}

const nameOf = (described: string | Named): string =>
  typeof described === "string" ? described : described.name;

function policyOf({ layers = {}, ...policy }: LayersDescription = {}) {
  return { ...policy, layers: new Map(Object.entries(layers)) };
}
