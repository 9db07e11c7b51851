import { intAttribute } from "@isthmus/graph/ir";
import { coordinate, extentOf, type Field, internKeys, type Labelled, spread } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { contract } from "../primitives/contract.ts";
import { insertAxes, removeAxes, reshape, transpose } from "../primitives/move.ts";
import { joinFields, reduce } from "../primitives/reduce.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, outputShape, type Rule, type RuleContext } from "./rule.ts";

/** Adds coordinates to axes whose order matters, if their extent is more than 1. */
export function fixAxes({ shape, fields }: Labelled, axes: readonly number[]): Labelled {
  const added = axes.flatMap((axis) => {
    const extent = extentOf({ shape }, axis);
    return extent > 1 ? [coordinate(axis, extent)] : [];
  });
  return { shape, fields: [...fields, ...added] };
}

/**
 * Collapses axes whose order matters, such as the axes that a kernel or a window runs over.
 *
 * Labels that lie only on such axes are frozen. Labels that lie on others as well are held rigid along them:
 * pixel shuffle may permute channels, each with its sub-channels held in place.
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
 * Returns a field in which each label occurs at only one place of the ordered axes, and which determines
 * `field`.
 *
 * Reducing compares rows by the labels they hold, in any order; a row and its reverse must not be taken for
 * equal if order matters.
 */
function placeInOrder(
  store: LabelStore,
  field: Field,
  { shape, ordered }: { readonly shape: readonly number[]; readonly ordered: readonly number[] },
): Field {
  const places = ordered.map((axis) => coordinate(axis, extentOf({ shape }, axis)));
  const distinct = store.distinct(field.data).length;
  if (internKeys([field, ...places], shape, field.axes).count === distinct) return field;
  return joinFields(store, shape, [field, ...places]);
}

function indicesAlong(field: Field, shape: readonly number[], axis: number): Int32Array {
  return spread(coordinate(axis, extentOf({ shape }, axis)), shape, field.axes);
}

function spatialAxes(shape: readonly number[]): number[] {
  return shape.map((_, axis) => axis).slice(2);
}

const UNDER_KERNEL = "a convolution slides a kernel along it there";
const KERNEL = "it is an axis of a convolution's kernel";

/** Reshapes activations `[N, C, ...]` to `[N, g, 1, C/g]`. */
function viewChannels(context: RuleContext, groups: number): Labelled {
  const { store } = context;
  const input = inputOf(context, 0);
  const spatial = spatialAxes(input.shape);
  const flat = removeAxes(collapseOrdered(store, input, spatial, UNDER_KERNEL), spatial);
  const [batch, channels] = [extentOf(flat, 0), extentOf(flat, 1)];
  return insertAxes(reshape(store, flat, [batch, groups, channels / groups]), [2]);
}

/** Reshapes a product `[N, g, O/g, 1]` to channels of the output, and adds the bias. */
function flattenGroups(context: RuleContext, product: Labelled): Labelled {
  const { store } = context;
  const shape = outputShape(context);
  const flat = reshape(store, product, [extentOf(product, 0), extentOf({ shape }, 1)]);
  const spatial = spatialAxes(shape);
  const bias = context.inputs[2];
  const biased = bias === undefined ? flat : tie(store, [flat, bias]);
  return fixAxes({ shape, fields: biased.fields }, spatial);
}

/** Removes the kernel axes of weights `[A, B, ...]`. */
function dropKernel(context: RuleContext): Labelled {
  const weight = inputOf(context, 1);
  const kernel = spatialAxes(weight.shape);
  return removeAxes(collapseOrdered(context.store, weight, kernel, KERNEL), kernel);
}

/** Follows a `Conv`, dense, grouped or depthwise. Weight `[O, C/g, ...]`, seen as `[g, O/g, C/g]`. */
export const convolution: Rule = (context) => {
  const { store, node } = context;
  const groups = intAttribute(node, "group", 1);
  const x = viewChannels(context, groups);
  const kernel = dropKernel(context);
  const [outputs, perGroup] = [extentOf(kernel, 0), extentOf(kernel, 1)];
  const w = reshape(store, kernel, [groups, outputs / groups, perGroup]);
  return [flattenGroups(context, multiply(context, x, w))];
};

/** Follows a `ConvTranspose`. Weight `[C, O/g, ...]`, seen as `[g, C/g, O/g]`. */
export const convTranspose: Rule = (context) => {
  const { store, node } = context;
  const groups = intAttribute(node, "group", 1);
  const x = viewChannels(context, groups);
  const kernel = dropKernel(context);
  const [inputs, perGroup] = [extentOf(kernel, 0), extentOf(kernel, 1)];
  const view = reshape(store, kernel, [groups, inputs / groups, perGroup]);
  return [flattenGroups(context, multiply(context, x, transpose(view, [0, 2, 1])))];
};

/** Sums `[N, g, 1, C/g] x [g, O/g, C/g]` over the last axis, which stays with extent 1. */
function multiply(context: RuleContext, x: Labelled, w: Labelled): Labelled {
  const factors = [
    { tensor: x, activation: context.isActivation(0) },
    { tensor: w, activation: context.isActivation(1) },
  ];
  return contract(context.store, factors, [3]);
}
