import type { TensorInfo } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { countUses, floatAttribute, intAttribute, stringAttribute } from "@isthmus/graph/ir";
import { CONTRIBUTED_DOMAIN } from "./fuse-attention.ts";

/**
 * Number of terms up to which a product adds its bias after all of them; longer ones add it after their first
 * block, so that a bias added later would give other bits.
 */
const MOST_TERMS = 128;

/**
 * Lets GELU add the bias of the matrix product before it: onnxruntime writes biases of products in a pass of
 * their own, on one thread. Bits stay the same, except for products of one row. Products whose result is read
 * elsewhere, as by gradients, stay unchanged.
 */
export function fuseGelu(graph: Graph): Graph {
  const products = new Map<string, Node>();
  for (const node of graph.nodes) if (isShortProduct(graph, node)) products.set(node.outputs[0] ?? "", node);
  if (products.size === 0) return graph;
  const uses = countUses(graph);
  const bared = new Map<Node, Node>();
  const nodes = graph.nodes.map((node) => {
    const [input = ""] = node.inputs;
    const product = products.get(input);
    if (node.op !== "Gelu" || node.domain !== "" || product === undefined || uses.get(input) !== 1)
      return node;
    const [left = "", right = "", bias = ""] = product.inputs;
    bared.set(product, { ...product, inputs: [left, right] });
    const op = stringAttribute(node, "approximate", "none") === "tanh" ? "FastGelu" : "BiasGelu";
    return { ...node, op, domain: CONTRIBUTED_DOMAIN, inputs: [input, bias], attributes: new Map() };
  });
  if (bared.size === 0) return graph;
  return {
    ...graph,
    opsets: new Map([...graph.opsets, [CONTRIBUTED_DOMAIN, 1]]),
    nodes: nodes.map((node) => bared.get(node) ?? node),
  };
}

/** Checks whether a node is a product of few terms, with a bias for each column. */
function isShortProduct(graph: Graph, node: Node): boolean {
  const [, right = "", bias = ""] = node.inputs;
  if (node.op !== "Gemm" || node.domain !== "" || floatAttribute(node, "beta", 1) !== 1) return false;
  const infoOf = (name: string): TensorInfo | undefined =>
    graph.weights.get(name) ?? graph.constants.get(name);
  const [matrix, added] = [infoOf(right), infoOf(bias)];
  if (matrix?.dtype !== "f32" || matrix.shape.length !== 2 || added?.shape.length !== 1) return false;
  const isTurned = intAttribute(node, "transB", 0) === 1;
  const [terms = 0, columns] = isTurned ? matrix.shape.toReversed() : matrix.shape;
  return terms <= MOST_TERMS && added.shape[0] === columns;
}
