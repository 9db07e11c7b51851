import { UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { floatAttribute } from "@isthmus/graph/ir";
import { declareValue, type Rewriting } from "./graph-rewriting.ts";
import type { MaskInput } from "./mask-input.ts";

/** ONNX's default share of elements that are dropped. */
const RATIO = 0.5;

/**
 * Adds a dropout as a product with a mask, nothing at all if it drops nothing.
 * @returns the mask, if there is one
 * @throws UnsupportedError if its ratio is computed or drops everything, or its own mask is used
 */
export function trainDropout(rewriting: Rewriting, node: Node): MaskInput[] {
  const { types, nodes, inputs } = rewriting;
  const ratio = ratioOf(rewriting, node);
  assertMaskUnused(rewriting, node);
  const [input = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const plain = { name: node.name, domain: "", outputs: [output], attributes: new Map() };
  if (ratio === 0) {
    nodes.push({ ...plain, op: "Identity", inputs: [input] });
    return [];
  }
  const type = types.get(input) ?? { dtype: "f32", shape: [] };
  const name = declareValue(rewriting, `${output}.mask`, type);
  inputs.push({ name, dtype: type.dtype, shape: type.shape });
  nodes.push({ ...plain, op: "Mul", inputs: [input, name] });
  return [{ name, dtype: type.dtype, shape: type.shape, ratio }];
}

function ratioOf({ graph }: Rewriting, node: Node): number {
  const name = node.inputs[1] ?? "";
  const given = graph.constants.get(name)?.data[0];
  const ratio = name === "" ? floatAttribute(node, "ratio", RATIO) : Number(given);
  if (ratio >= 0 && ratio < 1) return ratio;
  throw new UnsupportedError(
    `Cannot train graph "${graph.name}" as the ratio of a dropout must be a constant in [0, 1): that of node "${node.name}" is ${given === undefined ? `computed, "${name}"` : ratio}`,
    { feature: "ratio of dropout" },
  );
}

function assertMaskUnused({ graph }: Rewriting, node: Node): void {
  const mask = node.outputs[1] ?? "";
  const isUsed =
    graph.nodes.some(({ inputs }) => inputs.includes(mask)) ||
    graph.outputs.some(({ name }) => name === mask);
  if (mask === "" || !isUsed) return;
  throw new UnsupportedError(
    `Cannot train graph "${graph.name}" as nothing may use the mask of a dropout: "${mask}" of node "${node.name}" is used`,
    { feature: "mask of dropout" },
  );
}
