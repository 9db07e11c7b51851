import type { CorrectedEvaluator } from "@isthmus/barrier";
import { type Checkpoint, createRandom } from "@isthmus/core";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import { chooseUnits, type LayerRemainder, type UnitChoice } from "./choose-units.ts";
import { fitFactor, type Rescaling } from "./fit-factor.ts";

/** Number of units of each layer that stay, the way to choose them, and their rescaling. */
export interface DropPlan {
  /** Returns the number of units that stay in a layer of the given size. */
  readonly count: (size: number) => number;
  /** Way to choose the units that stay. */
  readonly choice: UnitChoice;
  /** Rescaling of the units that stay. */
  readonly rescale: Rescaling;
  /** Seed of the choice of units. */
  readonly seed: number;
  /** Evaluator of networks, for factors that are fitted. */
  readonly evaluator: CorrectedEvaluator;
}

/**
 * Chooses the remainders of layers, from the last to the first: each factor is chosen given the remainders of
 * the layers behind it.
 * @returns remainder of each layer, in the order of the layers
 */
export async function dropLayerByLayer(
  network: Checkpoint,
  layers: readonly HiddenLayer[],
  { count, choice, rescale, seed, evaluator }: DropPlan,
): Promise<readonly LayerRemainder[]> {
  let remainders: readonly LayerRemainder[] = [];
  for (const layer of layers.toReversed()) {
    const units = count(layer.size);
    const stays = await chooseUnits(network, layer, { count: units, choice, seed });
    const factor =
      rescale === "fit" && units < layer.size
        ? await fitFactor(network, { later: remainders, layer, stays }, evaluator)
        : layer.size / units;
    remainders = [{ layer, stays, factor }, ...remainders];
  }
  return remainders;
}

/** Returns a seed for each trial: the first is the given seed. */
export function trialSeeds(seed: number, trials: number): readonly number[] {
  const random = createRandom(seed, "trials");
  return Array.from({ length: trials }, (_, trial) => (trial === 0 ? seed : random.integer(2 ** 32)));
}
