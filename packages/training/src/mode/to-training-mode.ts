import {
  at,
  entry,
  formatShape,
  MismatchError,
  sizeOf,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import type { Graph, Node, ValueInfo } from "@isthmus/graph";
import { add, GraphBuilder, mul, type Value } from "@isthmus/graph/builder";
import { float, floatAttribute, int, typesOf } from "@isthmus/graph/ir";
import type { MaskInput } from "./mask-input.ts";

/** A graph in training mode. */
export interface TrainingMode {
  /**
   * Typed; its outputs are the outputs of the inference graph, then one for every running statistic that
   * changes.
   */
  readonly graph: Graph;
  /** Output that holds the next value of each running statistic, by the weight that holds the last value. */
  readonly statistics: ReadonlyMap<string, string>;
  /** Data inputs that dropout needs. */
  readonly masks: readonly MaskInput[];
}

/**
 * Turns a graph for inference into one for training.
 *
 * Batch norms normalise by the mean and the population variance of the batch (`training_mode = 1`), and their
 * running statistics move towards the batch's: `next = momentum last + (1 - momentum) batch`, with the node's
 * momentum (by default 0.9, which PyTorch calls 0.1) and the unbiased variance, as PyTorch does. Dropout
 * multiplies by a mask, a new data input.
 *
 * @param graph - typed, as `specialize` makes it, of operator set 14 or later if it has batch norms
 * @throws MismatchError if the graph is not typed, two norms share their statistics, or a batch has only one
 *   value a channel
 * @throws UnsupportedError if the statistics of a norm or the ratio of a dropout are computed
 */
export function toTrainingMode(graph: Graph): TrainingMode {
  const rewriting = startRewriting(graph, typesOf(graph));
  const statistics: BatchStatistic[] = [];
  const masks: MaskInput[] = [];
  for (const node of graph.nodes) {
    if (node.op === "BatchNormalization") statistics.push(...trainBatchNorm(rewriting, node));
    else if (node.op === "Dropout") masks.push(...trainDropout(rewriting, node));
    else rewriting.nodes.push(node);
  }
  return { ...withStatistics(graph, rewriting, statistics), masks };
}

/** Adds the nodes that compute the next running statistics. */
function withStatistics(
  graph: Graph,
  { nodes, inputs, types }: Rewriting,
  statistics: readonly BatchStatistic[],
): Omit<TrainingMode, "masks"> {
  const builder = GraphBuilder.from({ ...graph, nodes, inputs, types });
  const next = statistics.map(({ weight, batch, momentum, correction }): [string, Value] => [
    weight,
    add(mul(builder.value(weight), momentum), mul(builder.value(batch), (1 - momentum) * correction)),
  ]);
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  return {
    graph: builder.build([...outputs, ...next.map(([, value]) => value)]),
    statistics: new Map(next.map(([weight, { name }]) => [weight, name])),
  };
}

/** ONNX's default of the share of elements that are dropped. */
const RATIO = 0.5;

/**
 * Adds a dropout to a graph as a product with a mask, or as an identity if it drops nothing.
 * @returns the mask; empty for an identity
 * @throws UnsupportedError if the ratio is computed or drops everything, or the node's mask output is used
 */
function trainDropout(rewriting: Rewriting, node: Node): MaskInput[] {
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

/** A running statistic of a batch norm and the statistic of the batch it moves towards. */
interface BatchStatistic {
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
function trainBatchNorm(rewriting: Rewriting, node: Node): BatchStatistic[] {
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

/** A typed graph under construction, made from another by replacing its nodes one after another. */
interface Rewriting {
  /** The graph whose nodes are replaced. */
  readonly graph: Graph;
  /** Nodes of the new graph so far. */
  readonly nodes: Node[];
  readonly inputs: ValueInfo[];
  readonly types: Map<string, TensorInfo>;
  /** Names of the batch norms that use the running statistics, by the weight that holds the statistic. */
  readonly owners: Map<string, string>;
}

/** Starts the rewriting of a graph with its inputs and types, and without nodes. */
function startRewriting(graph: Graph, types: ReadonlyMap<string, TensorInfo>): Rewriting {
  return { graph, nodes: [], inputs: [...graph.inputs], types: new Map(types), owners: new Map() };
}

/**
 * Declares a new value and returns its name: `name` if it is unused, else the first unused of `name_1`, ...
 */
function declareValue({ types }: Rewriting, name: string, type: TensorInfo): string {
  let unused = name;
  for (let count = 1; types.has(unused); count++) unused = `${name}_${count}`;
  types.set(unused, { dtype: type.dtype, shape: type.shape });
  return unused;
}
