import { at, type Tensor } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import {
  add,
  cast,
  exp,
  GraphBuilder,
  log,
  reduceMax,
  reduceSum,
  sub,
  type Value,
} from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";

/** Computes the last node of a replacement's operands, which then writes the output of the replaced node. */
interface Replacement {
  readonly op: string;
  readonly operands: readonly Value[];
}

type Replace = (builder: GraphBuilder, node: Node) => Replacement | undefined;

/**
 * Replaces nodes of a typed graph that onnxruntime computes on the processor even if a device computes all
 * around them, so that their operands and results would be copied: sums of several tensors, logarithms of
 * softmax, and comparisons of whole numbers of 64 bits that give large results. Other graphs are returned
 * unchanged.
 */
export function replaceRefused(graph: Graph): Graph {
  const isTyped = graph.inputs.every(({ shape }) => shape?.every((extent) => typeof extent === "number"));
  const isRefused = ({ op, domain }: Node) => domain === "" && REPLACEMENTS.has(op);
  if (graph.types === undefined || !isTyped || !graph.nodes.some(isRefused)) return graph;
  const builder = GraphBuilder.rewriting(graph);
  for (const node of graph.nodes) {
    const replaced = isRefused(node) ? REPLACEMENTS.get(node.op)?.(builder, node) : undefined;
    if (replaced === undefined) builder.adopt(node);
    else {
      const inputs = replaced.operands.map(({ name }) => name);
      builder.adopt({ ...node, op: replaced.op, inputs, attributes: new Map() });
    }
  }
  return builder.build(graph.outputs.map(({ name }) => builder.value(name)));
}

/** Adds tensors one after another, in their order. */
const replaceSum: Replace = (builder, { inputs }) => {
  const values = inputs.map((name) => builder.value(name));
  const last = values.at(-1);
  const before = values.slice(0, -1);
  if (last === undefined || before.length === 0) return undefined;
  return { op: "Add", operands: [before.reduce((sum, value) => add(sum, value)), last] };
};

/** Operator set from which LogSoftmax works along one axis. */
const ONE_AXIS = 13;

const replaceLogSoftmax: Replace = (builder, node) => {
  if (builder.opset < ONE_AXIS) return undefined;
  const x = builder.value(at(node.inputs, 0, "input"));
  const options = { axes: [wrapAxis(intAttribute(node, "axis", -1), x.shape.length)], keepDims: true };
  const shifted = sub(x, reduceMax(x, options));
  return { op: "Sub", operands: [shifted, log(reduceSum(exp(shifted), options))] };
};

const FIRST_BEYOND = 2n ** 31n;

/**
 * Compares whole numbers as 32 bits if one side is a constant that fits, such as the numbers of classes:
 * labels are of 32 bits in every data set.
 */
const replaceEqual: Replace = (builder, { inputs }) => {
  const values = inputs.map((name) => builder.value(name));
  const isSmall = (tensor: Tensor | undefined) =>
    tensor?.data.every((value: number | bigint) => -FIRST_BEYOND <= value && value < FIRST_BEYOND) ?? false;
  const isOfWhole = values.every(({ dtype }) => dtype === "i64");
  if (!isOfWhole || !values.some((value) => isSmall(builder.constantOf(value)))) return undefined;
  return { op: "Equal", operands: values.map((value) => cast(value, "i32")) };
};

const REPLACEMENTS: ReadonlyMap<string, Replace> = new Map([
  ["Sum", replaceSum],
  ["LogSoftmax", replaceLogSoftmax],
  ["Equal", replaceEqual],
]);
