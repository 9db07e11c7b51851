import { at, sizeOf, strideTable, toFloat64 } from "@isthmus/core";
import { intAttribute, MASKED, wrapAxis } from "@isthmus/graph/ir";
import { type Field, spread } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { alignRank } from "../linear/factor-algebra.ts";
import { moving } from "../linear/move-factors.ts";
import { gather } from "../rules/movement.ts";
import { MOVEMENT_RULES } from "../rules/movement-rules.ts";
import { reducedAxes } from "../rules/reduction.ts";
import { inputOf, outputShape, type Rule, type RuleContext } from "../rules/rule.ts";

/**
 * The numbers that are added to the elements of a value when logits are shifted, as codes: elements of equal
 * codes are shifted by equal numbers. Row-major; undefined for a value that does not change.
 */
export type Shifts = Int32Array | undefined;

/** A node that reads shifted values. */
export interface ShiftContext extends RuleContext {
  /** Shifts of each input; undefined for inputs that do not change. */
  readonly shifts: readonly Shifts[];
}

/** Finds the shifts of the outputs of a node; returns undefined if they change otherwise than by a shift. */
type ShiftRule = (context: ShiftContext) => readonly Shifts[] | undefined;

/** Passes the shifts of the first input. */
const pass: ShiftRule = ({ shifts }) => [shifts[0]];

/** Follows operators that move elements, by the positions that they are moved from. */
function moved(rule: Rule): ShiftRule {
  const move = moving(rule);
  return (context) => {
    const { shape } = inputOf(context, 0);
    const [codes, ...others] = context.shifts;
    if (codes === undefined || others.some((other) => other !== undefined)) return undefined;
    const store = new LabelStore();
    store.create(codes.length);
    const axes = shape.flatMap((extent, axis) => (extent > 1 ? [axis] : []));
    const field = { frozen: false, axes, data: strideTable(codes.length, 1) };
    const inputs = context.inputs.map((input, i) => (i === 0 ? { shape, fields: [field] } : input));
    const results = move({ ...context, store, inputs });
    return results?.map((result) => {
      if (result === undefined) return undefined;
      const places = dense(at(result.fields, 0, "field"), result.shape);
      const moves = new Int32Array(places.length);
      for (let i = 0; i < places.length; i++) moves[i] = codes[places[i] as number] as number;
      return moves;
    });
  };
}

/** Repeats numbers that lie on some axes of a shape along all of its axes. */
function dense(numbers: Pick<Field, "axes" | "data">, shape: readonly number[]): Int32Array {
  return spread(
    numbers,
    shape,
    shape.map((_, axis) => axis),
  );
}

/** Broadcasts codes to a shape. */
function broadcast(codes: Int32Array, from: readonly number[], shape: readonly number[]): Int32Array {
  const aligned = alignRank({ shape: from, fields: [] }, shape.length).shape;
  const axes = aligned.flatMap((extent, axis) => (extent > 1 ? [axis] : []));
  return dense({ axes, data: codes }, shape);
}

/** Returns a shape with extents of 1 on some axes: one element for each line along these axes. */
function linesAlong(shape: readonly number[], axes: readonly number[]): readonly number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

/** Follows sums of a shifted value and one that is not shifted. */
const added: ShiftRule = (context) => {
  const shape = outputShape(context);
  const [one, two, ...others] = context.shifts;
  if (others.length > 0 || (one !== undefined && two !== undefined)) return undefined;
  const which = one === undefined ? 1 : 0;
  const codes = one ?? two;
  return codes && [broadcast(codes, inputOf(context, which).shape, shape)];
};

/**
 * Follows operators whose result depends on the difference of two values alone: both must be shifted by the
 * same numbers.
 */
const difference: ShiftRule = (context) => {
  const shape = outputShape(context);
  const [one, two] = context.shifts;
  if (one === undefined || two === undefined) return undefined;
  const [left, right] = [one, two].map((codes, i) => broadcast(codes, inputOf(context, i).shape, shape));
  return left?.every((code, i) => code === right?.[i]) ? [undefined] : undefined;
};

const subtracted: ShiftRule = (context) => {
  const [one, two] = context.shifts;
  if (one !== undefined && two === undefined) return added(context);
  return difference(context);
};

