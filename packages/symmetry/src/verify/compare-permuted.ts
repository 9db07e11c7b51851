import type { Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Alignment } from "../alignment.ts";
import type { Symmetries } from "../derive-spec.ts";
import { compareInPlace, compareMoved, compareSorted } from "./compare-values.ts";
import { predictImage } from "./predict-image.ts";
import { predictMovement } from "./predict-value.ts";
import type { ValueError } from "./summarize-errors.ts";

/** Verdict on a value that no permutation predicts. */
const UNPREDICTABLE = "unpredictable";

/** Compares a value before and after; returns undefined for values that are constants of the graph. */
export type Comparison = (
  value: string,
  before: Tensor,
  after: Tensor,
) => number | typeof UNPREDICTABLE | undefined;

/** Makes the error of a value of the verdict of its comparison. */
export function errorOf(
  { value, node }: Pick<ValueError, "value" | "node">,
  verdict: number | typeof UNPREDICTABLE,
): ValueError {
  if (verdict !== UNPREDICTABLE) return { value, node, error: verdict, predictable: true };
  return { value, node, error: Number.POSITIVE_INFINITY, predictable: false };
}

/**
 * Creates a comparison of values before and after an alignment: each at the places that the permutations of
 * the graph predict; without these, the values inside are compared up to their order.
 * @param alignment - undefined if units stay in place, so that every value is compared place by place
 */
export function createComparison(
  graph: Graph,
  permutations: Symmetries | undefined,
  alignment: Alignment | undefined,
): Comparison {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  if (permutations === undefined) {
    return (value, before, after) =>
      outputs.has(value) ? compareInPlace(before, after) : compareSorted(before, after);
  }
  const image = alignment && predictImage(permutations, alignment);
  return (value, before, after) => {
    if (outputs.has(value)) return compareInPlace(before, after);
    const labelled = permutations.labels.values.get(value);
    if (labelled === undefined) return undefined;
    if (image === undefined) return compareInPlace(before, after);
    const movement = predictMovement(labelled, image);
    return movement === undefined ? UNPREDICTABLE : compareMoved(before, after, movement);
  };
}
