import { add, pad, reduceSum, reverse, slice, sub, type Value } from "@isthmus/graph/builder";
import { intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  cotangent,
  type GradientContext,
  type GradientRule,
  operand,
  refuseVariant,
  settledNumbers,
} from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** Something around: the gradient without its border, plus that of the border folded back to where it was copied from. */
export const padRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const g = cotangent(context);
  const { before, after } = padsOf(context, x.shape.length);
  const mode = stringAttribute(context.node, "mode", "constant");
  if (mode === "constant") {
    const inner = pad(g, before.map(negate), after.map(negate));
    return [inner, undefined, context.needs(2) ? borderSum(context, g, { before, after }) : undefined];
  }
  const fold = FOLDS[mode];
  if (fold === undefined)
    return refuseVariant(context, "must be of mode constant, reflect, edge or wrap", mode);
  if ([...before, ...after].some((extent) => extent < 0)) {
    return refuseVariant(context, `of mode ${mode} must not cut off`, `[${[...before, ...after]}]`);
  }
  return [x.shape.reduce((total, _, axis) => foldAxis(total, axis, { before, after, fold }), g)];
};

// Not -extent, which makes -0 of 0.
const negate = (extent: number): number => 0 - extent;

interface Pads {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function padsOf(context: GradientContext, rank: number): Pads {
  const pads = intsAttribute(context.node, "pads") ?? settledNumbers(context, 1) ?? [];
  const axes = settledNumbers(context, 3)?.map((axis) => wrapAxis(axis, rank));
  const count = pads.length / 2;
  const at = (offset: number) =>
    Array.from({ length: rank }, (_, axis) => {
      const i = axes === undefined ? axis : axes.indexOf(axis);
      return i < 0 ? 0 : (pads[offset + i] ?? 0);
    });
  return { before: at(0), after: at(count) };
}

/** Gradient for the constant around: what all elements receive less what those within do. */
function borderSum(context: GradientContext, g: Value, { before, after }: Pads): Value {
  const { shape } = operand(context, 2);
  const kept = (pads: readonly number[]) => pads.map((extent) => 0 - Math.max(0, extent));
  const inner = pad(g, kept(before), kept(after));
  const total = (value: Value) => reduceToShape(reduceSum(value), shape);
  return sub(total(g), total(inner));
}

/** What a border of some elements, copied from a line of `extent`, adds to that line, before or behind it. */
type Fold = (
  border: Value,
  axis: number,
  line: { readonly extent: number; readonly isBefore: boolean },
) => Value;

const FOLDS: Readonly<Record<string, Fold | undefined>> = {
  edge: (border, axis, { extent, isBefore }) =>
    place(reduceSum(border, { axes: [axis], keepDims: true }), axis, {
      begin: isBefore ? 0 : extent - 1,
      extent,
    }),
  reflect: (border, axis, { extent, isBefore }) => {
    const count = border.shape[axis] ?? 0;
    return place(reverse(border, axis), axis, { begin: isBefore ? 1 : extent - 1 - count, extent });
  },
  wrap: (border, axis, { extent, isBefore }) => {
    const count = border.shape[axis] ?? 0;
    return place(border, axis, { begin: isBefore ? extent - count : 0, extent });
  },
};

/** `x` from `begin` on along a line of zeros. */
function place(x: Value, axis: number, line: { readonly begin: number; readonly extent: number }): Value {
  const at = (value: number) => x.shape.map((_, i) => (i === axis ? value : 0));
  return pad(x, at(line.begin), at(line.extent - line.begin - (x.shape[axis] ?? 0)));
}

function foldAxis(g: Value, axis: number, { before, after, fold }: Pads & { readonly fold: Fold }): Value {
  const [front, back, whole] = [before[axis] ?? 0, after[axis] ?? 0, g.shape[axis] ?? 0];
  const extent = whole - front - back;
  const part = (begin: number, end: number) => slice(g, [{ axis, begin, end }]);
  const inner = part(front, front + extent);
  const withFront = front === 0 ? inner : add(inner, fold(part(0, front), axis, { extent, isBefore: true }));
  if (back === 0) return withFront;
  return add(withFront, fold(part(front + extent, whole), axis, { extent, isBefore: false }));
}
