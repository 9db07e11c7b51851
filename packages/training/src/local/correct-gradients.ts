import { at } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, sub, sum, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { unusedName } from "../unused-name.ts";

/** Terms that are added to gradients. */
export interface GradientCorrections {
  /** Strength of a proximal term, which adds `mu (w - w_ref)`; missing without one. */
  readonly mu?: number | undefined;
  /** Whether a tensor that is the same in every step is added, as by control variates. */
  readonly corrected?: boolean | undefined;
}

/** A graph whose gradients are corrected, and the data inputs that it takes for that. */
export interface CorrectedGradients {
  /** Graph with the corrected gradients under the names of the plain ones. */
  readonly graph: Graph;
  /** Data inputs for the weights `w_ref`, by parameter; none without a proximal term. */
  readonly references: ReadonlyMap<string, string>;
  /** Data inputs for the tensors that are added, by parameter; empty if none are. */
  readonly corrections: ReadonlyMap<string, string>;
}

/**
 * Adds terms to the gradients of a graph, which keep their names: clipping and the optimiser, and
 * sharpness-aware minimisation at its perturbed weights, then use the gradients of a loss with these terms.
 * @param graph - as `gradient` makes it, with an output for the gradient by each parameter
 */
export function correctGradients(
  graph: Graph,
  { loss, parameters }: { readonly loss: string; readonly parameters: readonly string[] },
  { mu, corrected = false }: GradientCorrections,
): CorrectedGradients {
  const references = new Map<string, string>();
  const corrections = new Map<string, string>();
  if (mu === undefined && !corrected) return { graph, references, corrections };
  const builder = GraphBuilder.rewriting(graph);
  const like = ({ name, dtype, shape }: Value, what: string, names: Map<string, string>): Value => {
    const value = builder.input(unusedName(graph, `${what}(${name})`), { dtype, shape });
    names.set(name, value.name);
    return value;
  };
  const parameterOf = new Map(parameters.map((name) => [gradientName(loss, name), name]));
  for (const node of graph.nodes) {
    const parameterName = parameterOf.get(at(node.outputs, 0, "output of a node"));
    if (parameterName === undefined) {
      builder.adopt(node);
      continue;
    }
    const parameter = builder.value(parameterName);
    // Each gradient gets its name by a node that copies it.
    const terms = [builder.value(at(node.inputs, 0, "input of a copy"))];
    if (mu !== undefined) terms.push(mul(sub(parameter, like(parameter, "reference", references)), mu));
    if (corrected) terms.push(like(parameter, "correction", corrections));
    builder.adopt({ ...node, inputs: [sum(terms).name] });
  }
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  return { graph: builder.build(outputs), references, corrections };
}
