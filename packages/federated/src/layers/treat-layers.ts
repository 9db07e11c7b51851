import { type Checkpoint, DTYPES, UsageError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { assertLayerPatterns, fitsLayer } from "@isthmus/interpolation";
import { TREATMENTS, type Treatment } from "./treatment.ts";
import { resolveTreatments } from "./treatments.ts";

/** Names of statistics in PyTorch and in Keras. */
const STATISTICS = /^(.*[./])?(running_mean|running_var|moving_mean|moving_variance)$/;

/** Names of variances among the statistics. */
const VARIANCE = /(running_var|moving_variance)$/;

/** Names of the trained parameters of batch norms in PyTorch and in Keras. */
const PARAMETERS = ["weight", "bias", "gamma", "beta"];

/** Treatment of running statistics of batch norms, which no optimiser may move. */
export type StatisticsPolicy = "average" | "keep";

/** Known ways to keep some layers with the clients. */
export const LAYER_POLICIES: readonly ["all", "fedbn", "fedper", "lg"] = ["all", "fedbn", "fedper", "lg"];

/** Name of a known way to keep some layers with the clients. */
export type LayerPolicyName = (typeof LAYER_POLICIES)[number];

/** Choice of the layers that are shared. */
export interface LayerPolicy {
  /**
   * `all` shares everything; `fedbn` keeps batch norms (Li et al., FedBN, 2021); `fedper` keeps the layers
   * that `head` names and shares the others (Arivazhagan et al., FedPer, 2019; FedRep shares the same ones,
   * and its clients train the head first); `lg` shares the head and keeps the others (Liang et al., LG-
   * FedAvg, 2020).
   * @defaultValue "all"
   */
  readonly policy?: LayerPolicyName;
  /** Pattern of the layers that are the head, for `fedper` and `lg`; `*` matches any characters. */
  readonly head?: string | undefined;
  /**
   * Treatment by pattern of the layers; the first pattern that fits takes precedence over the policy.
   * @defaultValue none
   */
  readonly layers?: ReadonlyMap<string, Treatment>;
  /**
   * Treatment of running means and variances of batch norms. @defaultValue "average", but "keep" if the norm
   * is kept
   */
  readonly statistics?: StatisticsPolicy | undefined;
}

/** Names of the weights of batch norms. */
interface BatchNormTensors {
  /** Scales and shifts, which are trained. */
  readonly parameters: ReadonlySet<string>;
  /** Running means and variances, which are measured. */
  readonly statistics: ReadonlySet<string>;
  /** Running variances alone, which are never negative. */
  readonly variances: ReadonlySet<string>;
}

/**
 * Decides for every tensor of a network whether it is shared, averaged or kept with the clients.
 *
 * Running statistics are never `share`d: the clients' statistics are averaged past the rule, as momentum
 * would make variances negative; if the rule resists attackers, their median takes the place of the mean.
 * Integers such as counters of batches are kept.
 * @param graph - architecture of the network; without it, batch norms are recognised by their usual names
 * @throws UsageError if a policy needs a head that is not named, or a treatment is unknown
 * @throws OutOfRangeError if a pattern fits no layer
 * @throws UnsupportedError if factors of an adapter would be treated one by one, see `findFactorPairs`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { treatLayers } from "@isthmus/federated";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const treatments = treatLayers(graph, network, { policy: "fedper", head: "layers.3" });
 * assert.equal(treatments.get("layers.3.bias"), "keep");
 * assert.equal(treatments.get("layers.0.bias"), "share");
 * await network.close();
 * ```
 */
export function treatLayers(
  graph: Graph | undefined,
  network: Checkpoint,
  { policy = "all", head, layers = new Map(), statistics }: LayerPolicy = {},
): ReadonlyMap<string, Treatment> {
  const names = [...network.tensors.keys()];
  assertPolicy(policy, head, layers);
  assertLayerPatterns("share layers", [...layers.keys(), ...(head === undefined ? [] : [head])], names);
  const norms = batchNorms(graph, network);
  const isHead = (name: string) => head !== undefined && fitsLayer(head, name);
  const isNorm = (name: string) => norms.parameters.has(name) || norms.statistics.has(name);
  const isKept: Readonly<Record<LayerPolicyName, (name: string) => boolean>> = {
    all: () => false,
    fedbn: isNorm,
    fedper: isHead,
    lg: (name) => !isHead(name),
  };
  const treatments = new Map(
    [...network.tensors].map(([name, { dtype }]): [string, Treatment] => {
      if (!DTYPES[dtype].float) return [name, "keep"];
      const [, asked] = [...layers].find(([pattern]) => fitsLayer(pattern, name)) ?? [];
      const treatment = asked ?? (isKept[policy](name) ? "keep" : "share");
      if (!norms.statistics.has(name) || treatment === "keep") return [name, treatment];
      return [name, statistics ?? "average"];
    }),
  );
  return resolveTreatments(network, treatments);
}

function assertPolicy(
  policy: LayerPolicyName,
  head: string | undefined,
  layers: ReadonlyMap<string, Treatment>,
): void {
  if (!LAYER_POLICIES.includes(policy)) {
    throw new UsageError(
      `Cannot share layers by "${policy}" as the policy must be one of ${LAYER_POLICIES.join(", ")}`,
    );
  }
  if ((policy === "fedper" || policy === "lg") && head === undefined) {
    throw new UsageError(
      `Cannot share layers by ${policy} as it must know which layers are the head: name them, as with head: "fc*"`,
    );
  }
  for (const [pattern, treatment] of layers) {
    if (TREATMENTS.includes(treatment)) continue;
    throw new UsageError(
      `Cannot treat layers "${pattern}" by "${treatment}" as the treatment must be one of ${TREATMENTS.join(", ")}`,
    );
  }
}

/**
 * Returns the names of the weights of all batch norms of a graph, or, without a graph, of the tensors that
 * PyTorch and Keras name as their statistics.
 */
export function batchNorms(graph: Graph | undefined, network: Checkpoint): BatchNormTensors {
  if (graph === undefined) return normsByName(network);
  const norms = graph.nodes.filter(({ op }) => op === "BatchNormalization");
  const weightsAt = (begin: number, end: number) =>
    norms.flatMap(({ inputs }) => inputs.slice(begin, end)).filter((name) => graph.weights.has(name));
  // The operator's inputs are x, scale, shift, mean and variance.
  return {
    parameters: new Set(weightsAt(1, 3)),
    statistics: new Set(weightsAt(3, 5)),
    variances: new Set(weightsAt(4, 5)),
  };
}

function normsByName({ tensors }: Checkpoint): BatchNormTensors {
  const statistics = [...tensors.keys()].filter((name) => STATISTICS.test(name));
  const layers = new Set(statistics.map((name) => name.replace(STATISTICS, "$1")));
  const parameters = [...layers].flatMap((layer) => PARAMETERS.map((name) => `${layer}${name}`));
  return {
    parameters: new Set(parameters.filter((name) => tensors.has(name))),
    statistics: new Set(statistics),
    variances: new Set(statistics.filter((name) => VARIANCE.test(name))),
  };
}
