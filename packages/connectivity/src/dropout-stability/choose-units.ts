import { type Checkpoint, createRandom } from "@isthmus/core";
import { type HiddenLayer, measureUnitNorms } from "@isthmus/symmetry/layout";

/** Ways to choose the units of a layer that stay: at random, or the ones with the largest weights. */
export const UNIT_CHOICES = ["random", "largest"] as const;

/** How the units of a layer that stay are chosen. */
export type UnitChoice = (typeof UNIT_CHOICES)[number];

/** What is left of a layer: some of its units, rescaled so that together they do what all did. */
export interface LayerRemainder {
  readonly layer: HiddenLayer;
  /** 1 for each unit that stays, `[size]`. */
  readonly stays: Uint8Array;
  /** Number by which the weights are multiplied that read the units that stay. */
  readonly factor: number;
}

/** How many units stay, and how they are chosen. */
export interface ChooseUnitsOptions {
  /** Number of units that stay. */
  readonly count: number;
  readonly choice: UnitChoice;
  readonly seed: number;
}

/** Chooses the units of a layer that stay; returns 1 for each that does, `[size]`. */
export async function chooseUnits(
  network: Checkpoint,
  layer: HiddenLayer,
  { count, choice, seed }: ChooseUnitsOptions,
): Promise<Uint8Array> {
  const order =
    choice === "largest"
      ? orderBySize(await measureUnitNorms(network, layer))
      : createRandom(seed, `units of ${layer.name}`).shuffleInPlace(
          Array.from({ length: layer.size }, (_, i) => i),
        );
  const stays = new Uint8Array(layer.size);
  for (const unit of order.slice(0, count)) stays[unit] = 1;
  return stays;
}

/** Lists units from the largest norm to the smallest, equal ones in their order. */
function orderBySize(norms: Float64Array): readonly number[] {
  return Array.from(norms.keys()).sort((a, b) => (norms[b] as number) - (norms[a] as number) || a - b);
}
