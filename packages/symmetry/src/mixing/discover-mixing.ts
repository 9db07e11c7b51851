import { type Architecture, type Graph, type Probe, type ProbeOptions, probeGraph } from "@isthmus/graph";
import { isMovable, unitOf } from "../linear/label-units.ts";
import { findOffsetWeights } from "../linear/offset-weights.ts";
import { findShifts } from "../shifts/find-shifts.ts";

import { factorCells } from "./factored-cells.ts";
import { findGates } from "./find-gates.ts";
import { findNorms } from "./find-norms.ts";
import { gateRules } from "./gate-rules.ts";
import type { KnownSymmetries, MixedLayout, MixingSpace, MixingSymmetries } from "./mixing-symmetries.ts";
import { normRules } from "./norm-rules.ts";
import { findRotaryPairs } from "./rotary/rotary-pairs.ts";
import { Streams } from "./streams.ts";

/**
 * Discovers which cells of units any matrix of a group may mix without changing what a graph computes.
 *
 * - invertible: queries against keys without rotary embedding, values against outputs, and all other cells
 *   that are linear on both sides
 * - orthogonal: the residual stream between root mean square norms, once their gains are moved into the
 *   weights that read them
 * - complex: pairs of queries and keys that a rotary embedding turns, by one number for each pair of keys
 * - orthogonal and keeping the vector of ones: the residual stream between layer norms, which take the mean
 *   away
 *
 * It also discovers logits that may all be shifted alike, as only their differences matter.
 *
 * A stream stays fixed if a gain cannot be moved: behind a norm on the stream itself (post-norm), or if the
 * head is the embedding (tied weights).
 *
 * @see Ashkboos et al., SliceGPT (2024), section 3; Theus, Cabodi et al., Generalized linear mode
 *   connectivity for transformers (2025). Here the graph is not changed: gains take the values that they have
 *   in the other network instead of 1.
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverMixing(
  { graph, engine }: Architecture,
  symmetries: KnownSymmetries,
  options: ProbeOptions = {},
): Promise<MixingSymmetries> {
  return deriveMixing(graph, await probeGraph({ graph, engine }, options), symmetries);
}

/** Derives the mixtures of {@link discoverMixing} for a graph that was probed before. */
export function deriveMixing(
  graph: Graph,
  probe: Probe,
  { permutations, linear }: KnownSymmetries,
): MixingSymmetries {
  const offsets = findOffsetWeights(graph, probe);
  const norms = findNorms(graph, probe, offsets);
  const gates = findGates(graph, probe, { norms, offsets });
  const rules = normRules(norms);
  const throughGates = gateRules(gates);
  const { weights } = permutations.labels;
  const walk = { graph, probe, weights, mayChange: isMovable(permutations) };
  const gains = new Set([...norms, ...gates].flatMap(({ gain }) => gain ?? []));
  // Outputs of grouped queries read the values of their group by units that follow the units of the values.
  const throughGroups = { ...walk, mayChange: (label: number) => unitOf(permutations, label) >= 0 };
  const invertible = factorCells("mixture", throughGroups, permutations);
  const overrides = new Map([...rules.overrides, ...throughGates.overrides]);
  const throughNorms = { ...walk, overrides, unchanged: gains };
  const orthogonal = factorCells("rotation", throughNorms, permutations);
  const visits = { norms: rules.visits, gates: throughGates.visits };
  const streams = new Streams(graph, { permutations, linear }, orthogonal, visits);
  const heads = permutations.spec.symmetries.flatMap(({ name, firstUnit, size, cells }) =>
    cells.flatMap((_, cell): MixingSpace[] => {
      const first = firstUnit + cell * size;
      const space = { symmetry: name, cell, firstUnit: first, size };
      return invertible.isFree(first, size) ? [{ ...space, group: "invertible" }] : [];
    }),
  );
  const layers = [
    { cells: invertible, spaces: heads },
    { cells: orthogonal, spaces: streams.spaces },
  ];
  const pairs = findRotaryPairs({ graph, probe }, permutations);
  return {
    spaces: [...heads, ...streams.spaces, ...pairs.spaces],
    weights: joinLayouts([...layers.map(({ cells, spaces }) => cells.layOutWeights(spaces)), pairs.weights]),
    values: joinLayouts([...layers.map(({ cells, spaces }) => cells.layOutValues(spaces)), pairs.values]),
    unpredictable: new Set([...norms.flatMap(({ square }) => square ?? []), ...pairs.unpredictable]),
    norms: streams.norms.map((norm) => ({ ...norm, space: norm.space + heads.length })),
    gains: streams.gains.map((gain) => ({ ...gain, space: gain.space + heads.length })),
    fixed: streams.fixed,
    shifts: findShifts(graph, probe),
  };
}

function joinLayouts(layouts: readonly ReadonlyMap<string, MixedLayout>[]): Map<string, MixedLayout> {
  const joined = new Map<string, MixedLayout>();
  for (const [name, layout] of layouts.flatMap((map) => [...map])) {
    const earlier = joined.get(name);
    joined.set(
      name,
      earlier === undefined ? layout : { view: earlier.view, fields: [...earlier.fields, ...layout.fields] },
    );
  }
  return joined;
}
