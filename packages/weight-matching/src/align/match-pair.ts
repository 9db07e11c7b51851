import type { Checkpoint } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { type LinearKind, permute } from "@isthmus/symmetry";
import { type MatchOptions, type MatchResult, match } from "../match.ts";
import { matchNormalized } from "../normalize/match-normalized.ts";
import type { AlignedNetwork, AlignmentSummary, Normalization } from "./aligned-network.ts";
import type { Normalizing, ProvenGroup } from "./prove-alignment.ts";

/** A matched network, not yet proved. */
type MatchedNetwork = Pick<AlignedNetwork, "alignment" | "match" | "network"> & {
  readonly summary: Omit<AlignmentSummary, "verified">;
};

/** Matches network `b` to network `a`, and undoes scales, signs and rotations where that is asked for. */
export async function matchPair(
  { graph, engine }: Architecture,
  { symmetries, normalizing }: ProvenGroup,
  [a, b]: readonly [Checkpoint, Checkpoint],
  options: MatchOptions,
): Promise<MatchedNetwork> {
  const matchBy = (pair: readonly [Checkpoint, Checkpoint], method = options) =>
    match({ graph, engine, symmetries }, pair, method);
  if (normalizing === undefined) {
    const result = await matchBy([a, b]);
    const network = permute(result.alignment, b, symmetries.spec);
    return { alignment: result.alignment, match: result, network, summary: summarize(result) };
  }
  const { kinds, linear } = normalizing;
  const {
    found: result,
    network,
    distance,
  } = await matchNormalized([a, b], { spec: symmetries.spec, linear }, kinds, (pair) =>
    matchBy(pair, withRotations(options, normalizing)),
  );
  const normalized = { ...countForms(normalizing), distance };
  return {
    alignment: result.alignment,
    match: result,
    network,
    summary: { ...summarize(result), normalized },
  };
}

/** Gradients can lead rotations as they do permutations; the other methods leave them to Procrustes. */
function withRotations(options: MatchOptions, { kinds, linear }: Normalizing): MatchOptions {
  return options.method === "straight-through" && kinds.includes("rotation")
    ? { ...options, rotations: linear.rotations }
    : options;
}

function countForms({ kinds, linear }: Normalizing): Omit<Normalization, "distance"> {
  const count = (kind: LinearKind, number: number) => (kinds.includes(kind) ? number : 0);
  return {
    kinds,
    scales: count("scale", linear.scales.variables),
    signs: count("sign", linear.signs.variables),
    rotations: count("rotation", linear.rotations.length),
  };
}

/** Leaves out permutations and rotations; of searches only their number stays. */
function summarize(result: MatchResult): Omit<AlignmentSummary, "normalized" | "verified"> {
  const { alignment: _, ...rest } = result;
  if (rest.method === "straight-through") {
    const { rotations: _rotations, ...summary } = rest;
    return summary;
  }
  if (rest.method !== "weight") return rest;
  const { restarts, ...summary } = rest;
  return Object.assign(summary, { restarts: restarts.length });
}
