import type { CorrectedEvaluator } from "@isthmus/barrier";
import { type Checkpoint, sumOf } from "@isthmus/core";
import type { LayerRemainder } from "./choose-units.ts";
import { dropUnits } from "./drop-units.ts";

/**
 * Ways to choose the factor of the units that stay: the inverse of their share, or the factor for which the
 * loss is least.
 */
export const RESCALINGS = ["inverse", "fit"] as const;

/** Way to rescale the units of a layer that stay. */
export type Rescaling = (typeof RESCALINGS)[number];

/** Number of factors that the golden-section search tries. */
const TRIES = 12;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Finds the factor of one layer for which the loss is least, between 1 and twice the inverse share, by
 * golden-section search, given the remainders of the layers behind it.
 */
export async function fitFactor(
  network: Checkpoint,
  { later, layer, stays }: { readonly later: readonly LayerRemainder[] } & Omit<LayerRemainder, "factor">,
  evaluator: CorrectedEvaluator,
): Promise<number> {
  const lossAt = async (factor: number): Promise<number> => {
    const changed = dropUnits(network, [...later, { layer, stays, factor }]);
    return (await evaluator.evaluate(changed, undefined)).loss;
  };
  const count = sumOf(stays);
  let [low, high] = [1, (2 * layer.size) / count];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [lossLeft, lossRight] = [await lossAt(left), await lossAt(right)];
  for (let made = 2; made < TRIES; made++) {
    if (lossLeft <= lossRight) {
      [high, right, lossRight] = [right, left, lossLeft];
      left = high - GOLDEN * (high - low);
      lossLeft = await lossAt(left);
    } else {
      [low, left, lossLeft] = [left, right, lossRight];
      right = low + GOLDEN * (high - low);
      lossRight = await lossAt(right);
    }
  }
  return lossLeft <= lossRight ? left : right;
}
