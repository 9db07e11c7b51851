import { at, entry, UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { floatAttribute } from "@isthmus/graph/ir";
import { declareValue, type Rewriting } from "./graph-rewriting.ts";
import type { MaskInput } from "./mask-input.ts";

/** ONNX's default of the share of elements that are dropped. */
const RATIO = 0.5;

/**
 * Adds a dropout to a graph as a product with a mask, or as an identity if it drops nothing.
 * @returns the mask, or nothing for an identity
 * @throws UnsupportedError if the ratio is computed or drops everything, or the node's mask output is used
 */
export function trainDropout(rewriting: Rewriting, node: Node): MaskInput[] {
  const { types, nodes, inputs } = rewriting;
  const ratio = ratioOf(rewriting, node);
  assertMaskUnused(rewriting, node);
  const input = at(node.inputs, 0, "input of a dropout");
  const output = at(node.outputs, 0, "output of a dropout");
  const plain = { name: node.name, domain: "", outputs: [output], attributes: new Map() };
  if (ratio === 0) {
    nodes.push({ ...plain, op: "Identity", inputs: [input] });
    return [];
  }
  const type = entry(types, input, "type of value");
  const name = declareValue(rewriting, `${output}.mask`, type);
  inputs.push({ name, dtype: type.dtype, shape: type.shape });
  nodes.push({ ...plain, op: "Mul", inputs: [input, name] });
  return [{ name, dtype: type.dtype, shape: type.shape, ratio }];
}

function ratioOf({ graph }: Rewriting, node: Node): number {
  // The ratio is an optional input.
  const [, name = ""] = node.inputs;
  const constant = graph.constants.get(name)?.data[0];
  const ratio = name === "" ? floatAttribute(node, "ratio", RATIO) : Number(constant);
  if (ratio >= 0 && ratio < 1) return ratio;
  throw new UnsupportedError(
    `Cannot train graph "${graph.name}" as the ratio of a dropout must be a constant in [0, 1): that of node "${node.name}" is ${constant === undefined ? `computed, "${name}"` : ratio}`,
    { feature: "ratio of dropout" },
  );
}

function assertMaskUnused({ graph }: Rewriting, node: Node): void {
  // The mask is an optional output.
  const [, mask = ""] = node.outputs;
  const isUsed =
    graph.nodes.some(({ inputs }) => inputs.includes(mask)) ||
    graph.outputs.some(({ name }) => name === mask);
  if (mask === "" || !isUsed) return;
  throw new UnsupportedError(
    `Cannot train graph "${graph.name}" as nothing may use the mask of a dropout: "${mask}" of node "${node.name}" is used`,
    { feature: "mask of dropout" },
  );
}
