import type { Checkpoint, Tensor } from "@isthmus/core";
import { bindWeights, type Graph, randomWeights } from "@isthmus/graph";

/** Options of every proof of symmetries by random inputs. */
export interface TrialOptions {
  /** Seed of the inputs, of the transformations, and of the weights if `weights` is left out. */
  readonly seed: number;
  /** Weights to verify with. @defaultValue random ones */
  readonly weights?: Checkpoint | undefined;
  /** Aborts the proof. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the weights of a proof: the given ones, or random ones.
 * @throws MismatchError if given weights do not fit the graph
 */
export async function trialWeights(
  graph: Graph,
  { weights, seed }: Pick<TrialOptions, "weights" | "seed">,
): Promise<ReadonlyMap<string, Tensor>> {
  return weights === undefined ? randomWeights(graph, seed) : bindWeights(graph, weights);
}

/** Options of a proof of symmetries that compares outputs and intermediate values. */
export interface ValueTrialOptions extends TrialOptions {
  /** Largest error of an output, relative to its largest element. @defaultValue 1e-4 */
  readonly outputTolerance?: number;
  /** Largest error of an intermediate value, relative to its largest element. @defaultValue 1e-3 */
  readonly innerTolerance?: number;
}

/** Defaults of {@link ValueTrialOptions}; the seed has none. */
export const VALUE_TRIAL_DEFAULTS: Required<Omit<ValueTrialOptions, "seed">> = {
  weights: undefined,
  outputTolerance: 1e-4,
  innerTolerance: 1e-3,
  signal: undefined,
};
