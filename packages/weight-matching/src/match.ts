import type { Checkpoint } from "@isthmus/core";
import { assertNetwork, type DataSet } from "@isthmus/graph";
import { type Alignment, type SymmetricArchitecture, wholeSpec } from "@isthmus/symmetry";
import {
  type MatchActivationsOptions,
  type MatchActivationsResult,
  matchActivations,
} from "./activation-matching/match-activations.ts";
import { type MatchLearnedResult, matchLearned } from "./learned/match-learned.ts";
import type { MatchLearnedOptions } from "./learned/match-learned-options.ts";
import { type MatchWeightsOptions, type MatchWeightsResult, matchWeights } from "./match-weights.ts";
import {
  type MatchStraightThroughOptions,
  type MatchStraightThroughResult,
  matchStraightThrough,
} from "./straight-through/match-straight-through.ts";

/** Names of all methods of {@link match}. */
export const MATCH_METHODS = ["weight", "activation", "straight-through", "learned"] as const;

/** A method that finds an alignment. */
export type MatchMethod = (typeof MATCH_METHODS)[number];

/** Options that all methods have. */
interface SharedOptions {
  /** Seed of all random choices; matching activations makes none. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

type Own<T> = Omit<T, "seed" | "signal" | "onProgress" | "graph" | "engine">;

/** Method to match by, with its options. */
export type MatchOptions = SharedOptions &
  (
    | ({ /** Name of the method. */ readonly method: "weight" } & Own<MatchWeightsOptions>)
    | ({ readonly method: "activation"; readonly data: DataSet } & Own<MatchActivationsOptions>)
    | ({ readonly method: "straight-through"; readonly data: DataSet } & Own<MatchStraightThroughOptions>)
    | ({ readonly method: "learned"; readonly data: DataSet } & Own<MatchLearnedOptions>)
  );

/** Result that all methods share. */
interface SharedResult {
  /**
   * Alignment that permutes B so that it corresponds to A; it never changes what B computes. A learned match
   * mixes units afterwards.
   */
  readonly alignment: Alignment;
  /** Number that the method maximises: for B before it is permuted, and after. */
  readonly objective: { readonly before: number; readonly after: number };
  readonly seed: number;
}

/** Result of {@link match}, with the details of the method. */
export type MatchResult = SharedResult &
  (
    | ({ /** Name of the method. */ readonly method: "weight" } & MatchWeightsResult)
    | ({ /** Name of the method. */ readonly method: "activation" } & MatchActivationsResult)
    | ({ /** Name of the method. */ readonly method: "straight-through" } & MatchStraightThroughResult)
    | ({ /** Name of the method. */ readonly method: "learned" } & MatchLearnedResult)
  );

/**
 * Finds the element of the symmetry group that brings network B closest to network A, by one of the
 * methods: closest in
 * weights ({@link matchWeights}), in behaviour ({@link matchActivations}), or so that the network half-way
 * has the least loss
 * ({@link matchStraightThrough} by permutations, {@link matchLearned} by the whole group).
 *
 * @throws MismatchError if the checkpoints do not fit each other or the graph
 * @throws InputError if weights, data or activations cannot be used
 * @throws OutOfRangeError if an option is out of range
 */
export async function match(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  options: MatchOptions,
): Promise<MatchResult> {
  const { seed } = options;
  for (const network of networks) assertNetwork(architecture.graph, network);
  if (options.method === "activation") {
    const { method, data, seed: _, ...rest } = options;
    return {
      method,
      seed,
      ...(await matchActivations(architecture, networks, data, rest)),
    };
  }
  if (options.method === "straight-through") {
    const { method, data, ...rest } = options;
    return {
      method,
      ...(await matchStraightThrough(architecture, networks, data, rest)),
    };
  }
  if (options.method === "learned") {
    const { method, data, ...rest } = options;
    return { method, ...(await matchLearned(architecture, networks, data, rest)) };
  }
  const { method, ...rest } = options;
  const { graph, engine, symmetries } = architecture;
  const result = await matchWeights({ spec: wholeSpec(symmetries), graph, engine }, networks, rest);
  return { method, ...result };
}
