import { type Checkpoint, OutOfRangeError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { discoverEqualRouters } from "../routers/discover-routers.ts";
import type { MeasureRoutingOptions } from "../routers/measure-routing.ts";
import {
  assertExpertCount,
  type ExpertGroup,
  groupExperts,
  REDUCTIONS,
  type Reduction,
} from "./group-experts.ts";
import { measureExperts } from "./measure-experts.ts";
import { reduceExperts } from "./reduce-experts.ts";

/** Options of {@link reduceMixture}. */
export interface ReduceMixtureOptions extends MeasureRoutingOptions {
  /** Whether alike experts are merged, or the least important ones dropped. @defaultValue "merge" */
  readonly by?: Reduction;
}

/** Experts of one layer of the result. */
export interface ReducedLayer {
  /** Name of the layer's experts. */
  readonly layer: string;
  /** Experts of the result, each by the experts of the mixture that it is made of. */
  readonly groups: readonly ExpertGroup[];
}

/** Result of {@link reduceMixture}. */
export interface ReduceMixtureResult {
  /** Mixture with fewer experts, computed lazily, in the names of the graph. */
  readonly mixture: Checkpoint;
  /** Experts of each layer, in order. */
  readonly layers: readonly ReducedLayer[];
}

/**
 * Makes a mixture with fewer experts: measures on texts how much experts contribute and how much their
 * results differ, then merges alike experts or drops the experts that contribute least, in each layer on its
 * own. The config of the result is that of {@link reduceConfig}.
 * @param texts - examples, each of which counts alike
 * @param experts - number of experts of the result
 * @throws InputError if the data do not fit the graph
 * @throws UnsupportedError if the graph has no routers
 * @throws OutOfRangeError if there are not as many experts, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTokenDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { reduceMixture } from "@isthmus/mixtures";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const { graph, initialize } = networkOfConfig({
 *   model_type: "mixtral",
 *   vocab_size: 20,
 *   hidden_size: 8,
 *   intermediate_size: 6,
 *   num_hidden_layers: 1,
 *   num_attention_heads: 2,
 *   num_key_value_heads: 1,
 *   num_local_experts: 3,
 * });
 * const texts = [0, 1, 2].map((expert) => {
 *   const ids = Uint16Array.from({ length: 96 }, (_, i) => 6 * expert + ((i * i) % 6));
 *   return createTokenDataSet(ids, { context: 8, vocabularySize: 20, name: `text ${expert}` });
 * });
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { layers } = await reduceMixture(architecture, initialize(0), { texts, experts: 2 });
 * assert.equal(layers[0]?.groups.flatMap(({ members }) => members).length, 3); // three experts in two groups
 * ```
 */
export async function reduceMixture(
  architecture: Architecture,
  mixture: Checkpoint,
  { texts, experts }: { readonly texts: readonly DataSet[]; readonly experts: number },
  { by = "merge", ...options }: ReduceMixtureOptions = {},
): Promise<ReduceMixtureResult> {
  if (!REDUCTIONS.includes(by)) {
    throw new OutOfRangeError(
      `Cannot reduce experts as "by" must be one of ${REDUCTIONS.join(", ")}: it is ${String(by)}`,
    );
  }
  const routers = await discoverEqualRouters(architecture, { signal: options.signal });
  for (const router of routers) assertExpertCount(experts, router.experts);
  const measured = await measureExperts(architecture, { network: mixture, routers }, texts, options);
  const layers = measured.map((layer) => ({ layer: layer.layer, groups: groupExperts(layer, experts, by) }));
  const groups = layers.map((layer) => layer.groups);
  return { mixture: reduceExperts(routers, mixture, groups), layers };
}

/** Number of experts to which a token is sent if a config does not state it, as in Mixtral. */
const DEFAULT_ACTIVE = 2;

/** Fields of configs that state the number of experts, of which a layout has one. */
const COUNTS: readonly string[] = ["num_local_experts", "num_experts", "n_routed_experts"];

/** Fields of configs that state the number of experts to which a token is sent. */
const ACTIVE = "num_experts_per_tok";

/**
 * Returns the config of a mixture with another number of experts. A token is sent to as many experts as
 * before, or to all if there are fewer.
 * @param config - config of the mixture, the values of `config.json`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { reduceConfig } from "@isthmus/mixtures";
 *
 * const { num_local_experts: experts } = reduceConfig({ model_type: "mixtral", num_local_experts: 8 }, 4);
 * assert.equal(experts, 4);
 * ```
 */
export function reduceConfig(
  config: Readonly<Record<string, unknown>>,
  experts: number,
): Readonly<Record<string, unknown>> {
  const { [ACTIVE]: active = DEFAULT_ACTIVE } = config;
  const counts = COUNTS.filter((name) => config[name] !== undefined).map((name) => [name, experts]);
  return { ...config, ...Object.fromEntries(counts), [ACTIVE]: Math.min(experts, Number(active)) };
}
