import { at, type Checkpoint } from "@isthmus/core";
import { normalizeWeights } from "@isthmus/interpolation";
import { byLayer, linear, type MergePlan, planMerge, slerp } from "@isthmus/merging";
import type { Shares } from "./describe-merge.ts";
import type { MergeOptions } from "./merge-options.ts";

/** Shares of checkpoints in a result, and the path between them that it lies on. */
export type Combination = Shares & Pick<MergeOptions, "path">;

/** Plans the mean of networks, or the point between them, that the options of the verb describe. */
export function planCombination(
  checkpoints: readonly Checkpoint[],
  { weights, layers, path }: Combination,
): MergePlan {
  const [first] = checkpoints;
  if (layers !== undefined && first !== undefined) {
    const share = byLayer(layers.shares, 0, [...first.tensors.keys()]);
    const weight = [(tensor: string) => 1 - share(tensor), share];
    return planMerge(checkpoints, { method: linear, parameters: { weight } });
  }
  if (path === "linear") return planMerge(checkpoints, { method: linear, parameters: { weight: weights } });
  const t = at(normalizeWeights(weights, 2), 1, "weight");
  // Without a threshold it is the arc that barriers are measured on.
  return planMerge(checkpoints, { method: slerp, parameters: { t, dot_threshold: 1 } });
}
