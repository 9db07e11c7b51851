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
import { poolIndices } from "./pool-indices.ts";

/** Adds nodes that give the outputs of a node in another way; returns whether it did. */
type Replace = (builder: GraphBuilder, node: Node) => boolean;

/** Adds the node that writes an output of a replaced node, from values that were computed in another way. */
function write(
  builder: GraphBuilder,
  op: string,
  operands: readonly Value[],
  { name, output }: { readonly name: string; readonly output: string },
): true {
  const inputs = operands.map((operand) => operand.name);
  builder.adopt({ name, op, domain: "", inputs, outputs: [output], attributes: new Map() });
  return true;
}

/** Returns the name of a node and of its only output. */
const nameOf = ({ name, outputs }: Node) => ({ name, output: at(outputs, 0, "output") });

/**
 * Replaces nodes of a typed graph that onnxruntime computes on the processor even if a device computes all
 * around them, so that their operands and results would be copied: sums of several tensors, logarithms of
 * softmax, and comparisons of whole numbers of 64 bits with constants; or refuses, as the places of a pool's
 * maxima. Other graphs are returned unchanged.
 */
export function replaceRefused(graph: Graph): Graph {
  const isTyped = graph.inputs.every(({ shape }) => shape?.every((extent) => typeof extent === "number"));
  const isRefused = ({ op, domain }: Node) => domain === "" && REPLACEMENTS.has(op);
  if (graph.types === undefined || !isTyped || !graph.nodes.some(isRefused)) return graph;
  const builder = GraphBuilder.rewriting(graph);
  for (const node of graph.nodes) {
    const isReplaced = isRefused(node) && REPLACEMENTS.get(node.op)?.(builder, node) === true;
    if (!isReplaced) builder.adopt(node);
  }
  return builder.build(graph.outputs.map(({ name }) => builder.value(name)));
}

/** Adds tensors one after another, in their order. */
const replaceSum: Replace = (builder, node) => {
  const values = node.inputs.map((name) => builder.value(name));
  const last = values.at(-1);
  const before = values.slice(0, -1);
  if (last === undefined || before.length === 0) return false;
  const sum = before.reduce((total, value) => add(total, value));
  return write(builder, "Add", [sum, last], nameOf(node));
};

/** Operator set from which LogSoftmax works along one axis. */
const ONE_AXIS = 13;

const replaceLogSoftmax: Replace = (builder, node) => {
  if (builder.opset < ONE_AXIS) return false;
  const x = builder.value(at(node.inputs, 0, "input"));
  const options = { axes: [wrapAxis(intAttribute(node, "axis", -1), x.shape.length)], keepDims: true };
  const shifted = sub(x, reduceMax(x, options));
  const logarithm = log(reduceSum(exp(shifted), options));
  return write(builder, "Sub", [shifted, logarithm], nameOf(node));
};

const FIRST_BEYOND = 2n ** 31n;

/**
 * Compares whole numbers as 32 bits if one side is a constant that fits, such as the numbers of classes:
 * labels are of 32 bits in every data set.
 */
const replaceEqual: Replace = (builder, node) => {
  const values = node.inputs.map((name) => builder.value(name));
  const isSmall = (tensor: Tensor | undefined) =>
    tensor?.data.every((value: number | bigint) => -FIRST_BEYOND <= value && value < FIRST_BEYOND) ?? false;
  const isOfWhole = values.every(({ dtype }) => dtype === "i64");
  if (!isOfWhole || !values.some((value) => isSmall(builder.constantOf(value)))) return false;
  const narrow = values.map((value) => cast(value, "i32"));
  return write(builder, "Equal", narrow, nameOf(node));
};

/** Computes the places of a pool's maxima by comparisons; devices compute maxima alone. */
const replacePool: Replace = (builder, node) => {
  const [output = "", indices = ""] = node.outputs;
  const x = builder.value(at(node.inputs, 0, "input"));
  if (indices === "" || intAttribute(node, "storage_order", 0) !== 0) return false;
  const type = builder.value(indices);
  const attributes = Object.fromEntries(node.attributes);
  const [y] = builder.emit("MaxPool", [x], [{ dtype: x.dtype, shape: type.shape }], { attributes });
  const places = y && poolIndices(builder, node, x, y);
  if (y === undefined || places === undefined) return false;
  if (output !== "") write(builder, "Identity", [y], { name: `${node.name}:maxima`, output });
  return write(builder, "Identity", [places], { name: node.name, output: indices });
};

const REPLACEMENTS: ReadonlyMap<string, Replace> = new Map([
  ["Sum", replaceSum],
  ["LogSoftmax", replaceLogSoftmax],
  ["Equal", replaceEqual],
  ["MaxPool", replacePool],
]);
