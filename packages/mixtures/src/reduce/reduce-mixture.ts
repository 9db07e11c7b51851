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
 */
export function reduceConfig(
  config: Readonly<Record<string, unknown>>,
  experts: number,
): Readonly<Record<string, unknown>> {
  const { [ACTIVE]: active = DEFAULT_ACTIVE } = config;
  const counts = COUNTS.filter((name) => config[name] !== undefined).map((name) => [name, experts]);
  return { ...config, ...Object.fromEntries(counts), [ACTIVE]: Math.min(experts, Number(active)) };
}
