import { at, type Checkpoint, InputError, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { average } from "@isthmus/interpolation";

/** Returns the score of a network, which is computed when it is read; larger scores are better. */
export type Evaluate = (network: Checkpoint) => Promise<number> | number;

/** Options of {@link greedySoup}. */
export interface GreedySoupOptions {
  /** Signal that stops the work between two evaluations. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each evaluation. @defaultValue not called */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link greedySoup}. */
const GREEDY_SOUP_DEFAULTS: Required<GreedySoupOptions> = { signal: undefined, onProgress: undefined };

/** One attempt to add a network to a soup. */
export interface SoupStep {
  /** Position of the network. */
  readonly network: number;
  /** Score of the soup with this network. */
  readonly score: number;
  /** Whether the network was added, as the score did not fall. */
  readonly isAdded: boolean;
}

/** Result of {@link greedySoup}. */
export interface GreedySoupResult {
  /** Unweighted average of the members, computed when it is read. */
  readonly soup: Checkpoint;
  /** Positions of the networks in the soup, in the order in which they were added. */
  readonly members: readonly number[];
  /** Score of the soup. */
  readonly score: number;
  /** Score of each network alone. */
  readonly scores: readonly number[];
  /** All attempts, from the second best network on. */
  readonly steps: readonly SoupStep[];
}

/**
 * Averages networks greedily: in the order of their scores, each network is added if the average with it
 * scores no worse (Wortsman et al., Model soups, 2022, recipe 1).
 *
 * @param networks - at least one network, all of one structure
 * @param evaluate - judges a network on data that are not used for the final test; a larger score is better
 * @throws OutOfRangeError if there are no networks
 * @throws InputError if a score is not a number
 * @throws MismatchError if names or shapes differ
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { greedySoup } from "@isthmus/merging";
 *
 * const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
 * const networks = [1, 9, 3].map((x) => createCheckpoint({ w: tensor(x) }));
 * const { members } = await greedySoup(networks, async (network) => {
 *   const { data } = await network.read("w");
 *   return -Math.abs(Number(data[0]) - 2); // the nearer to 2 the better
 * });
 * assert.deepEqual(members, [0, 2]);
 * ```
 */
export async function greedySoup(
  networks: readonly Checkpoint[],
  evaluate: Evaluate,
  options: GreedySoupOptions = {},
): Promise<GreedySoupResult> {
  const { signal, onProgress } = resolveOptions("make a soup", GREEDY_SOUP_DEFAULTS, options);
  if (networks.length === 0) throw new OutOfRangeError("Cannot make a soup as it needs a network: got none");
  const evaluations = 2 * networks.length - 1;
  let count = 0;
  const judge = async (network: Checkpoint): Promise<number> => {
    signal?.throwIfAborted();
    const score = await evaluate(network);
    if (Number.isNaN(score)) throw notANumber(network);
    count++;
    onProgress?.({ done: count / evaluations });
    return score;
  };
  const scores: number[] = [];
  for (const network of networks) scores.push(await judge(network));
  const [best, ...others] = orderOf(scores);
  let members = [best];
  let score = at(scores, best);
  const steps: SoupStep[] = [];
  for (const network of others) {
    const larger = [...members, network];
    const attempt = await judge(average(larger.map((i) => at(networks, i))));
    const isAdded = attempt >= score;
    steps.push({ network, score: attempt, isAdded });
    if (isAdded) [members, score] = [larger, attempt];
  }
  return { soup: average(members.map((i) => at(networks, i))), members, score, scores, steps };
}

/** Returns positions from the largest to the smallest score; equal scores stay in their order. */
function orderOf(scores: readonly number[]): [number, ...number[]] {
  const [best = 0, ...others] = scores.map((_, i) => i).sort((i, j) => at(scores, j) - at(scores, i));
  return [best, ...others];
}

function notANumber({ source }: Checkpoint): InputError {
  return new InputError(
    `Cannot make a soup of "${source}" as its score must be a number: the evaluation gave NaN`,
    { input: source },
  );
}
