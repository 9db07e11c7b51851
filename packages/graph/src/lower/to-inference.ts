import { int, intAttribute } from "../ir/attributes.ts";
import type { Graph, Node } from "../ir/graph.ts";

/**
 * Turns a graph that was exported in training mode into the network as it is used: batch norms normalise by their running statistics,
 * and dropout lets everything through.
 *
 * @returns the graph itself if it is not in training mode
 */
export function toInference(graph: Graph): Graph {
  if (!graph.nodes.some(isInTraining)) return graph;
  const used = new Set([
    ...graph.nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ name }) => name),
  ]);
  return { ...graph, nodes: graph.nodes.map((node) => (isInTraining(node) ? switchOff(node, used) : node)) };
}

function isInTraining(node: Node): boolean {
  if (node.domain !== "") return false;
  if (node.op === "BatchNormalization") return intAttribute(node, "training_mode", 0) === 1;
  return node.op === "Dropout" && (node.inputs[2] ?? "") !== "";
}

function switchOff(node: Node, used: ReadonlySet<string>): Node {
  if (node.op === "Dropout") return { ...node, inputs: node.inputs.slice(0, 2) };
  const [output = "", ...running] = node.outputs;
  // New running statistics are of no use outside of training; a graph that returns them keeps the old ones for them.
  if (running.some((name) => used.has(name))) return node;
  const attributes = new Map([...node.attributes, ["training_mode", int(0)] as const]);
  return { ...node, attributes, outputs: [output] };
}
