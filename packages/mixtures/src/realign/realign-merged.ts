import { at, type Checkpoint } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { align } from "@isthmus/weight-matching";
import { compareRouting, type RoutingComparison } from "../routers/compare-routing.ts";
import { discoverRouters } from "../routers/discover-routers.ts";
import {
  type RealignRoutersOptions,
  type RealignRoutersResult,
  type RouterParent,
  realignRouters,
} from "./realign-routers.ts";

/** Options of {@link realignMerged}. */
export interface RealignMergedOptions extends RealignRoutersOptions {
  /**
   * Whether the parents are aligned to the merged network first, whose experts may be in another order than
   * theirs. @defaultValue true
   */
  readonly align?: boolean;
  /** Seed of the alignment. @defaultValue 0 */
  readonly seed?: number;
}

/** Result of {@link realignMerged}. */
export interface RealignMergedResult extends RealignRoutersResult {
  /** Agreement of the merged network with each parent on its own data, before and after. */
  readonly routing: readonly { readonly before: RoutingComparison; readonly after: RoutingComparison }[];
}

/**
 * Realigns the routers of a merged mixture (see `realignRouters`): the parents are aligned to it first, and
 * the share of tokens that it sends to the experts of a parent is measured before and after.
 *
 * @throws as `realignRouters`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { createDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { average } from "@isthmus/interpolation";
 * import { realignMerged } from "@isthmus/mixtures";
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
 * }, { length: 5 });
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const tokens = createTensor("i64", [4, 5], BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i)));
 * const data = createDataSet(tokens, undefined, { classes: 20 });
 *
 * const parents = [0, 1].map((seed) => ({ network: initialize(seed), data }));
 * const merged = average(parents.map(({ network }) => network));
 * const { network, routing } = await realignMerged(architecture, merged, parents, { align: false });
 * assert(network.tensors.size === merged.tensors.size && routing.length === 2);
 * ```
 */
export async function realignMerged(
  architecture: Architecture,
  merged: Checkpoint,
  parents: readonly RouterParent[],
  { align: aligns = true, seed = 0, ...options }: RealignMergedOptions = {},
): Promise<RealignMergedResult> {
  const { signal, examples, batchSize } = options;
  const routers = options.routers ?? (await discoverRouters(architecture, { signal }));
  const networks = parents.map(({ network }) => network);
  const moved =
    aligns && networks.length > 0
      ? (await align(architecture, [merged, ...networks], { seed, restarts: 1, signal })).aligned
      : undefined;
  const placed = parents.map((parent, i) => ({
    ...parent,
    network: moved === undefined ? parent.network : at(moved, i, "parent").network,
  }));
  const measure = async (network: Checkpoint): Promise<RoutingComparison[]> => {
    const results: RoutingComparison[] = [];
    for (const parent of placed) {
      const pair = [parent.network, network] as const;
      results.push(
        await compareRouting(architecture, pair, parent.data, { routers, examples, batchSize, signal }),
      );
    }
    return results;
  };
  const before = await measure(merged);
  const result = await realignRouters(architecture, merged, placed, { ...options, routers });
  const after = await measure(result.network);
  return { ...result, routing: before.map((one, i) => ({ before: one, after: at(after, i, "parent") })) };
}
