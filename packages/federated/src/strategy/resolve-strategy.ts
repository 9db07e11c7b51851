import type { Checkpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { AggregateOptions } from "../aggregate/aggregate-options.ts";
import { treatLayers } from "../layers/treat-layers.ts";
import { PRE_AGGREGATIONS } from "../pre-aggregations.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import { SERVER_STEPS } from "../server-steps.ts";
import { lookUp } from "./look-up.ts";
import type { LayersDescription, StrategyDescription } from "./strategy-description.ts";

/** The options of an aggregation that a strategy decides. */
export type StrategyOptions = Pick<
  AggregateOptions,
  "rule" | "preAggregations" | "server" | "clip" | "treatments"
>;

/**
 * Looks up what the description of a strategy names.
 * @param graph - architecture of the network; without it, batch norms are recognised by their usual names
 * @param network - the global network
 * @throws InputError if there is no rule, step or optimiser of a name
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
  { rule = "fedavg", before = [], server = "average", clip, share }: StrategyDescription = {},
): StrategyOptions {
  return {
    rule: lookUp("aggregation rule", AGGREGATION_RULES, rule),
    preAggregations: before.map((step) => lookUp("step before aggregation", PRE_AGGREGATIONS, step)),
    server: lookUp("optimiser of the server", SERVER_STEPS, server),
    ...(clip === undefined ? {} : { clip }),
    treatments: treatLayers(graph, network, policyOf(share)),
  };
}

function policyOf({ layers = {}, ...policy }: LayersDescription = {}) {
  return { ...policy, layers: new Map(Object.entries(layers)) };
}
