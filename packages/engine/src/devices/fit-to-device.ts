import { allocateData, at, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { replaceRefused } from "./replace-refused.ts";

/**
 * Rewrites nodes that the processor takes and other devices refuse, see {@link replaceRefused}; the scale of a layer norm that is one
 * number becomes a tensor of the shape that is normalised, if that shape is known. The processor keeps the
 * one number, as its results would change in their last digits.
 */
export function fitToDevice(whole: Graph): Graph {
  const graph = replaceRefused(whole);
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.map((node) => spreadScale(graph, node, constants));
  return { ...graph, constants, nodes };
}

function spreadScale(graph: Graph, node: Node, constants: Map<string, Tensor>): Node {
  const [input = "", name = "", ...rest] = node.inputs;
  const scale = graph.constants.get(name);
  const shape = graph.types?.get(input)?.shape;
  if (node.op !== "LayerNormalization" || node.domain !== "" || scale === undefined || shape === undefined)
    return node;
  const normalized = shape.slice(wrapAxis(intAttribute(node, "axis", -1), shape.length));
  if (sizeOf(scale.shape) !== 1 || sizeOf(normalized) === 1) return node;
  const spread = `${name}:spread:${normalized.join("x")}`;
  const { dtype, data } = scale;
  const values = allocateData(dtype, sizeOf(normalized));
  values.fill(at<number | bigint>(data, 0) as never);
  constants.set(spread, createTensor(dtype, normalized, values));
  return { ...node, inputs: [input, spread, ...rest] };
}
