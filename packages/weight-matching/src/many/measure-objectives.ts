import { at, type Checkpoint } from "@isthmus/core";
import { type Alignment, identityAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import { pairsObjective } from "./pairs-objective.ts";

/** Objectives that measure how close networks lie to each other, before and after they were aligned. */
export interface MatchedObjectives {
  /** Inner product of the parameters that can move, not scaled by norms. */
  readonly objective: { readonly before: number; readonly after: number };
  /** The objective of the weights as they were matched: as batch norms scale them if a graph was given. */
  readonly scaledObjective: { readonly before: number; readonly after: number };
}

/**
 * Networks with unscaled parameters, and with the parameters that were matched, which differ if norms scale
 * them.
 */
export interface ObjectiveNetworks {
  /** Networks with their parameters as stored. */
  readonly raw: readonly Checkpoint[];
  /** Networks with the parameters that were matched; the same array as `raw` if no norm scales them. */
  readonly scaled: readonly Checkpoint[];
}

/**
 * Measures how close networks lie to each other before and after alignment: the sums over all pairs of the
 * inner products of their weights.
 *
 * @param universe - for each, the alignment that permutes it into the universe
 */
export async function measureObjectives(
  { raw, scaled }: ObjectiveNetworks,
  universe: readonly Alignment[],
  spec: SymmetrySpec,
): Promise<MatchedObjectives> {
  const still = universe.map(() => identityAlignment(spec));
  const scaledObjective = {
    before: await pairsObjective(scaled, still, spec),
    after: await pairsObjective(scaled, universe, spec),
  };
  if (raw === scaled) return { objective: scaledObjective, scaledObjective };
  const objective = {
    before: await pairsObjective(raw, still, spec),
    after: await pairsObjective(raw, universe, spec),
  };
  return { objective, scaledObjective };
}

/**
 * Measures how close each network lies to one of them, the reference, before and after alignment.
 *
 * @param universe - for each, the alignment that permutes it into the coordinates of the reference
 * @returns for each network, the reference included
 */
export async function measureToReference(
  { raw, scaled }: ObjectiveNetworks,
  { universe, reference }: { readonly universe: readonly Alignment[]; readonly reference: number },
  spec: SymmetrySpec,
): Promise<MatchedObjectives[]> {
  const measured: MatchedObjectives[] = [];
  const pairOf = <T>(all: readonly T[], i: number) => [
    at(all, reference, "reference"),
    at(all, i, "network"),
  ];
  for (const i of universe.keys()) {
    const pair = pairOf(scaled, i);
    const networks = { raw: raw === scaled ? pair : pairOf(raw, i), scaled: pair };
    measured.push(await measureObjectives(networks, pairOf(universe, i), spec));
  }
  return measured;
}
