import { DTYPES, sizeOf, type Tensor } from "@isthmus/core";
import type { Node } from "../ir/graph.ts";

/**
 * Finds which tensors that a file carries are weights, by name; all others belong to the architecture.
 *
 * Floating-point tensors of several elements are, but for the regions and scales that a `Resize` reads. Of one element, most are
 * scales and epsilons: a weight is only what stands where an operator has a trained operand, as the bias of a layer with one
 * output does, and the slope of a `PRelu`.
 */
export function findTrained(
  tensors: ReadonlyMap<string, Tensor>,
  nodes: readonly Node[],
): ReadonlySet<string> {
  const factors = new Set(
    nodes.flatMap(({ op, inputs }) => (op === "Resize" || op === "Upsample" ? inputs.slice(1) : [])),
  );
  const single = trainedOperands(nodes);
  const isTrained = ([name, { dtype, shape }]: readonly [string, Tensor]): boolean =>
    DTYPES[dtype].float &&
    !factors.has(name) &&
    (sizeOf(shape) > 1 || (sizeOf(shape) === 1 && single.has(name)));
  return new Set([...tensors].filter(isTrained).map(([name]) => name));
}

/** Inputs that operators have for what is trained, and for the statistics of batch norms. */
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

/** Operators behind which a weight is still the same. */
const PASSES_ON: ReadonlySet<string> = new Set(
  "Identity Cast CastLike Reshape Squeeze Unsqueeze Transpose Expand".split(" "),
);

/** Names of the values that stand where an operator has a trained operand; a sum with a product is the bias of a layer. */
function trainedOperands(nodes: readonly Node[]): ReadonlySet<string> {
  const sources = new Map<string, string>();
  const products = new Set<string>();
  const found = new Set<string>();
  for (const { op, inputs, outputs } of nodes) {
    const [first = "", second = ""] = inputs;
    const [output = ""] = outputs;
    const sourceOf = (name: string): string => sources.get(name) ?? name;
    if (PASSES_ON.has(op)) sources.set(output, sourceOf(first));
    if (op === "MatMul") products.add(output);
    for (const place of TRAINED_INPUTS.get(op) ?? []) found.add(sourceOf(inputs[place] ?? ""));
    if (op === "Add" && products.has(first)) found.add(sourceOf(second));
    if (op === "Add" && products.has(second)) found.add(sourceOf(first));
  }
  return found;
}
