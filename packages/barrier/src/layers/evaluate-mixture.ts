import { at, type Checkpoint } from "@isthmus/core";
import { lerp } from "@isthmus/interpolation";
import type { CorrectedEvaluation, CorrectedEvaluator } from "../create-corrected-evaluator.ts";
import type { Shares } from "./cut-points.ts";
import type { LayerTensors } from "./group-layers.ts";

/** Two networks, the groups that move between them, and the evaluator of networks made of both. */
export interface MixedNetworks {
  /** Network A, bound to the graph. */
  readonly a: Checkpoint;
  /** Network B, bound to the graph. */
  readonly b: Checkpoint;
  /** Groups of tensors, each of which has its own share of B. */
  readonly groups: readonly LayerTensors[];
  /** Evaluator that corrects the statistics of a network's activations before the network is run. */
  readonly evaluator: CorrectedEvaluator;
}

/**
 * Evaluates the network with the given shares of B, one for each group. All networks but A and B themselves
 * are corrected.
 */
export async function evaluateMixture(
  { a, b, groups, evaluator }: MixedNetworks,
  shares: Shares,
): Promise<CorrectedEvaluation> {
  const shareByName = new Map(
    groups.flatMap(({ tensors }, index) =>
      tensors.map((name) => [name, at(shares, index, "share")] as const),
    ),
  );
  // Sites of REPAIR that are not weights belong to no group, and stay as in A.
  const shareOf = (name: string) => shareByName.get(name) ?? 0;
  const isEnd = [0, 1].some((end) => shares.every((share) => share === end));
  const repaired = (site: string) => [1 - shareOf(site), shareOf(site)];
  return evaluator.evaluate(lerp(a, b, shareOf), isEnd ? undefined : repaired);
}
