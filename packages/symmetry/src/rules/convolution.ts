import { intAttribute } from "@isthmus/graph/ir";
import { coordinate, type Field, internKeys, type Labelled, spread } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { contract } from "../primitives/contract.ts";
import { insertAxes, removeAxes, reshape, transpose } from "../primitives/move.ts";
import { joinFields, reduce } from "../primitives/reduce.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, outputShape, type Rule, type RuleContext } from "./rule.ts";

/** Axes of extent > 1 get coordinates: what is done to them depends on their order. */
export function fixAxes({ shape, fields }: Labelled, axes: readonly number[]): Labelled {
  const added = axes.flatMap((axis) => ((shape[axis] ?? 1) > 1 ? [coordinate(axis, shape[axis] ?? 1)] : []));
  return { shape, fields: [...fields, ...added] };
}

/**
 * Collapses axes whose order matters, as those a kernel or a window runs over.
 *
 * Labels on such an axis only are frozen. Labels on others as well are held rigid along it: pixel shuffle may
 * permute channels, each with its sub-channels held in place.
 */
export function collapseOrdered(
  store: LabelStore,
  input: Labelled,
  axes: readonly number[],
  reason: string,
): Labelled {
  const { shape } = input;
  const fields = input.fields.map((field) => {
    const ordered = field.axes.filter((axis) => axes.includes(axis));
    if (field.frozen || ordered.length === 0) return field;
    if (ordered.length === field.axes.length) {
      store.freeze(field.data, reason);
      return field;
    }
    for (const axis of ordered) store.mark(field.data, indicesAlong(field, shape, axis), reason);
    return placeInOrder(store, field, { shape, ordered });
  });
  return reduce(store, { shape, fields }, axes);
}

/**
 * A field that a label occurs in at one place of the ordered axes only. Rows are told apart by the labels they hold in any
 * order; a row and the same turned round must not be taken for equal where order matters.
 */
function placeInOrder(
  store: LabelStore,
  field: Field,
  { shape, ordered }: { readonly shape: readonly number[]; readonly ordered: readonly number[] },
): Field {
  const places = ordered.map((axis) => coordinate(axis, shape[axis] ?? 1));
  const distinct = store.distinct(field.data).length;
  if (internKeys([field, ...places], shape, field.axes).count === distinct) return field;
  return joinFields(store, shape, [field, ...places]);
}

function indicesAlong(field: Field, shape: readonly number[], axis: number): Int32Array {
  return spread(coordinate(axis, shape[axis] ?? 1), shape, field.axes);
}

function spatialAxes(shape: readonly number[]): number[] {
  return shape.map((_, axis) => axis).slice(2);
}

const UNDER_KERNEL = "a convolution slides a kernel along it there";
const KERNEL = "it is an axis of a convolution's kernel";

/** Activations `[N, C, ...]` as `[N, g, 1, C/g]`. */
function viewChannels(context: RuleContext, groups: number): Labelled {
  const { store } = context;
  const input = inputOf(context, 0);
  const spatial = spatialAxes(input.shape);
  const flat = removeAxes(collapseOrdered(store, input, spatial, UNDER_KERNEL), spatial);
  const [batch = 1, channels = 1] = flat.shape;
  return insertAxes(reshape(store, flat, [batch, groups, channels / groups]), [2]);
}

function flattenGroups(context: RuleContext, product: Labelled, groups: number): Labelled {
  const { store } = context;
  const shape = outputShape(context);
  const [batch = 1] = product.shape;
  const perGroup = (shape[1] ?? 1) / groups;
  const flat = reshape(store, product, [batch, groups * perGroup]);
  const spatial = spatialAxes(shape);
  const bias = context.inputs[2];
  const biased = bias === undefined ? flat : tie(store, [flat, bias]);
  return fixAxes({ shape, fields: biased.fields }, spatial);
}

/** Weights `[A, B, ...]` without their kernel axes. */
function dropKernel(context: RuleContext): Labelled {
  const weight = inputOf(context, 1);
  const kernel = spatialAxes(weight.shape);
  return removeAxes(collapseOrdered(context.store, weight, kernel, KERNEL), kernel);
}

/** `Conv`, dense, grouped or depthwise. Weight `[O, C/g, ...]`, seen as `[g, O/g, C/g]`. */
export const convolution: Rule = (context) => {
  const { store, node } = context;
  const groups = intAttribute(node, "group", 1);
  const x = viewChannels(context, groups);
  const kernel = dropKernel(context);
  const [outputs = 1, perGroup = 1] = kernel.shape;
  const w = insertAxes(reshape(store, kernel, [groups, outputs / groups, perGroup]), [0]);
  return [flattenGroups(context, multiply(context, x, w), groups)];
};

/** `ConvTranspose`. Weight `[C, O/g, ...]`, seen as `[g, C/g, O/g]`. */
export const convTranspose: Rule = (context) => {
  const { store, node } = context;
  const groups = intAttribute(node, "group", 1);
  const x = viewChannels(context, groups);
  const kernel = dropKernel(context);
  const [inputs = 1, perGroup = 1] = kernel.shape;
  const view = reshape(store, kernel, [groups, inputs / groups, perGroup]);
  const w = insertAxes(transpose(view, [0, 2, 1]), [0]);
  return [flattenGroups(context, multiply(context, x, w), groups)];
};

/** Sums `[N, g, 1, C/g] x [1, g, O/g, C/g]` over the last axis. */
function multiply(context: RuleContext, x: Labelled, w: Labelled): Labelled {
  const factors = [
    { tensor: x, activation: context.isActivation(0) },
    { tensor: w, activation: context.isActivation(1) },
  ];
  return removeAxes(contract(context.store, factors, [3]), [3]);
}
