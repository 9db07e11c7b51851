import type { Graph } from "@isthmus/graph";

/** Error of one value: its distance from its prediction. */
export interface ValueError {
  /** Name of the value. */
  readonly value: string;
  /** Node that computes it. */
  readonly node: string;
  /** Largest difference relative to the value's largest element. */
  readonly error: number;
  /** Whether its permutation could be predicted; if not, the error is infinite. */
  readonly predictable: boolean;
}

/** A summary of the errors of all values. */
export interface ValueSummary {
  /** Whether all stable values are within their tolerances. */
  readonly passed: boolean;
  /** Largest error of any value. */
  readonly maxRelativeError: number;
  /** Largest error of an output of the graph. */
  readonly outputError: number;
  /** Values that were compared. */
  readonly tensors: number;
  /**
   * Values among them that prove nothing, since rounding alone changes them by more than their tolerance,
   * such as the mean of a normalised vector. They are counted only if not all values are within tolerance.
   */
  readonly unstable: number;
  /** Value of the largest error; undefined if no stable value was compared. */
  readonly worst: ValueError | undefined;
  /** First value, in the order of computation, beyond its tolerance. */
  readonly firstFailure: ValueError | undefined;
}

/** Largest errors that pass, relative to the largest element of a value. */
export interface Tolerances {
  /** Tolerance of outputs of the graph. */
  readonly outputTolerance: number;
  /** Tolerance of all other values. */
  readonly innerTolerance: number;
}

/**
 * Factor between an error and the change of a value by a small change of the weights, beyond which the error
 * is not rounding.
 */
const SENSITIVITY_FACTOR = 3;

/**
 * Judges the errors of all values of a graph.
 *
 * @param sensitivity - changes of values by rounding alone; values that it changes by more than their
 *   tolerance are left out
 */
export function summarizeErrors(
  graph: Graph,
  { outputTolerance, innerTolerance }: Tolerances,
  errors: readonly ValueError[],
  sensitivity: ReadonlyMap<string, number>,
): ValueSummary {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const limit = (value: string): number => (outputs.has(value) ? outputTolerance : innerTolerance);
  const stable = errors.filter(
    ({ value, predictable }) =>
      !predictable || SENSITIVITY_FACTOR * (sensitivity.get(value) ?? 0) <= limit(value),
  );
  const firstFailure = stable.find(({ value, error }) => !(error <= limit(value)));
  let worst: ValueError | undefined;
  let outputError = 0;
  for (const entry of stable) {
    if (worst === undefined || entry.error > worst.error) worst = entry;
    if (outputs.has(entry.value)) outputError = Math.max(outputError, entry.error);
  }
  return {
    passed: firstFailure === undefined,
    maxRelativeError: worst?.error ?? 0,
    outputError,
    tensors: errors.length,
    unstable: errors.length - stable.length,
    worst,
    firstFailure,
  };
}
