import { type Checkpoint, createRandom, entry, toFloat32 } from "@isthmus/core";
import { type HiddenLayer, positionIn, type UnitSite } from "@isthmus/symmetry/layout";

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
      ? orderBySize(await unitNorms(network, layer))
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

/**
 * Computes for each unit the norm of the weights it computes by times the norm of the weights that read it,
 * which scaling a unit up and its readers down does not change.
 */
async function unitNorms(network: Checkpoint, layer: HiddenLayer): Promise<Float64Array> {
  const [written, read] = [
    await squaredNorms(network, layer, "writes"),
    await squaredNorms(network, layer, "reads"),
  ];
  return written.map((square, unit) => Math.sqrt(square * (read[unit] as number)));
}

async function squaredNorms(
  network: Checkpoint,
  layer: HiddenLayer,
  side: "writes" | "reads",
): Promise<Float64Array> {
  const squares = new Float64Array(layer.size);
  for (const site of layer[side].filter(isWeight)) {
    const { dtype } = entry(network.tensors, site.tensor, "tensor");
    const { data } = await network.read(site.tensor);
    const position = positionIn(site.view, [site.axis]);
    toFloat32(data, dtype).forEach((value, element) => {
      const unit = site.units[position(element)] as number;
      if (unit >= 0) squares[unit] = (squares[unit] as number) + value * value;
    });
  }
  return squares;
}

/** Tells whether a site is in a matrix or a kernel: biases and norms have one axis and other scales. */
function isWeight({ view }: UnitSite): boolean {
  return view.length > 1;
}
