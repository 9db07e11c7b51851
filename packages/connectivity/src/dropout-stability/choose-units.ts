import { at, type Checkpoint, createRandom } from "@isthmus/core";
import { type HiddenLayer, measureUnitNorms } from "@isthmus/symmetry/layout";

/** Ways to choose the units of a layer that stay: at random, or the units with the largest weights. */
export const UNIT_CHOICES = ["random", "largest"] as const;

/** Way to choose the units of a layer that stay. */
export type UnitChoice = (typeof UNIT_CHOICES)[number];

/** Remainder of a layer: some of its units, rescaled to replace all units. */
export interface LayerRemainder {
  /** Layer whose units are taken out. */
  readonly layer: HiddenLayer;
  /** Flags of the units: 1 for each unit that stays, else 0; `[size]`. */
  readonly stays: Uint8Array;
  /** Factor of the weights that read the units that stay. */
  readonly factor: number;
}

/** Number of units that stay, and the way to choose them. */
export interface ChooseUnitsOptions {
  /** Number of units that stay. */
  readonly count: number;
  /** Way to choose the units: at random, or the largest. */
  readonly choice: UnitChoice;
  /** Seed of the random choice; not used if the largest units are chosen. */
  readonly seed: number;
}

/** Chooses the units of a layer that stay; returns 1 for each unit that stays, else 0; `[size]`. */
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
  return Array.from(norms.keys()).sort((a, b) => at(norms, b, "unit") - at(norms, a, "unit") || a - b);
}
