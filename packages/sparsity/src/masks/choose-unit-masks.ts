import { at, type Checkpoint, entry, InputError, matchesAny, OutOfRangeError, sizeOf } from "@isthmus/core";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import {
  findHiddenLayers,
  type HiddenLayer,
  isWeightSite,
  measureUnitNorms,
  positionIn,
  type UnitSite,
} from "@isthmus/symmetry/layout";
import { prunedOf } from "./choose-masks.ts";
import type { Masks } from "./masks.ts";
import { assertMatches, sharesOf } from "./prunable-weights.ts";

/** Layer of hidden units, with the number of pruned ones. */
export interface PrunedUnits {
  /** Name of the symmetry that permutes the units of the layer. */
  readonly name: string;
  /** Number of units of the layer. */
  readonly units: number;
  /** Number of pruned units of the layer. */
  readonly pruned: number;
}

/** Masks that prune whole units, with the number of pruned units of each layer. */
export interface UnitMasks {
  /** Masks of the weights that compute or read units of these layers. */
  readonly masks: Masks;
  /** Numbers of units of each layer that could lose some, in the order in which layers are read. */
  readonly units: readonly PrunedUnits[];
}

/** Shares of units to prune, and the layers that lose them. */
export interface UnitShares {
  /** Share of the units of a layer to prune, in `[0, 1)`, for layers that `shares` does not name. */
  readonly sparsity: number;
  /** Shares of single layers, by their names, in which `*` matches any characters. */
  readonly shares: Readonly<Record<string, number>>;
  /** Names of layers that lose units, in which `*` matches any characters; undefined for all. */
  readonly layers: readonly string[] | undefined;
}

/**
 * Chooses the units of each hidden layer with the least effect, by the norm of the weights that compute them
 * times the norm of the weights that read them, and masks both.
 * @throws InputError if the graph has no hidden units that can be taken out
 * @throws OutOfRangeError if a layer would lose all of its units, or a pattern matches no layer
 */
export async function chooseUnitMasks(
  attempt: string,
  { graph, symmetries }: Pick<SymmetricArchitecture, "graph" | "symmetries">,
  network: Checkpoint,
  { sparsity, shares, layers: patterns }: UnitShares,
): Promise<UnitMasks> {
  const { layers: all, left } = findHiddenLayers(graph, symmetries);
  const names = all.map(({ name }) => name);
  if (names.length === 0) {
    const reasons = [...left].map(([name, reason]) => `"${name}": ${reason}`).join("; ");
    throw new InputError(
      `Cannot ${attempt} by units of graph "${graph.name}" as it must have hidden units that can be taken out: it has none${reasons && ` (${reasons})`}; prune it by layer`,
      { input: graph.name },
    );
  }
  if (patterns !== undefined) assertMatches(attempt, { option: "layers", patterns }, names);
  const layers = all.filter(({ name }) => patterns === undefined || matchesAny(patterns, name));
  const byName = sharesOf(
    attempt,
    layers.map(({ name }) => name),
    { sparsity, shares },
  );
  const masks = new Map<string, Uint8Array>();
  const units: PrunedUnits[] = [];
  for (const layer of layers) {
    const pruned = prunedOf(layer.size, entry(byName, layer.name, "share"));
    if (pruned === layer.size) {
      throw new OutOfRangeError(
        `Cannot ${attempt} by units as a unit of each layer must stay: none of the ${layer.size} of "${layer.name}" would; prune less`,
      );
    }
    const stays = stayingUnits(await measureUnitNorms(network, layer), pruned);
    for (const site of maskedSites(layer)) takeOut(site, stays, { network, masks });
    units.push({ name: layer.name, units: layer.size, pruned });
  }
  return { masks, units };
}

/** Returns 1 for each unit that stays, else 0; among units of equal norm, the last ones are pruned. */
function stayingUnits(norms: Float64Array, pruned: number): Uint8Array {
  const order = [...norms.keys()].sort((a, b) => at(norms, a, "unit") - at(norms, b, "unit") || b - a);
  const stays = new Uint8Array(norms.length).fill(1);
  for (const unit of order.slice(0, pruned)) stays[unit] = 0;
  return stays;
}

/**
 * Lists the sites of the weights that compute units or read them; biases and norms need no mask, as nothing
 * reads pruned units any more.
 */
function maskedSites({ writes, reads }: HiddenLayer): readonly UnitSite[] {
  return [...writes.filter(isWeightSite), ...reads];
}

function takeOut(
  { tensor, view, axis, units }: UnitSite,
  stays: Uint8Array,
  { network, masks }: { readonly network: Checkpoint; readonly masks: Map<string, Uint8Array> },
): void {
  const { shape } = entry(network.tensors, tensor, "tensor");
  const mask = masks.get(tensor) ?? new Uint8Array(sizeOf(shape)).fill(1);
  const position = positionIn(view, [axis]);
  for (let element = 0; element < mask.length; element++) {
    const unit = units[position(element)] as number;
    if (unit >= 0 && stays[unit] === 0) mask[element] = 0;
  }
  masks.set(tensor, mask);
}
