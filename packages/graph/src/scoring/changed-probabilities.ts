import type { Graph, Node } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import { constantOf, type Producers, producersOf } from "./producers.ts";

/** Operators that change probabilities without turning them into logits, unlike a logarithm. */
const CHANGES: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Div", "Neg", "Abs", "Pow", "Sqrt", "Clip", "Min", "Max", "Mean", "Sum", "Where"],
  ...["ReduceSum", "ReduceMean", "ReduceMax", "Concat", "Stack", "Slice", "Gather", "Expand", "Tile"],
  ...["Identity", "Cast", "CastLike", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"],
]);
/** Operators that compute probabilities. */
const PROBABILITIES: ReadonlySet<string> = new Set(["Softmax", "Sigmoid"]);

/** A node that computes probabilities, from which an output is computed by arithmetic alone. */
export interface ChangedProbabilities {
  /** Node that computes the probabilities. */
  readonly source: Node;
  /** Operator of the node that computes the output from them. */
  readonly by: string;
}

/**
 * Finds the probabilities from which an output is computed by arithmetic alone, such as a clamp, a mask or a
 * mean: the cross-entropy of softmax is meaningless for such an output. Gates multiply other values by
 * probabilities, and attention sums them, so that only an output of probabilities and constants alone counts.
 * @returns undefined if the output depends on other values, too
 */
export function findChangedProbabilities(graph: Graph, output: string): ChangedProbabilities | undefined {
  const producers = producersOf(graph);
  const last = producers.get(output);
  if (last === undefined || PROBABILITIES.has(last.op)) return undefined;
  const source = createTrace(graph, producers)(output);
  return source === undefined || source === "constant" ? undefined : { source, by: last.op };
}

/**
 * Node that computes the probabilities in a value, or `constant` for a constant value; undefined for other
 * values.
 */
type Origin = Node | "constant" | undefined;

/** Makes the function that finds the origin of the numbers of a value. */
function createTrace(graph: Graph, producers: Producers): (name: string) => Origin {
  const origins = new Map<string, Origin>();
  const ofNode = (node: Node): Origin => {
    if (node.domain !== "") return undefined;
    if (PROBABILITIES.has(node.op)) return node;
    if (!CHANGES.has(node.op)) return undefined;
    const operands = operandsOf(node).map(trace);
    if (operands.includes(undefined)) return undefined;
    return operands.find((origin) => origin !== "constant") ?? "constant";
  };
  const trace = (name: string): Origin => {
    if (origins.has(name)) return origins.get(name);
    const node = producers.get(name);
    const isConstant = constantOf(name, graph, producers) !== undefined;
    const origin = isConstant ? "constant" : node && ofNode(node);
    origins.set(name, origin);
    return origin;
  };
  return trace;
}

/** Lists the values that a node computes with, without shapes and axes. */
function operandsOf(node: Node): string[] {
  const withShape = [
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Expand",
    "Tile",
    "Slice",
    "Gather",
    "Clip",
    "Dropout",
  ];
  const isFirstAlone = withShape.includes(node.op) || node.op.startsWith("Reduce");
  const inputs = isFirstAlone ? [inputName(node, 0)] : node.inputs;
  return inputs.filter((name) => name !== "");
}
