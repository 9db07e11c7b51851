import {
  allocateData,
  at,
  createTensor,
  excerpt,
  type Field,
  sizeOf,
  textField,
  UnsupportedError,
} from "@isthmus/core";
import type { DataSet, DecodedGraph, Graph, Node, ValueInfo } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import { adaptLossNode } from "./adapt-loss-node.ts";
import type { OutputLoss } from "./loss-spec.ts";

/** Text before the names of a loss graph's values, which keeps them apart from the network's. */
const PREFIX = "loss graph/";

/** Names of the data input for targets that a data set has as labels of classes, and of the mean loss. */
const [TARGETS, MEAN] = ["targets of the loss graph", "mean of the loss graph"];

/** Field of options for the file of the graph of a loss. */
export const LOSS_GRAPH_FIELD: Field<string> = textField({
  placeholder: "<file>",
  rare: true,
  keyed: "if-named",
  help: "an ONNX graph of the loss, of two inputs, predictions and targets: one number for each example, or their mean",
});

/** A network's graph with a loss behind it, and data that feed both. */
export interface GraphWithLoss {
  /** Graph of the network, which also computes the loss. */
  readonly graph: Graph;
  /** The examples, with an array for the targets. */
  readonly data: DataSet;
  /** The loss, for trainings and curvature. */
  readonly loss: OutputLoss;
}

/**
 * Puts the graph of a loss behind the graph of a network: the loss takes the output that is scored, and
 * targets of the data. A loss of one number for each example is turned into their mean.
 *
 * @param lossGraph - a graph of two inputs, predictions and targets, in this order, and one output; weights
 *   in its file are constants
 * @throws UnsupportedError if the loss graph has other inputs or outputs, does not read its predictions,
 *   takes a target for each token of a text, has control flow, or an operator that the network's version of
 *   ONNX's operators may have in another form
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { readGraph } from "@isthmus/graph";
 * import { GraphBuilder, mul, reduceMean, sub } from "@isthmus/graph/builder";
 * import { withLossGraph } from "@isthmus/training";
 *
 * const builder = new GraphBuilder("loss", 18);
 * const rows = { dtype: "f32", shape: [1, 10] } as const;
 * const off = sub(builder.input("x", rows), builder.input("y", rows));
 * const squares = reduceMean(mul(off, off), { axes: [1] });
 * const graph = builder.build([squares], { batchName: "N" });
 *
 * const network = await readGraph("examples/mnist-mlp/graph.onnx");
 * const opened = { graph: network.graph, data: await openDataSet("mnist:test@10") };
 * const { loss } = withLossGraph("train", opened, { graph, weights: new Map() });
 * assert.equal(loss.kind, "output");
 * ```
 */
