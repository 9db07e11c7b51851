import type { Checkpoint } from "@isthmus/core";
import { type Alignment, compose, identityAlignment } from "@isthmus/symmetry";
import { matchWeights } from "../../match-weights.ts";
import { permuteFramed, toCheckpoint } from "../permute-framed.ts";
import type { FramedPair } from "../stream-frame.ts";
import { settledSymmetries } from "./head-families.ts";
import { findSignedUnits, matchSignedUnits, type SignedMatch } from "./match-signed-units.ts";

/** Options of {@link matchUnits}. */
export interface MatchUnitsOptions {
  /** Seed of the weight matching of units whose signs are not free. */
  readonly seed: number;
  /** Signal that stops the matching. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Matches by weights the symmetries that are neither mixed nor carry mixed cells, such as the hidden units of
 * an MLP; with their signs, if these are free.
 *
 * @param pair - B with its streams turned to A's
 */
export async function matchUnits(pair: FramedPair, options: MatchUnitsOptions): Promise<SignedMatch> {
  const { architecture, frame, a } = pair;
  const { spec } = architecture.symmetries;
  const signed = findSignedUnits(spec, frame.units.signs);
  const settled = settledSymmetries(spec, frame);
  for (const { symmetry } of signed) settled.add(symmetry.name);
  const permuted = await matchOthers(pair, settled, options);
  const b = await permuteFramed(architecture, permuted, pair.b);
  const match = matchSignedUnits(spec, signed, [a, b], frame.units.signs.variables);
  return { alignment: compose(match.alignment, permuted), signs: match.signs };
}

/** Matches the symmetries that are not settled, by permutations. */
async function matchOthers(
  { architecture, a, b }: FramedPair,
  settled: ReadonlySet<string>,
  { seed, signal }: MatchUnitsOptions,
): Promise<Alignment> {
  const { graph, engine, symmetries } = architecture;
  const { spec } = symmetries;
  // Pairs of rotary embeddings are named after weights, which matching knows nothing of.
  const skip = spec.symmetries.flatMap(({ name }) => (settled.has(name) ? [name] : []));
  if (skip.length === spec.symmetries.length) return identityAlignment(spec);
  const isWhole = skip.length === 0;
  const pair = [a, b].map((network) => toCheckpoint(graph, network, "f32"));
  const start = isWhole ? {} : { start: identityAlignment(spec), skip };
  const { alignment } = await matchWeights({ spec, graph, engine }, pair as [Checkpoint, Checkpoint], {
    seed,
    restarts: isWhole ? RESTARTS : 1,
    signal,
    ...(isWhole ? {} : { search: "coordinate-descent" as const }),
    ...start,
  });
  return alignment;
}

/** Number of searches if no space is mixed, so that all rests on permutations. */
const RESTARTS = 8;
