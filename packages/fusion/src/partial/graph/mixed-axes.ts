import type { Tensor } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import {
  constantNumbers,
  ELEMENT_WISE_OPERATORS,
  intAttribute,
  intsAttribute,
  REDUCTION_OPERATORS,
  wrapAxis,
} from "@isthmus/graph/ir";

/** Facts about a node, for rules. */
export interface NodeFacts {
  /** The node itself: operator, attributes, names of inputs and outputs. */
  readonly node: Node;
  /** Version of ONNX's operator set. */
  readonly opset: number;
  /** Returns the number of axes of a value. */
  readonly rank: (value: string) => number;
  /** Checks whether a value depends on the data, not only on weights and constants. */
  readonly isData: (value: string) => boolean;
  /** Returns the tensor of a value that depends on neither data nor weights; undefined for other values. */
  readonly constant: (value: string) => Tensor | undefined;
}

/** Axes of the inputs of a node along which it combines units without trained weights. */
export type MixedAxes = readonly {
  /** Name of the input of the node. */
  readonly value: string;
  /** Axes of the input along which units are combined, or all. */
  readonly axes: readonly number[] | "all";
}[];

/** Operators that treat all positions along the axes of units in the same way, or only move them. */
const SEPARATE: ReadonlySet<string> = new Set([
  ...ELEMENT_WISE_OPERATORS,
  ..."Dropout BatchNormalization InstanceNormalization MaxPool AveragePool LpPool GlobalAveragePool".split(
    " ",
  ),
  ..."GlobalMaxPool GlobalLpPool Reshape Flatten Transpose Squeeze Unsqueeze Concat Split Slice Gather".split(
    " ",
  ),
  ..."Expand Pad Shape Size Constant ConstantOfShape Resize Upsample LSTM GRU RNN".split(" "),
]);

const REDUCTIONS: ReadonlySet<string> = new Set(REDUCTION_OPERATORS);

const NORMS_FROM_AXIS: ReadonlySet<string> = new Set(["LayerNormalization", "RMSNormalization"]);

const SOFTMAXES: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax", "Hardmax"]);

/**
 * Lists the axes along which a node combines units of its inputs without trained weights, such as a layer
 * norm. Units of two networks cannot stand side by side on these axes. An operator without a rule counts as
 * combining all axes.
 */
export function mixedAxes(facts: NodeFacts): MixedAxes {
  const { node, isData } = facts;
  const data = node.inputs.filter((name) => name !== "" && isData(name));
  // What is computed from weights alone is left to the proof.
  if (data.length === 0) return [];
  if (node.domain !== "") return all(data);
  return SEPARATE.has(node.op) ? [] : (mixedByProduct(facts) ?? mixedByNorm(facts) ?? all(data));
}

/** Lists the axes that a product mixes: the axes over which it sums, if both factors depend on data. */
function mixedByProduct({ node, rank, isData }: NodeFacts): MixedAxes | undefined {
  const [first = "", second = ""] = node.inputs;
  const isOfData = isData(first) && isData(second);
  if (node.op === "MatMul" && isOfData) {
    return [
      { value: first, axes: [rank(first) - 1] },
      { value: second, axes: [Math.max(0, rank(second) - 2)] },
    ];
  }
  if (node.op !== "MatMul" && node.op !== "Gemm" && node.op !== "Conv" && node.op !== "ConvTranspose") {
    return undefined;
  }
  return isOfData ? all([first, second]) : [];
}

/** Lists the axes that a norm, a softmax or a reduction mixes. */
function mixedByNorm(facts: NodeFacts): MixedAxes | undefined {
  const { node, rank } = facts;
  const [value = ""] = node.inputs;
  if (SOFTMAXES.has(node.op)) return [{ value, axes: softmaxAxes(facts) }];
  if (REDUCTIONS.has(node.op)) return [{ value, axes: reducedAxes(facts) }];
  const axis = wrapAxis(intAttribute(node, "axis", -1), rank(value));
  if (node.op === "LpNormalization") return [{ value, axes: [axis] }];
  return NORMS_FROM_AXIS.has(node.op) ? [{ value, axes: axesFrom(axis, rank(value)) }] : undefined;
}

const all = (values: readonly string[]): MixedAxes => values.map((value) => ({ value, axes: "all" }));

function axesFrom(axis: number, rank: number): number[] {
  const first = wrapAxis(axis, rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** Lists the axes of a softmax. Before version 13, all axes from the given one on were flattened into one. */
function softmaxAxes({ node, opset, rank }: NodeFacts): readonly number[] {
  const [value = ""] = node.inputs;
  return opset < 13
    ? axesFrom(intAttribute(node, "axis", 1), rank(value))
    : [wrapAxis(intAttribute(node, "axis", -1), rank(value))];
}

function reducedAxes({ node, rank, constant }: NodeFacts): readonly number[] | "all" {
  const [value = "", axesInput = ""] = node.inputs;
  const numbers =
    intsAttribute(node, "axes") ?? constantNumbers({ constant: () => constant(axesInput) }, 1) ?? [];
  if (numbers.length > 0) return numbers.map((axis) => wrapAxis(axis, rank(value)));
  return intAttribute(node, "noop_with_empty_axes", 0) === 1 ? [] : "all";
}
