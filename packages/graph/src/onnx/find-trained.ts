import { DTYPES, sizeOf, type Tensor } from "@isthmus/core";
import type { Node } from "../ir/graph.ts";
import { findTables } from "./find-tables.ts";

/**
 * Finds the tensors of a file that are weights, by name; all others belong to the architecture.
 *
 * Floating-point tensors of several elements are weights, except the regions and scales that a `Resize`
 * reads, and tables, which are recognised by their contents. Most tensors of one element are scales and
 * epsilons: they are weights only if they are a trained operand of an operator, such as the bias of a layer
 * with one output or the slope of a `PRelu`.
 */
export function findTrained(
  tensors: ReadonlyMap<string, Tensor>,
  nodes: readonly Node[],
): ReadonlySet<string> {
  const factors = new Set(
    nodes.flatMap(({ op, inputs }) => (op === "Resize" || op === "Upsample" ? inputs.slice(1) : [])),
  );
  const single = trainedOperands(nodes);
  const tables = findTables(tensors);
  const isTrained = ([name, { dtype, shape }]: readonly [string, Tensor]): boolean =>
    DTYPES[dtype].float &&
    !factors.has(name) &&
    !tables.has(name) &&
    (sizeOf(shape) > 1 || (sizeOf(shape) === 1 && single.has(name)));
  return new Set([...tensors].filter(isTrained).map(([name]) => name));
}

/** Indices of inputs of operators that are trained, or are statistics of batch norms. */
const TRAINED_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ["MatMul", [0, 1]],
  ["Gemm", [0, 1, 2]],
  ["Conv", [1, 2]],
  ["ConvTranspose", [1, 2]],
  ["BatchNormalization", [1, 2, 3, 4]],
  ["InstanceNormalization", [1, 2]],
  ["GroupNormalization", [1, 2]],
  ["LayerNormalization", [1, 2]],
  ["RMSNormalization", [1]],
  ["PRelu", [1]],
  ["RNN", [1, 2, 3]],
  ["GRU", [1, 2, 3]],
  ["LSTM", [1, 2, 3, 7]],
]);

/** Operators that do not change the elements of a weight. */
const PASSES_ON: ReadonlySet<string> = new Set(
  "Identity Cast CastLike Reshape Squeeze Unsqueeze Transpose Expand".split(" "),
);

/** Lists the inputs of a node that are trained operands of its operator. */
function trainedInputs(op: string, inputs: readonly string[]): string[] {
  const places = TRAINED_INPUTS.get(op) ?? [];
  return inputs.filter((_, i) => places.includes(i));
}

/**
 * Lists the values that are a trained operand of an operator; the summand of a
 * product is the bias of a layer.
 */
function trainedOperands(nodes: readonly Node[]): ReadonlySet<string> {
  const sources = new Map<string, string>();
  const products = new Set<string>();
  const operands = new Set<string>();
  for (const { op, inputs, outputs } of nodes) {
    const [first = "", second = ""] = inputs;
    const [output = ""] = outputs;
    const sourceOf = (name: string): string => sources.get(name) ?? name;
    if (PASSES_ON.has(op)) sources.set(output, sourceOf(first));
    if (op === "MatMul") products.add(output);
    for (const name of trainedInputs(op, inputs)) operands.add(sourceOf(name));
    if (op === "Add" && products.has(first)) operands.add(sourceOf(second));
    if (op === "Add" && products.has(second)) operands.add(sourceOf(first));
  }
  return operands;
}
