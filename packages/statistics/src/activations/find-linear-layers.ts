import type { Graph, Node } from "@isthmus/graph";

/** Linear layer of a graph: a product of its input with a weight of two dimensions. */
export interface LinearLayer {
  /** Name of the weight. */
  readonly weight: string;
  /** Name of the value that is multiplied. */
  readonly input: string;
  /** Name of the product. */
  readonly output: string;
  /** Whether the weight is stored as `[inputs, outputs]`. */
  readonly isFirst: boolean;
  /** Node that multiplies. */
  readonly node: Node;
}

/**
 * Finds the linear layers of a graph: nodes `Gemm` and `MatMul` whose right operand is a weight of two
 * dimensions, perhaps transposed.
 * @returns the layers, the first one of each weight, and the names of weights of other products
 */
export function findLinearLayers(graph: Graph): {
  readonly layers: readonly LinearLayer[];
  readonly leftOut: readonly string[];
} {
  const layers: LinearLayer[] = [];
  const leftOut: string[] = [];
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isMatrix = (name: string) => graph.weights.get(name)?.shape.length === 2;
  for (const node of graph.nodes) {
    if (node.op !== "Gemm" && node.op !== "MatMul") continue;
    const [[input = "", operand = ""], [output = ""]] = [node.inputs, node.outputs];
    const stored = graph.weights.has(operand) ? operand : transposedWeight(producers.get(operand));
    if (!isMatrix(stored)) continue;
    const isFirst = (stored !== operand) === isSet(node, "transB");
    const isNew = !layers.some(({ weight }) => weight === stored);
    if (!isSet(node, "transA") && isNew) layers.push({ weight: stored, input, output, isFirst, node });
    else leftOut.push(stored);
  }
  return { layers, leftOut: [...new Set(leftOut)] };
}

/** Returns the name of the value that a node transposes; empty if the node does something else. */
function transposedWeight(node: Node | undefined): string {
  return (node?.op === "Transpose" ? node.inputs[0] : undefined) ?? "";
}

function isSet({ attributes }: Node, name: string): boolean {
  return Number(attributes.get(name)?.value ?? 0) !== 0;
}
