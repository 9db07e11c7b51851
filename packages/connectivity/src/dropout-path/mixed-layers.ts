import type { Checkpoint } from "@isthmus/core";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import { dropUnits } from "../dropout-stability/drop-units.ts";
import { repeatUnits } from "./place-copy.ts";
import { checkpointOf, readWeights } from "./read-weights.ts";

/** Largest relative change of a loss that counts as rounding error. */
const ROUNDING = 1e-5;

/**
 * Finds the layers whose units are combined before they are read, as by layer norm: there a unit affects
 * other units even if nothing reads it, and no unit can be written a second time.
 *
 * Layers are found by trial: half of the units are no longer read, and become repetitions of the others. If
 * units are not combined, that does not change the loss.
 * @param measureLoss - mean loss of a network on some examples
 * @returns names of layers, in their order
 */
export async function findMixedLayers(
  network: Checkpoint,
  layers: readonly HiddenLayer[],
  measureLoss: (network: Checkpoint) => Promise<number>,
): Promise<readonly string[]> {
  const mixed: string[] = [];
  for (const layer of layers) {
    const count = Math.floor(layer.size / 2);
    const stays = Uint8Array.from({ length: layer.size }, (_, unit) => (unit < count ? 1 : 0));
    const halved = dropUnits(network, [{ layer, stays, factor: 1 }]);
    const slots = Int32Array.from(stays, (stay, place) => (stay === 1 ? -1 : place % count));
    const repeated = repeatUnits(await readWeights(halved), { layers: [layer], slots: [slots] });
    const [before, after] = [
      await measureLoss(halved),
      await measureLoss(checkpointOf(repeated, network.source)),
    ];
    if (Math.abs(after - before) > ROUNDING * (1 + Math.abs(before))) mixed.push(layer.name);
  }
  return mixed;
}
