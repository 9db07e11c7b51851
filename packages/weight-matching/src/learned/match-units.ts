import type { Checkpoint } from "@isthmus/core";
import { type Alignment, identityAlignment } from "@isthmus/symmetry";
import { matchWeights } from "../match-weights.ts";
import { findHeads } from "./match-heads.ts";
import { toCheckpoint } from "./permute-framed.ts";
import type { FramedPair } from "./stream-frame.ts";

/** Options of {@link matchUnits}. */
export interface MatchUnitsOptions {
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Matches by weights what is neither mixed nor carries what is mixed, such as the hidden units of an MLP.
 *
 * @param pair - B with its streams turned to A's
 */
export async function matchUnits(
  { architecture, frame, a, b }: FramedPair,
  { seed, signal }: MatchUnitsOptions,
): Promise<Alignment> {
  const { graph, engine } = architecture;
  const { spec } = architecture.symmetries;
  const settled = new Set(frame.symmetries.mixing.spaces.map(({ symmetry }) => symmetry));
  for (const { heads, inner } of findHeads(spec, frame)) {
    for (const { name } of [heads, ...inner]) settled.add(name);
  }
  if (spec.symmetries.every(({ name }) => settled.has(name))) return identityAlignment(spec);
  const pair = [a, b].map((network) => toCheckpoint(graph, network, "f32"));
  const start = settled.size === 0 ? {} : { start: identityAlignment(spec), skip: [...settled] };
  const { alignment } = await matchWeights({ spec, graph, engine }, pair as [Checkpoint, Checkpoint], {
    ...{ seed, restarts: settled.size === 0 ? RESTARTS : 1, signal },
    ...(settled.size === 0 ? {} : { search: "coordinate-descent" as const }),
    ...start,
  });
  return alignment;
}

/** Searches where no space is mixed, so that all rests on permutations. */
const RESTARTS = 8;
