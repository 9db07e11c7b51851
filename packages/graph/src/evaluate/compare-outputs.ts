import { asFloat32, type Tensor } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";

/** Difference of the outputs of two runs. */
export interface OutputDifference {
  /** Largest difference of two corresponding numbers; infinite if an output is missing or not a number. */
  readonly absolute: number;
  /** Largest difference relative to the largest number of the first run's output. */
  readonly relative: number;
}

/**
 * Compares the outputs of two runs of a graph, output by output.
 *
 * @param before - outputs of the first run, by name
 * @param after - outputs of the second run
 */
export function compareOutputs(
  { outputs }: Pick<Graph, "outputs">,
  before: ReadonlyMap<string, Tensor>,
  after: ReadonlyMap<string, Tensor>,
): OutputDifference {
  const differences = outputs.map(({ name }) => differ(before.get(name), after.get(name)));
  return {
    absolute: Math.max(0, ...differences.map(({ absolute }) => absolute)),
    relative: Math.max(0, ...differences.map(({ relative }) => relative)),
  };
}

/** Difference of outputs that are missing, have different sizes or are not numbers. */
const INCOMPARABLE: OutputDifference = {
  absolute: Number.POSITIVE_INFINITY,
  relative: Number.POSITIVE_INFINITY,
};

function differ(before: Tensor | undefined, after: Tensor | undefined): OutputDifference {
  if (before === undefined || after === undefined) return INCOMPARABLE;
  const one = asFloat32(before.data, before.dtype);
  const two = asFloat32(after.data, after.dtype);
  if (one.length !== two.length) return INCOMPARABLE;
  let largest = 0;
  let absolute = 0;
  for (let i = 0; i < one.length; i++) {
    const x = one[i] as number;
    const apart = Math.abs(x - (two[i] as number));
    // NaN counts as a difference, too.
    if (!(apart <= absolute)) absolute = apart;
    largest = Math.max(largest, Math.abs(x));
  }
  if (absolute === 0) return { absolute, relative: 0 };
  const relative = absolute / largest;
  return Number.isFinite(relative) ? { absolute, relative } : INCOMPARABLE;
}
