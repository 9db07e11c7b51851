import { at, entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { add, cast, div, mul, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { globalNorm } from "./global-norm.ts";

/** Number added to the norm before it divides, as the authors do. */
const NORM_EPSILON = 1e-12;

/**
 * Computes gradients at `w + rho g / |g|`, the norm being taken over all parameters together, by repeating
 * the gradient graph with these other weights. Only gradients are taken from the second pass; running
 * statistics of norms come from the first.
 *
 * @param graph - typed, with an output for the gradient of each parameter; the builder of the gradients has
 *   all its values
 * @param loss - name of the value that is differentiated
 */
export function sharpnessAwareGradients(
  graph: Graph,
  { loss, rho }: { readonly loss: string; readonly rho: number },
  { parameters, gradients }: { readonly parameters: readonly Value[]; readonly gradients: readonly Value[] },
): Value[] {
  const [first] = gradients;
  if (first === undefined) return [];
  const { builder } = first;
  const scale = div(builder.scalar(rho), add(globalNorm(gradients), NORM_EPSILON));
  const moved = parameters.map((parameter, i): [string, Value] => {
    const slope = at(gradients, i, "gradient");
    return [parameter.name, add(parameter, mul(slope, cast(scale, slope.dtype)))];
  });
  const values = builder.inline(graph, new Map(moved));
  return parameters.map(({ name }) => entry(values, gradientName(loss, name), "gradient"));
}
