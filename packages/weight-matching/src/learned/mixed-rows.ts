import { at, entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  concat,
  gather,
  matMul,
  reshape,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import { type MixedField, type MixingSpace, type MixingSymmetries, occurrencesOf } from "@isthmus/symmetry";

/** The matrix of a space, or its inverse, transposed. */
export interface MixingFactor {
  readonly space: number;
  readonly isInverse: boolean;
}

/** Rows of a weight on which matrices of one size act. */
export interface RowGroup {
  /** Rows that each matrix mixes. */
  readonly size: number;
  /** What mixes the first rows, what the next, and so on. */
  readonly factors: readonly MixingFactor[];
  /** Positions of the rows along the axes of the field, `[factors * size]`. */
  readonly positions: readonly number[];
}

/** A weight, seen by axes along which it is mixed. */
export interface RowView {
  /** Shape the axes refer to. */
  readonly view: readonly number[];
  readonly axes: readonly number[];
  readonly groups: readonly RowGroup[];
}

/** A weight that matrices change, and how. */
export interface MixedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly views: readonly RowView[];
}

/** Lists the weights of a graph that matrices change. */
export function mixedWeights({ weights }: Graph, mixing: MixingSymmetries): MixedWeight[] {
  return [...mixing.weights].map(([name, { view, fields }]) => ({
    name,
    shape: entry(weights, name, "weight").shape,
    views: fields.map((field) => ({ view, axes: field.axes, groups: groupRows(field, mixing.spaces) })),
  }));
}

/** Groups the rows of a field by the size of what mixes them. */
function groupRows({ units, inverse }: MixedField, spaces: readonly MixingSpace[]): RowGroup[] {
  // Along a single axis the first element of each row is its position.
  const layout = { view: [units.length], fields: [{ axes: [0], units, inverse }] };
  const bySize = new Map<number, { factors: MixingFactor[]; positions: number[] }>();
  for (const { space, isInverse, bases } of occurrencesOf(layout, spaces)) {
    const group = bySize.get(bases.length) ?? { factors: [], positions: [] };
    group.factors.push({ space, isInverse });
    for (const position of bases) group.positions.push(position);
    bySize.set(bases.length, group);
  }
  return [...bySize].map(([size, group]) => ({ size, ...group }));
}

/** Brings the axes of a view to the front: `[positions, others]`. */
export function toRows(x: Value, { view, axes }: RowView): Value {
  const ahead = transpose(reshape(x, view), axesFirst(view, axes));
  return reshape(ahead, [axes.reduce((product, axis) => product * at(view, axis, "axis"), 1), -1]);
}

/** Brings the axes of a view back to where they were; the result has the shape of the view. */
export function fromRows(rows: Value, { view, axes }: RowView): Value {
  const order = axesFirst(view, axes);
  const extents = order.map((axis) => at(view, axis, "axis"));
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(reshape(rows, extents), back);
}

function axesFirst(view: readonly number[], axes: readonly number[]): number[] {
  return [...axes, ...view.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))];
}

/**
 * Mixes rows, `[positions, others]`; those of no group stay.
 * @param matricesOf - the matrices of a group, `[factors, size, size]`
 */
export function mixRows(rows: Value, { groups }: RowView, matricesOf: (group: RowGroup) => Value): Value {
  const [extent = 0, others = 0] = rows.shape;
  const parts = groups.map((group) =>
    reshape(matMul(matricesOf(group), stackRows(rows, group)), [group.positions.length, others]),
  );
  const taken = groups.flatMap(({ positions }) => positions);
  const isTaken = new Set(taken);
  const left = Array.from({ length: extent }, (_, row) => row).filter((row) => !isTaken.has(row));
  if (left.length > 0) parts.push(pickRows(rows, left));
  const places = new Int32Array(extent);
  [...taken, ...left].forEach((position, place) => {
    places[position] = place;
  });
  return pickRows(parts.length === 1 ? at(parts, 0, "part") : concat(parts, 0), [...places]);
}

/** Multiplies rows of one weight by those of another, `[factors, size, size]`: the sums of `left_i right_j`. */
export function multiplyRows(left: Value, right: Value, group: RowGroup): Value {
  return matMul(stackRows(left, group), transposeLast(stackRows(right, group)));
}

/** Takes the rows of a group, `[factors, size, others]`. */
function stackRows(rows: Value, { factors, size, positions }: RowGroup): Value {
  return reshape(pickRows(rows, positions), [factors.length, size, -1]);
}

/** Takes rows at some positions; all of them in their order are the rows themselves. */
export function pickRows(rows: Value, positions: readonly number[]): Value {
  const isWhole = positions.length === rows.shape[0] && positions.every((position, row) => position === row);
  return isWhole ? rows : gather(rows, rows.builder.ints(positions), 0);
}
