import { at } from "@isthmus/core";
import { add, pad, reduceSum, reshape, reverse, slice, sub, type Value } from "@isthmus/graph/builder";
import { intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * Differentiates a slice with steps along axes: `g` at the places of the elements,
 * zeros between and around them.
 */
const sliceRule: GradientRule = (context) => {
  const x = context.operand(0);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  let g = context.cotangent();
  for (const { axis, first, step } of sliceRanges(context, x.shape)) {
    const count = at(g.shape, axis, "axis");
    if (count === 0) continue;
    // If a slice is read backwards, its last element comes first.
    const begin = step < 0 ? first + (count - 1) * step : first;
    g = spreadElements(step < 0 ? reverse(g, axis) : g, axis, Math.abs(step));
    before[axis] = begin;
    after[axis] = at(x.shape, axis, "axis") - begin - at(g.shape, axis, "axis");
  }
  // An empty slice has no elements to pad.
  return g.shape.includes(0) ? [undefined] : [pad(g, before, after)];
};

/** Elements that a slice reads along one axis. */
interface SlicedAxis {
  readonly axis: number;
  /** Position of the first element that is read. */
  readonly first: number;
  /** Distance of elements, negative if they are read backwards. */
  readonly step: number;
}

function sliceRanges(context: GradientContext, shape: readonly number[]): SlicedAxis[] {
  const { node } = context;
  if (node.attributes.has("starts"))
    context.refuseVariant("must have its places as inputs", "of an operator set before 10");
  const begins = context.requiredNumbers(1);
  const axes = context.settledNumbers(3) ?? begins.map((_, i) => i);
  const steps = context.settledNumbers(4) ?? begins.map(() => 1);
  return begins.map((begin, i) => {
    const axis = wrapAxis(at(axes, i, "axis"), shape.length);
    const extent = at(shape, axis, "axis");
    const step = at(steps, i, "step");
    const first = Math.max(0, Math.min(begin < 0 ? begin + extent : begin, step < 0 ? extent - 1 : extent));
    return { axis, first, step };
  });
}

/** Places elements `step` apart, with zeros between them and behind the last. */
function spreadElements(x: Value, axis: number, step: number): Value {
  if (step === 1) return x;
  const lined = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const none = lined.map(() => 0);
  const padded = pad(
    reshape(x, lined),
    none,
    none.map((zero, i) => (i === axis + 1 ? step - 1 : zero)),
  );
  return reshape(
    padded,
    x.shape.map((extent, i) => (i === axis ? extent * step : extent)),
  );
}

/**
 * Differentiates a border around `x`: `g` without its border, plus the border of `g` added
 * back to the elements that the border was copied from; to the constant of a constant border
 * the sum of the border of `g`.
 * @throws UnsupportedError for modes other than constant, reflect, edge and wrap, and for
 *   a copying mode that cuts off
 */
const padRule: GradientRule = (context) => {
  const x = context.operand(0);
  const g = context.cotangent();
  const { before, after } = padsOf(context, x.shape.length);
  const mode = stringAttribute(context.node, "mode", "constant");
  if (mode === "constant") {
    const inner = pad(g, before.map(negate), after.map(negate));
    return [inner, undefined, context.needs(2) ? borderSum(context, g, { before, after }) : undefined];
  }
  const fold = FOLDS[mode];
  if (fold === undefined)
    return context.refuseVariant("must be of mode constant, reflect, edge or wrap", mode);
  if ([...before, ...after].some((extent) => extent < 0)) {
    return context.refuseVariant(`of mode ${mode} must not cut off`, `[${[...before, ...after]}]`);
  }
  return [x.shape.reduce((total, _, axis) => foldAxis(total, axis, { before, after, fold }), g)];
};

// Not -extent, which makes -0 of 0.
const negate = (extent: number): number => 0 - extent;

/**
 * Numbers of elements added at the beginning and at the end of every axis; negative numbers cut elements off.
 */
interface Pads {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function padsOf(context: GradientContext, rank: number): Pads {
  const pads = intsAttribute(context.node, "pads") ?? context.requiredNumbers(1);
  const axes = context.settledNumbers(3)?.map((axis) => wrapAxis(axis, rank));
  const count = pads.length / 2;
  const padsFrom = (offset: number) =>
    Array.from({ length: rank }, (_, axis) => {
      const i = axes === undefined ? axis : axes.indexOf(axis);
      return i < 0 ? 0 : at(pads, offset + i, "pad");
    });
  return { before: padsFrom(0), after: padsFrom(count) };
}

/**
 * Computes the gradient for the constant of a border: the sum of all of `g` less the sum of its inner part.
 */
function borderSum(context: GradientContext, g: Value, { before, after }: Pads): Value {
  const { shape } = context.operand(2);
  const withoutAdded = (pads: readonly number[]) => pads.map((extent) => 0 - Math.max(0, extent));
  const inner = pad(g, withoutAdded(before), withoutAdded(after));
  const total = (value: Value) => reduceToShape(reduceSum(value), shape);
  return sub(total(g), total(inner));
}

/**
 * Function that computes the contribution of a border before or behind a line of `extent` elements, copied
 * from the line, to the gradient of that line.
 */
type Fold = (
  border: Value,
  axis: number,
  line: { readonly extent: number; readonly isBefore: boolean },
) => Value;

/** Folds by the mode of padding. */
const FOLDS: Readonly<Record<string, Fold | undefined>> = {
  edge: (border, axis, { extent, isBefore }) =>
    placeOnLine(reduceSum(border, { axes: [axis], keepDims: true }), axis, {
      begin: isBefore ? 0 : extent - 1,
      extent,
    }),
  reflect: (border, axis, { extent, isBefore }) => {
    const count = at(border.shape, axis, "axis");
    return placeOnLine(reverse(border, axis), axis, { begin: isBefore ? 1 : extent - 1 - count, extent });
  },
  wrap: (border, axis, { extent, isBefore }) => {
    const count = at(border.shape, axis, "axis");
    return placeOnLine(border, axis, { begin: isBefore ? extent - count : 0, extent });
  },
};

/** Places `x` on a line of zeros, from `begin` on. */
function placeOnLine(
  x: Value,
  axis: number,
  line: { readonly begin: number; readonly extent: number },
): Value {
  const onAxis = (value: number) => x.shape.map((_, i) => (i === axis ? value : 0));
  return pad(x, onAxis(line.begin), onAxis(line.extent - line.begin - at(x.shape, axis, "axis")));
}

function foldAxis(g: Value, axis: number, { before, after, fold }: Pads & { readonly fold: Fold }): Value {
  const [front, back] = [at(before, axis, "pad"), at(after, axis, "pad")];
  const whole = at(g.shape, axis, "axis");
  const extent = whole - front - back;
  const part = (begin: number, end: number) => slice(g, [{ axis, begin, end }]);
  const inner = part(front, front + extent);
  const withFront = front === 0 ? inner : add(inner, fold(part(0, front), axis, { extent, isBefore: true }));
  if (back === 0) return withFront;
  return add(withFront, fold(part(front + extent, whole), axis, { extent, isBefore: false }));
}

/**
 * Rules of cutting elements off the ends of axes and of adding elements there, which are adjoint to each
 * other.
 */
export const SLICE_PAD_RULES: GradientRules = { Pad: padRule, Slice: sliceRule };