export function withLossGraph(
  attempt: string,
  { graph, data }: Pick<GraphWithLoss, "graph" | "data">,
  { graph: lossGraph, weights }: DecodedGraph,
): GraphWithLoss {
  const [predictions, targets] = assertLossGraph(attempt, lossGraph);
  const prediction = graph.scored ?? at(graph.outputs, 0, "output").name;
  assertNoTexts(attempt, lossGraph, { graph, data, prediction });
  const target = data.targets ?? TARGETS;
  const names = new Map([
    [predictions.name, prediction],
    [targets.name, target],
  ]);
  const renamed = (name: string): string => (name === "" ? "" : (names.get(name) ?? `${PREFIX}${name}`));
  const losses = renamed(at(lossGraph.outputs, 0, "output").name);
  const held = new Map([...lossGraph.constants, ...weights]);
  const adapted = lossGraph.nodes.flatMap((node) =>
    adaptLossNode(attempt, node, { constants: held, from: lossGraph, to: graph }),
  );
  const nodes = adapted.map((node) => ({
    ...node,
    name: `${PREFIX}${node.name}`,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  const constants = [...held].map(([name, tensor]) => [renamed(name), tensor] as const);
  return {
    graph: {
      ...graph,
      inputs: [...graph.inputs, { ...targets, name: target }],
      constants: new Map([...graph.constants, ...constants]),
      nodes: [...graph.nodes, ...nodes, meanNode(losses)],
      outputs: [...graph.outputs, { name: MEAN }],
    },
    data: data.targets === undefined ? withTargets(data, targets) : data,
    loss: {
      kind: "output",
      output: MEAN,
      examples: at(graph.inputs, 0, "input").name,
      targets: target,
      prediction,
      losses,
    },
  };
}

/** Checks that a loss can be put behind a network, and returns its two inputs. */
function assertLossGraph(attempt: string, loss: Graph): readonly [ValueInfo, ValueInfo] {
  const [predictions, targets, ...others] = loss.inputs;
  if (predictions === undefined || targets === undefined || others.length > 0) {
    const names = loss.inputs.map(({ name }) => excerpt(name)).join(", ") || "none";
    throw noLoss(attempt, loss, `it must have two inputs, predictions and targets: it has ${names}`);
  }
  const problem =
    loss.outputs.length !== 1
      ? `it must have one output: it has ${loss.outputs.length}`
      : loss.nodes.some((node) => capturedNames(node).length > 0)
        ? "it must have no control flow"
        : !loss.nodes.some(({ inputs }) => inputs.includes(predictions.name))
          ? `it must read its first input, the predictions, ${excerpt(predictions.name)}: export it with two tensors, as torch.onnx.export makes one input of a tensor that is given twice`
          : targets.shape?.slice(1).some((extent) => typeof extent !== "number")
            ? "only the first extent of its targets may vary"
            : undefined;
  if (problem !== undefined) throw noLoss(attempt, loss, problem);
  return [predictions, targets];
}

/**
 * Checks that a loss does not ask for the next token at each place: data have one label for each example,
 * which is the token after a window of a text.
 */
function assertNoTexts(
  attempt: string,
  loss: Graph,
  { graph, data, prediction }: Pick<GraphWithLoss, "graph" | "data"> & { readonly prediction: string },
): void {
  const shape = graph.outputs.find(({ name }) => name === prediction)?.shape;
  const isLabelled = data.targets === undefined && (data.labelling ?? "example") === "example";
  const [predictions, targets] = [0, 1].map((index) => at(loss.inputs, index, "input").shape?.length);
  // An input without a shape takes any number of axes.
  const fits = (predictions ?? 3) === 3 && (targets ?? 1) === 1;
  if (!isLabelled || shape?.length !== 3 || fits) return;
  const problem = `it must take predictions at all places and one target, the label of an example: those of "${prediction}" are [${shape.join(", ")}], and it takes ${predictions ?? "any"} axes of predictions and ${targets ?? "any"} of targets; for the loss of the next token of a text, leave it out`;
  throw noLoss(attempt, loss, problem);
}

const noLoss = (attempt: string, { name }: Graph, problem: string): UnsupportedError =>
  new UnsupportedError(`Cannot ${attempt} by the loss graph "${name}" as ${problem}`, {
    feature: "loss graph",
  });

/** Makes the node of the mean of all numbers. */
const meanNode = (input: string): Node => ({
  name: MEAN,
  op: "ReduceMean",
  domain: "",
  inputs: [input],
  outputs: [MEAN],
  attributes: new Map([["keepdims", { type: "int", value: 0 } as const]]),
});

/**
 * Adds an array for targets to a data set whose labels are classes: zeros, which trainings and curvature
 * replace by the labels, or by rows with a one at the class.
 */
function withTargets(data: DataSet, { dtype = "i64", shape = [] }: ValueInfo): DataSet {
  const { gatherInto: _, ...rest } = data;
  const extents = shape.slice(1).map(Number);
  return {
    ...rest,
    features: new Map([...(data.features ?? []), [TARGETS, { dtype, shape: extents }]]),
    read(begin, end) {
      const batch = data.read(begin, end);
      const [rows, size] = [[end - begin, ...extents], (end - begin) * sizeOf(extents)];
      const zeros = createTensor(dtype, rows, allocateData(dtype, size));
      return { ...batch, features: new Map([...(batch.features ?? []), [TARGETS, zeros]]) };
    },
  };
}
