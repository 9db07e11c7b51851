import { at, type Checkpoint, entry } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import type { Alignment, SymmetrySpec } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import type { Handling } from "../protocol.ts";
import type { AlignedPair, Pair } from "./story-requests.ts";
import { FIRST_LAYER, firstLayerOf } from "./units.ts";

/** B with its units in the order of A, and what the page is told. */
export interface AlignedNetworks {
  readonly b: Checkpoint;
  readonly seed: number;
  readonly told: AlignedPair;
}

/** Matches the units of B to those of A by their weights, and proves that B computes what it did. */
export async function alignPair(
  architecture: Architecture,
  pair: Pair<Checkpoint>,
  seed: number,
  { signal, report }: Handling<{ readonly done: number }>,
): Promise<AlignedNetworks> {
  const began = performance.now();
  const { aligned, symmetries } = await align(architecture, pair, {
    method: "weight",
    seed,
    signal,
    onProgress: ({ done }) => report({ done }),
  });
  const { network, alignment, summary } = at(aligned, 0, "aligned network");
  const told = {
    order: orderOfFirstLayer(symmetries.spec, alignment),
    units: await firstLayerOf(network),
    difference: summary.verified.maxRelativeError,
    seconds: (performance.now() - began) / 1000,
  };
  return { b: network, seed, told };
}

/** Returns which unit of the first layer takes each place. */
function orderOfFirstLayer({ weights }: SymmetrySpec, { source }: Alignment): Int32Array {
  const { units } = at(entry(weights, FIRST_LAYER, "weight").fields, 0, "axis");
  const first = at(units, 0, "unit");
  return units.map((unit) => at(source, unit, "unit") - first);
}
