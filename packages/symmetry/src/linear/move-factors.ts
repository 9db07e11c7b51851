import { at } from "@isthmus/core";
import { constantNumbers, intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import { countPositions, extentOf, type Field, type Labelled, spread } from "../labels/field.ts";
import { reducedAxes, windowedAxes } from "../rules/reduction.ts";
import { givenInputs, inputOf, isComputed, namedAxes, outputShape, type Rule } from "../rules/rule.ts";
import type { FactorContext, FactorRule } from "./rule.ts";

/**
 * Creates a rule that moves factors as a rule of labels moves labels; the rule returns undefined if moving
 * joins or drops fields.
 */
export function moving(rule: Rule): Rule {
  return (context) => {
    const [x] = context.inputs;
    const labels = context.store.count;
    const results = rule(context);
    if (x === undefined || results === undefined || context.store.count !== labels) return undefined;
    const isComplete = results.every((made) => made === undefined || made.fields.length === x.fields.length);
    return isComplete ? results : undefined;
  };
}

/**
 * Creates a rule for `Gather`: constant indices are taken; along an axis with computed indices factors must
 * be 1.
 */
export function gathering(rule: Rule): FactorRule {
  const takes = moving(rule);
  return (context) => {
    if (context.constant(1) !== undefined) return takes(context);
    const { algebra } = context;
    const data = inputOf(context, 0);
    const axis = wrapAxis(intAttribute(context.node, "axis", 0), data.shape.length);
    const fixed = algebra.fixAlong(data, [axis]);
    const indices = inputOf(context, 1);
    algebra.fix(indices);
    const added = indices.shape.length - 1;
    const move = (other: number): number => (other < axis ? other : other + added);
    const fields = fixed.fields.map((field) => ({ ...field, axes: field.axes.map(move) }));
    return [{ shape: outputShape(context), fields }];
  };
}

/** Follows `Concat`: along its axis factors are put one after the other, along others they must be equal. */
export const concatenateFactors: FactorRule = (context) => {
  const { algebra } = context;
  const inputs = givenInputs(context).map((input) => algebra.changing(input));
  const shape = outputShape(context);
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), shape.length);
  const onAxis = ({ fields }: Labelled): readonly Field[] => fields.filter(({ axes }) => axes.includes(axis));
  const rest = inputs.map((input) => ({
    shape: input.shape.map((extent, other) => (other === axis ? 1 : extent)),
    fields: input.fields.filter(({ axes }) => !axes.includes(axis)),
  }));
  const common = algebra.add(rest, shape);
  const blocks = inputs.map(onAxis);
  if (blocks.every((fields) => fields.length === 0)) return [common];
  if (blocks.some((fields) => fields.length > 1)) return undefined;
  const axes = [...new Set(blocks.flatMap((fields) => fields.flatMap((field) => field.axes)))];
  axes.sort((a, b) => a - b);
  const parts = inputs.map((input, i) => ({ shape: input.shape, fields: at(blocks, i, "input") }));
  const data = joinAlong(parts, shape, { axes, axis });
  return [{ shape, fields: [...common.fields, { frozen: false, axes, data }] }];
};

/**
 * Puts the data of tensors with at most one field each one after the other along an axis; 0 for tensors
 * without a field.
 *
 * @param axes - all axes of the fields, and the axis; ascending
 * @returns row-major over `axes`
 */
export function joinAlong(
  inputs: readonly Labelled[],
  shape: readonly number[],
  { axes, axis }: { readonly axes: readonly number[]; readonly axis: number },
): Int32Array {
  const inner = countPositions(shape, axes.slice(axes.indexOf(axis) + 1));
  const block = extentOf({ shape }, axis) * inner;
  const data = new Int32Array(countPositions(shape, axes));
  let begin = 0;
  for (const input of inputs) {
    const width = extentOf(input, axis) * inner;
    const [field] = input.fields;
    if (field !== undefined) {
      const part = spread(field, input.shape, axes);
      for (let outer = 0; outer * width < part.length; outer++) {
        data.set(part.subarray(outer * width, (outer + 1) * width), outer * block + begin);
      }
    }
    begin += width;
  }
  return data;
}

/** Follows `Pad` with zeros; factors on padded axes must be 1. */
export const padFactors: FactorRule = (context) => {
  const { algebra, node } = context;
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const [value = 0] = context.inputs[2] === undefined ? [] : (constantNumbers(context, 2) ?? [1]);
  if (value !== 0 || stringAttribute(node, "mode", "constant") !== "constant") return undefined;
  const padded = paddedAxes(context);
  return padded === undefined ? undefined : [{ shape, fields: algebra.fixAlong(x, padded).fields }];
};

/**
 * Finds the axes that are padded or cut at either end, which may not change their extent; undefined if the
 * amounts depend on data.
 */
function paddedAxes(context: FactorContext): readonly number[] | undefined {
  const rank = inputOf(context, 0).shape.length;
  const pads = intsAttribute(context.node, "pads") ?? constantNumbers(context, 1);
  if (pads === undefined || isComputed(context, 3)) return undefined;
  const axes = namedAxes(context, 3, rank) ?? Array.from({ length: rank }, (_, axis) => axis);
  return axes.filter((_, i) => pads[i] !== 0 || pads[i + axes.length] !== 0);
}

/** Follows sums and means: along summed axes factors must be 1, as none could be taken out of the sum. */
export const sumFactors: FactorRule = (context) => {
  const { algebra, node } = context;
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const axes = reducedAxes(context);
  if (axes === undefined) return undefined;
  const fixed = algebra.fixAlong(x, axes);
  if (intAttribute(node, "keepdims", 1) === 1) return [{ shape, fields: fixed.fields }];
  const left = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const fields = fixed.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => left.indexOf(axis)),
  }));
  return [{ shape, fields }];
};

/** Follows windows and resizing: factors pass along axes whose neighbours are not combined. */
export const windowFactors: FactorRule = (context) => {
  const touched = windowedAxes(context);
  if (touched === undefined) return undefined;
  const { fields } = context.algebra.fixAlong(inputOf(context, 0), touched);
  return [{ shape: outputShape(context), fields }];
};
