import type { Graph, Node } from "@isthmus/graph";
import { add, batchNorm, expand, GraphBuilder, mul, sub, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute, shareNodes } from "@isthmus/graph/ir";
import { channelMean, channelMeanSquare, onChannels } from "../channels.ts";
import { adoptAs } from "./adopt-as.ts";

/**
 * Returns the graph with every batch norm in training mode replaced by operators that engines have: the mean
 * of each channel, the mean square of the centred channel, and a batch norm by these statistics. Running
 * statistics are mixed from these and the former running statistics. Values keep their names.
 *
 * A training graph keeps the standard node until it has been differentiated, since its gradient rule has the
 * closed form; this is the last pass before an engine loads it (inference builds of onnxruntime refuse
 * `training_mode`). Values that gradient and norm both compute, such as the centred input, are then shared.
 *
 * @param graph - typed; a graph without such a node is returned itself
 * @throws MismatchError if the graph is not typed
 */
export function lowerBatchNorm(graph: Graph): Graph {
  if (!graph.nodes.some(isTraining)) return graph;
  const builder = GraphBuilder.rewriting(graph);
  for (const node of graph.nodes) {
    if (isTraining(node)) lowerNode(builder, node);
    else builder.adopt(node);
  }
  return shareNodes(builder.build(graph.outputs.map(({ name }) => builder.value(name))));
}

function isTraining(node: Node): boolean {
  const isStandard = node.domain === "" || node.domain === "ai.onnx";
  return isStandard && node.op === "BatchNormalization" && intAttribute(node, "training_mode", 0) === 1;
}

/** Adds the operators that replace a batch norm in training mode. */
function lowerNode(builder: GraphBuilder, node: Node): void {
  const [x, scale, bias, oldMean, oldVariance] = node.inputs.map((name) => builder.value(name)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const mean = channelMean(x);
  const centered = sub(x, onChannels(mean, x.shape.length));
  const variance = channelMeanSquare(centered);
  const zero = expand(builder.scalar(0, x.dtype), mean.shape);
  const statistics = { scale, bias, mean: zero, variance };
  const momentum = floatAttribute(node, "momentum", 0.9);
  const results = [
    () => batchNorm(centered, statistics, floatAttribute(node, "epsilon", 1e-5)),
    () => mix(oldMean, mean, momentum),
    () => mix(oldVariance, variance, momentum),
  ];
  node.outputs.forEach((name, i) => {
    const result = results[i]?.();
    if (name !== "" && result !== undefined) adoptAs(builder, result, { node, name, output: i });
  });
}

/**
 * Computes a running statistic: `momentum` times the former statistic plus `1 - momentum` times the batch's.
 */
function mix(former: Value, ofBatch: Value, momentum: number): Value {
  return momentum === 0 ? ofBatch : add(mul(former, momentum), mul(ofBatch, 1 - momentum));
}
