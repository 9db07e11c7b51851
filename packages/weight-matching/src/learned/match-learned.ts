import { at, type Checkpoint } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { MatchLearnedOptions } from "./match-learned-options.ts";
import { type LearnedMove, matchManyLearned, type SharedLearning } from "./match-many-learned.ts";

/** Result of {@link matchLearned}: how B is moved, and what was measured on the way. */
export type MatchLearnedResult = LearnedMove & SharedLearning;

/**
 * Finds the element of the whole symmetry group of a network, rotations of residual streams and invertible
 * maps of heads included, for which the network half-way between A and B has the least loss.
 *
 * Three stages: a closed form by activations and weights, descent by weights, and learning by gradients of
 * the loss half-way against the mean prediction of both ends, for which no labels are needed. Permutations
 * are fixed after the second, unless `units` says otherwise. To move A as well could reach nothing else: the
 * group acts linearly on weights, so a path from `gA` to `hB` is the path from `A` to `g^-1 h B`, moved by
 * `g`; `ends` lets both learn.
 *
 * @see Theus, Cabodi et al., Generalized linear mode connectivity for transformers (2025), who learn the same
 *   group in a rewritten architecture; here the graph, and A, are not changed
 * @throws MismatchError if a checkpoint does not fit the graph, or the graph gives no logits
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchLearned(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MatchLearnedOptions,
): Promise<MatchLearnedResult> {
  const { others, ...shared } = await matchManyLearned(architecture, networks, data, options);
  return { ...at(others, 0, "network"), ...shared };
}
