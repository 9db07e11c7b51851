import { DTYPES, formatShape, MismatchError, type TensorInfo } from "@isthmus/core";
import { findLogits, findNumbers, type Graph, type ValueInfo } from "@isthmus/graph";
import { GraphBuilder, type Value } from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";

/**
 * Returns the data input of a typed graph that takes the examples: the one called `name`, or the only one.
 * @throws MismatchError if there is no input of that name, or if no name is given and there is not exactly
 *   one input
 */
export function examplesInput(graph: Graph, name: string | undefined): ValueInfo & TensorInfo {
  const [first, ...others] = graph.inputs;
  const input = name === undefined ? first : graph.inputs.find((candidate) => candidate.name === name);
  if (input !== undefined && (name !== undefined || others.length === 0)) {
    return { ...input, ...typeOf(graph, input.name) };
  }
  const names = graph.inputs.map((candidate) => `"${candidate.name}"`).join(", ") || "none";
  const rule =
    name === undefined
      ? "it must have one data input, for the examples"
      : `"${name}" must be a data input, for the examples`;
  throw new MismatchError(
    `Cannot attach a loss to graph "${graph.name}" as ${rule}: it has ${names}; name the one for the examples, or make the loss an output of the graph and use that`,
    { parameters: [] },
  );
}

/** Returns element type and shape of a value. @throws MismatchError if the graph has no value of that name */
export function typeOf(graph: Graph, name: string): TensorInfo {
  const type = typesOf(graph).get(name);
  if (type !== undefined) return type;
  throw new MismatchError(
    `Cannot attach a loss to graph "${graph.name}" as it must have value "${name}": its outputs are ${listOutputs(graph)}`,
    { parameters: [] },
  );
}

/**
 * Returns the value a loss is computed from.
 * @throws MismatchError if there is no such value, or it is not floating-point
 */
export function outputOf(graph: Graph, builder: GraphBuilder, name: string): Value {
  const { dtype, shape } = typeOf(graph, name);
  if (DTYPES[dtype].float) return builder.value(name);
  throw new MismatchError(
    `Cannot attach a loss to graph "${graph.name}" as "${name}" must be floating-point: it is ${dtype} ${formatShape(shape)}`,
    { parameters: [] },
  );
}

/** Logits of a typed graph, and the graph that computes them, to which a loss can be added. */
export interface AttachedLogits {
  /** Graph with the logits among its values; without the softmax that followed them, if one did. */
  readonly graph: Graph;
  /** Builder of the graph, to which a loss can be added. */
  readonly builder: GraphBuilder;
  /** Logits as a value of the builder. */
  readonly logits: Value;
}

/**
 * Finds the logits of a typed graph as the evaluation of networks does: the value called `name`, or the
 * output that is scored, or, if a softmax computes it, the input of the softmax.
 * @param classAxis - axis of the logits that holds the classes, -1 for the last
 * @throws MismatchError if there is no such value, or it is not floating-point
 * @throws InputError if the cross-entropy of classes cannot be computed from it
 */
export function openLogits(typed: Graph, name: string | undefined, classAxis = -1): AttachedLogits {
  if (name !== undefined) typeOf(typed, name);
  const named = name === undefined ? typed : { ...typed, scored: name };
  const { graph, logits } = findLogits("attach a loss", named, { classAxis });
  const builder = GraphBuilder.from(graph);
  return { graph, builder, logits: outputOf(graph, builder, logits) };
}

/**
 * Finds the output of a typed graph that is scored, which holds numbers.
 * @throws MismatchError if it is not floating-point
 */
export function openNumbers(typed: Graph): AttachedLogits {
  const { graph, logits } = findNumbers("attach a loss", typed, { loss: "mean-squared-error" });
  const builder = GraphBuilder.from(graph);
  return { graph, builder, logits: outputOf(graph, builder, logits) };
}

/**
 * Checks the shape of logits.
 * @throws MismatchError if it does not follow the rule, or there are no classes
 */
export function assertLogits(
  graph: Graph,
  logits: Value,
  {
    rank,
    leading,
    rule,
  }: { readonly rank: number; readonly leading: readonly number[]; readonly rule: string },
): void {
  const fits = logits.shape.length === rank && leading.every((extent, axis) => logits.shape[axis] === extent);
  if (fits && (logits.shape.at(-1) ?? 0) > 0) return;
  throw new MismatchError(
    `Cannot attach a loss to graph "${graph.name}" as logits must be ${rule}: "${logits.name}" is ${formatShape(logits.shape)}`,
    { parameters: [] },
  );
}

function listOutputs(graph: Graph): string {
  return graph.outputs.map(({ name }) => `"${name}"`).join(", ") || "none";
}
