import { intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import { extentOf, type Labelled } from "../labels/field.ts";
import { insertAxes, removeAxes, reshape } from "../primitives/move.ts";
import { reduce } from "../primitives/reduce.ts";
import { tie } from "../primitives/tie.ts";
import { givenInputs, inputOf, type Rule, type RuleContext } from "./rule.ts";

/**
 * Combines a tensor with its statistics over some axes and with further tensors; returns the result and twice
 * the statistics.
 */
function standardize(
  context: RuleContext,
  input: Labelled,
  axes: readonly number[],
  others: readonly Labelled[] = [],
): [Labelled, Labelled, Labelled] {
  const statistics = reduce(context.store, input, axes);
  return [tie(context.store, [input, statistics, ...others]), statistics, statistics];
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - begin) }, (_, i) => begin + i);
}

/** Inserts axes into a vector over channels, `[C]`, so that it meets `[N, C, ...]`. */
function alongChannels(vector: Labelled, rank: number): Labelled {
  return insertAxes(vector, [0, ...range(2, rank)]);
}

/**
 * Follows `BatchNormalization`: scale, bias, mean and variance meet the channels. In training mode the
 * statistics are computed over the batch, and the running statistics mixed with them are further results.
 */
export const batchNormalization: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const rank = x.shape.length;
  const vectors = [1, 2, 3, 4].map((input) => inputOf(context, input));
  const placed = vectors.map((vector) => alongChannels(vector, rank));
  if (intAttribute(node, "training_mode", 0) === 0) return [tie(store, [x, ...placed])];
  const others = [0, ...range(2, rank)];
  const [normal, statistics] = standardize(context, x, others, placed.slice(0, 2));
  const running = vectors.slice(2).map((vector) => tie(store, [vector, removeAxes(statistics, others)]));
  return [normal, ...running];
};

/** Follows `InstanceNormalization`: statistics over space for each example and channel. */
export const instanceNormalization: Rule = (context) => {
  const [x, ...vectors] = givenInputs(context);
  if (x === undefined) return undefined;
  const rank = x.shape.length;
  return standardize(
    context,
    x,
    range(2, rank),
    vectors.map((vector) => alongChannels(vector, rank)),
  );
};

/** Follows `LayerNormalization` and `RMSNormalization`: statistics over the last axes. */
export const layerNormalization: Rule = (context) => {
  const [x, ...others] = givenInputs(context);
  if (x === undefined) return undefined;
  const rank = x.shape.length;
  const first = wrapAxis(intAttribute(context.node, "axis", -1), rank);
  return standardize(context, x, range(first, rank), others);
};

/**
 * Follows `GroupNormalization`: statistics over space and the channels of a group. There is a scale and a
 * bias for each channel, and before operator set 21 for each group.
 */
export const groupNormalization: Rule = (context) => {
  const { store, node, opset } = context;
  const [x, ...vectors] = givenInputs(context);
  if (x === undefined) return undefined;
  const groups = intAttribute(node, "num_groups", 1);
  const grouped = reshape(store, x, [extentOf(x, 0), groups, extentOf(x, 1) / groups, ...x.shape.slice(2)]);
  const aligned = (shape: readonly number[]): Labelled[] =>
    vectors.map((vector) => alongChannels(vector, shape.length));
  const byGroup = opset < 21 ? aligned(grouped.shape) : [];
  const [normal] = standardize(context, grouped, range(2, grouped.shape.length), byGroup);
  const flat = reshape(store, normal, x.shape);
  return [opset < 21 ? flat : tie(store, [flat, ...aligned(x.shape)])];
};

/** Follows `MeanVarianceNormalization`: statistics over axes that an attribute names. */
export const meanVarianceNormalization: Rule = (context) => {
  const axes = intsAttribute(context.node, "axes") ?? [0, 2, 3];
  const x = inputOf(context, 0);
  return standardize(
    context,
    x,
    axes.map((axis) => wrapAxis(axis, x.shape.length)),
  ).slice(0, 1);
};

/** Follows `Softmax`, `LogSoftmax` and `LpNormalization`: division by a sum over an axis. */
export const softmax: Rule = (context) => {
  const x = inputOf(context, 0);
  const rank = x.shape.length;
  const legacy = context.opset < 13 && context.node.op !== "LpNormalization";
  const axis = wrapAxis(intAttribute(context.node, "axis", legacy ? 1 : -1), rank);
  // Before operator set 13, all axes from the given one on were normalised as one.
  return standardize(context, x, legacy ? range(axis, rank) : [axis]).slice(0, 1);
};
