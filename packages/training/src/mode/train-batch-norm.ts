import { at, entry, formatShape, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { float, floatAttribute, int } from "@isthmus/graph/ir";
import { declareValue, type Rewriting } from "./graph-rewriting.ts";

/** A running statistic of a batch norm and the statistic of the batch it moves towards. */
export interface BatchStatistic {
  /** Weight that holds the running statistic. */
  readonly weight: string;
  /** Value that holds the statistic of the batch. */
  readonly batch: string;
  /** Share of the last running value in the next one, in `[0, 1]`. */
  readonly momentum: number;
  /** Factor that the statistic of the batch is multiplied by. */
  readonly correction: number;
}

/** Operator set from which batch norm has a training mode. */
const TRAINING_MODE_SINCE = 14;
/** ONNX's default of the attribute `momentum`. */
const MOMENTUM = 0.9;

/**
 * Adds a batch norm in training mode to a graph.
 * @returns its running statistics that are weights; constant ones stay unused
 * @throws MismatchError if another norm has the same statistics, or there is only one value a channel
 * @throws UnsupportedError if the operator set has no training mode, or a statistic is computed
 */
export function trainBatchNorm(rewriting: Rewriting, node: Node): BatchStatistic[] {
  const { graph, types, nodes } = rewriting;
  // A graph that names no operator set is refused as one of operator set 0.
  const opset = graph.opsets.get(node.domain) ?? graph.opsets.get("") ?? 0;
  if (opset < TRAINING_MODE_SINCE) {
    throw new UnsupportedError(
      `Cannot train graph "${graph.name}" as batch norm needs operator set ${TRAINING_MODE_SINCE} or later: it has ${opset}; export it again`,
      { feature: `operator set ${opset}` },
    );
  }
  const values = valuesPerChannel(rewriting, node);
  const mean = at(node.inputs, 3, "input of a batch norm");
  const variance = at(node.inputs, 4, "input of a batch norm");
  const output = at(node.outputs, 0, "output of a batch norm");
  const type = entry(types, mean, "type of value");
  const batchMean = declareValue(rewriting, `${output}.mean`, type);
  const batchVariance = declareValue(rewriting, `${output}.variance`, type);
  // With momentum 0 the operator outputs the statistics of the batch.
  const attributes = new Map([
    ...node.attributes,
    ["training_mode", int(1)] as const,
    ["momentum", float(0)] as const,
  ]);
  nodes.push({ ...node, outputs: [output, batchMean, batchVariance], attributes });
  const momentum = floatAttribute(node, "momentum", MOMENTUM);
  return [
    { weight: mean, batch: batchMean, momentum, correction: 1 },
    { weight: variance, batch: batchVariance, momentum, correction: values / (values - 1) },
  ].filter(({ weight }) => claimStatistic(rewriting, node, weight));
}

function valuesPerChannel({ graph, types }: Rewriting, node: Node): number {
  const { shape } = entry(types, at(node.inputs, 0, "input of a batch norm"), "type of value");
  const values = sizeOf(shape.filter((_, axis) => axis !== 1));
  if (values > 1) return values;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" as a batch norm needs more than one value a channel: node "${node.name}" is given ${formatShape(shape)}; take a larger batch`,
    { parameters: [] },
  );
}

/**
 * Returns whether a running statistic is a weight, not a constant, and records that this node uses the
 * weight.
 * @throws UnsupportedError if it is computed
 * @throws MismatchError if another batch norm uses it, too
 */
function claimStatistic({ graph, owners }: Rewriting, node: Node, name: string): boolean {
  if (graph.constants.has(name)) return false;
  if (!graph.weights.has(name)) {
    throw new UnsupportedError(
      `Cannot train graph "${graph.name}" as statistics of batch norms must be weights: "${name}" of node "${node.name}" is computed`,
      { feature: "computed statistics of a batch norm" },
    );
  }
  const owner = owners.get(name);
  if (owner !== undefined) {
    throw new MismatchError(
      `Cannot train graph "${graph.name}" as every batch norm needs statistics of its own: nodes "${owner}" and "${node.name}" share "${name}"`,
      { parameters: [name] },
    );
  }
  owners.set(name, node.name);
  return true;
}