/** Follows a choice by a mask between a shifted value and numbers that are as good as minus infinity. */
const chosen: ShiftRule = (context) => {
  const shape = outputShape(context);
  const [condition, one, two] = context.shifts;
  if (condition !== undefined) return undefined;
  if (one !== undefined && two !== undefined) return undefined;
  const [codes, which] = one === undefined ? [two, 2] : [one, 1];
  const other = context.constant(3 - which);
  if (codes === undefined || other === undefined) return undefined;
  const isMask = toFloat64(other.data, other.dtype).every((value) => value < MASKED);
  return isMask ? [broadcast(codes, inputOf(context, which).shape, shape)] : undefined;
};

/** Returns the shift of each line along some axes; undefined if it is not the same along a whole line. */
function alongAxes(context: ShiftContext, axes: readonly number[]): Int32Array | undefined {
  const { shape } = inputOf(context, 0);
  const [codes] = context.shifts;
  if (codes === undefined) return undefined;
  const lines = linesAlong(shape, axes);
  const first = new Int32Array(sizeOf(lines)).fill(-1);
  const lineOf = broadcast(Int32Array.from(first.keys()), lines, shape);
  for (const [i, code] of codes.entries()) {
    const line = at(lineOf, i, "element");
    if (first[line] === -1) first[line] = code;
    if (first[line] !== code) return undefined;
  }
  return first;
}

/**
 * Creates a rule for operators whose result does not change if all elements along an axis are shifted by the
 * same number.
 */
function invariant(fallback: number): ShiftRule {
  return (context) => {
    const axis = wrapAxis(intAttribute(context.node, "axis", fallback), inputOf(context, 0).shape.length);
    return alongAxes(context, [axis]) && context.outputs.map(() => undefined);
  };
}

/** Follows `Softmax`; before operator set 13 it was along all axes from the one that is named. */
const softmax: ShiftRule = (context) => {
  if (context.opset >= 13) return invariant(-1)(context);
  const { shape } = inputOf(context, 0);
  const first = wrapAxis(intAttribute(context.node, "axis", 1), shape.length);
  const axes = shape.flatMap((_, axis) => (axis >= first ? [axis] : []));
  return alongAxes(context, axes) && [undefined];
};

/** Follows means and extremes, which are shifted by the number that all their elements are shifted by. */
const reduced: ShiftRule = (context) => {
  const axes = reducedAxes(context);
  if (axes === undefined) return undefined;
  const line = alongAxes(context, axes);
  return line && [line];
};

/** Follows `TopK`: the values are shifted, the places are not. */
const largest: ShiftRule = (context) => {
  const { shape } = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), shape.length);
  const line = alongAxes(context, [axis]);
  const result = context.outputs.find((output) => output !== undefined);
  if (line === undefined || result === undefined) return undefined;
  return [broadcast(line, linesAlong(shape, [axis]), result), undefined];
};

/** Follows `GatherElements` by places that do not change. */
const gathered: ShiftRule = (context) => {
  const { shape } = inputOf(context, 0);
  if (context.shifts[1] !== undefined) return undefined;
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), shape.length);
  const line = alongAxes(context, [axis]);
  const result = outputShape(context);
  const isWhole = result.every((extent, other) => other === axis || extent === shape[other]);
  return line && isWhole ? [broadcast(line, linesAlong(shape, [axis]), result)] : undefined;
};

/** Rules by operator, for operators that pass a shift or are not changed by it. */
export const SHIFT_RULES: ReadonlyMap<string, ShiftRule> = new Map<string, ShiftRule>([
  ["Identity", pass],
  ["Dropout", pass],
  ["Add", added],
  ["Sub", subtracted],
  ...["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"].map((op) => [op, difference] as const),
  ["Where", chosen],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["ArgMax", invariant(0)],
  ["ArgMin", invariant(0)],
  ...["ReduceMax", "ReduceMin", "ReduceMean", "ReduceLogSumExp"].map((op) => [op, reduced] as const),
  ["TopK", largest],
  ["GatherElements", gathered],
  ...[...MOVEMENT_RULES].map(([op, rule]) => [op, moved(rule)] as const),
  ["Gather", moved(gather)],
]);
