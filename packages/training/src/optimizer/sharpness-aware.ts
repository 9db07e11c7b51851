import type { Graph } from "@isthmus/graph";
import { add, cast, div, mul, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { globalNorm } from "./global-norm.ts";

/** Added to the norm before it divides, as the authors do. */
const NORM_EPSILON = 1e-12;

/**
 * Gradients at `w + rho g / |g|`, the norm taken over all parameters together: the gradient graph once more as a function of
 * other weights. Only gradients are taken from the second pass; statistics of norms are those of the first.
 *
 * @param graph - typed, with an output for the gradient of each parameter; its values are those of the gradients' builder
 * @param loss - what the gradients are of
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
    const slope = gradients[i] ?? first;
    return [parameter.name, add(parameter, mul(slope, cast(scale, slope.dtype)))];
  });
  const values = builder.inline(graph, new Map(moved));
  return parameters.map(({ name }) => values.get(gradientName(loss, name)) ?? first);
}
