import { intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node } from "../ir/graph.ts";

/**
 * Returns the graph as it computes outside training: dropouts pass all elements on, and batch norms use the
 * running statistics among their inputs.
 *
 * An exporter may write a network in training mode (`TrainingMode.TRAINING` of PyTorch). Networks are
 * compared by their results in use, and a training step sets the mode of norms and dropouts itself. A batch
 * norm whose new running statistics are read by another node stays unchanged.
 */
export function readAsInference(graph: Graph): Graph {
  const read = new Set([
    ...graph.outputs.map(({ name }) => name),
    ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
  ]);
  const nodes = graph.nodes.map((node) => {
    const isPlain = node.domain === "" && !node.outputs.slice(1).some((name) => read.has(name));
    return isPlain ? withoutTraining(node) : node;
  });
  return { ...graph, nodes };
}

function withoutTraining(node: Node): Node {
  // Ratio and mode are the second and third input; without a mode, nothing is dropped.
  if (node.op === "Dropout" && node.inputs.length > 2) return { ...node, inputs: node.inputs.slice(0, 2) };
  if (node.op !== "BatchNormalization" || intAttribute(node, "training_mode", 0) === 0) return node;
  const attributes = new Map(node.attributes);
  attributes.delete("training_mode");
  return { ...node, outputs: node.outputs.slice(0, 1), attributes };
}
