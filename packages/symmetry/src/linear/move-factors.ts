import { constantNumbers, intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { Field, Labelled } from "../labels/field.ts";
import { reducedAxes, windowedAxes } from "../rules/reduction.ts";
import { givenInputs, inputOf, isComputed, namedAxes, outputShape, type Rule } from "../rules/rule.ts";
import type { FactorContext, FactorRule } from "./rule.ts";
import { ONE } from "./signed-sets.ts";

/** Moves factors as a rule of labels moves labels; undefined if it joined or dropped any. */
export function moving(rule: Rule): FactorRule {
  return (context) => {
    const [x] = context.inputs;
    const labels = context.store.count;
    const results = rule(context);
    if (x === undefined || results === undefined || context.store.count !== labels) return undefined;
    const kept = results.every((made) => made === undefined || made.fields.length === x.fields.length);
    return kept ? results : undefined;
  };
}

/** `Gather`: constant indices take; along an axis with computed ones nothing may change. */
export function gathering(rule: Rule): FactorRule {
  const takes = moving(rule);
  return (context) => {
    if (context.constant(1) !== undefined) return takes(context);
    const { algebra } = context;
    const data = inputOf(context, 0);
    const axis = wrapAxis(intAttribute(context.node, "axis", 0), data.shape.length);
    const kept = algebra.fixAlong(data, [axis]);
    const indices = context.inputs[1];
    if (indices !== undefined) algebra.fix(indices);
    const added = (indices?.shape.length ?? 0) - 1;
    const move = (other: number): number => (other < axis ? other : other + added);
    const fields = kept.fields.map((field) => ({ ...field, axes: field.axes.map(move) }));
    return [{ shape: outputShape(context), fields }];
  };
}

/** `Concat`: along its axis factors stand one after the other, along others they must be equal. */
export const concatenateFactors: FactorRule = (context) => {
  const { algebra } = context;
  const inputs = givenInputs(context);
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
  if (blocks.some((fields) => fields.length > 1 || fields.some(({ axes }) => axes.length > 1)))
    return undefined;
  const data = new Int32Array(shape[axis] ?? 1).fill(ONE);
  let at = 0;
  inputs.forEach((input, i) => {
    data.set(blocks[i]?.[0]?.data ?? [], at);
    at += input.shape[axis] ?? 1;
  });
  return [{ shape, fields: [...common.fields, { frozen: false, axes: [axis], data }] }];
};

/** `Pad` with zeros; factors on padded axes stay 1 where zeros are. */
export const padFactors: FactorRule = (context) => {
  const { algebra, node } = context;
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const [value = 0] = context.inputs[2] === undefined ? [] : (constantNumbers(context, 2) ?? [1]);
  if (value !== 0 || stringAttribute(node, "mode", "constant") !== "constant") return undefined;
  const padded = paddedAxes(context);
  return padded === undefined ? undefined : [{ shape, fields: algebra.fixAlong(x, padded).fields }];
};

/** Axes that are padded or cut at either end, which may leave their extent as it is; undefined if that depends on data. */
function paddedAxes(context: FactorContext): readonly number[] | undefined {
  const rank = inputOf(context, 0).shape.length;
  const pads = intsAttribute(context.node, "pads") ?? constantNumbers(context, 1);
  if (pads === undefined || isComputed(context, 3)) return undefined;
  const axes = namedAxes(context, 3, rank) ?? Array.from({ length: rank }, (_, axis) => axis);
  return axes.filter((_, i) => pads[i] !== 0 || pads[i + axes.length] !== 0);
}

/** Sums and means: along summed axes nothing may change, as no factor would come out of the sum. */
export const sumFactors: FactorRule = (context) => {
  const { algebra, node } = context;
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const axes = reducedAxes(context);
  if (axes === undefined) return undefined;
  const kept = algebra.fixAlong(x, axes);
  if (intAttribute(node, "keepdims", 1) === 1) return [{ shape, fields: kept.fields }];
  const left = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const fields = kept.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => left.indexOf(axis)),
  }));
  return [{ shape, fields }];
};

/** Windows and resizing: other axes than those whose neighbours meet pass. */
export const windowFactors: FactorRule = (context) => {
  const touched = windowedAxes(context);
  if (touched === undefined) return undefined;
  const { fields } = context.algebra.fixAlong(inputOf(context, 0), touched);
  return [{ shape: outputShape(context), fields }];
};
