import { at, entry } from "@isthmus/core";
import {
  add,
  concat,
  gather,
  matMul,
  reshape,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import {
  type FactorLayout,
  type MixedField,
  type MixedLayout,
  type MixingSpace,
  occurrencesOf,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import type { StreamFrame } from "../stream-frame.ts";
import { spaceLayout, unitSpace } from "../unit-rows.ts";

/** The matrix of a space, or its inverse, transposed. */
export interface MixingFactor {
  /** Index of the space whose matrix it is, or of the movable units for permuted rows. */
  readonly space: number;
  /** Whether it is the transposed inverse instead of the matrix. */
  readonly isInverse: boolean;
}

/** Rows of a weight on which matrices of one size act. */
export interface RowGroup {
  /** Rows that each matrix mixes. */
  readonly size: number;
  /** Matrices that mix the rows: one for the first `size` rows, one for the next, and so on. */
  readonly factors: readonly MixingFactor[];
  /** Positions of the rows along the axes of the field, `[factors * size]`. */
  readonly positions: readonly number[];
}

/** Axes of a weight that come first when it is seen as rows. */
export interface RowAxes {
  /** Shape the axes refer to. */
  readonly view: readonly number[];
  /** Axes of the view that are brought to the front, in order. */
  readonly axes: readonly number[];
}

/** Axes of a weight along which matrices mix rows. */
export interface MixedRows extends RowAxes {
  /** Groups of rows, one for each size of matrix; other rows stay. */
  readonly groups: readonly RowGroup[];
}

/** Axes of a weight along which factors multiply rows. */
export interface MultipliedRows extends RowAxes {
  /** Code of the variable of each row, as in a `FactorField`: `v + 1`, `-(v + 1)` or 0. */
  readonly variables: Int32Array;
  /** The number around which elements are multiplied. */
  readonly origin: number;
}

/** A weight that matrices or factors change, and how. */
export interface ChangedWeight {
  /** Name of the weight in the graph. */
  readonly name: string;
  /** Shape of the weight in the graph. */
  readonly shape: readonly number[];
  /** Rows that the matrices of spaces mix, by field of the weight. */
  readonly mixed: readonly MixedRows[];
  /** Rows that scales multiply, by field of the weight. */
  readonly multiplied: readonly MultipliedRows[];
  /** Rows of movable units: a factor's space is the index of the units. */
  readonly permuted: readonly MixedRows[];
}

/** Lists the weights that the spaces of a frame, scales beside them, and movable units change. */
export function changedWeights(
  { graph, symmetries: { spec } }: SymmetricArchitecture,
  frame: StreamFrame,
): ChangedWeight[] {
  const { mixing } = frame.symmetries;
  const ofUnits = frame.movable.map(({ symmetry }) => unitSpace(symmetry));
  const permutedRows = (name: string): MixedRows[] =>
    ofUnits.length === 0 ? [] : mixedRows(spaceLayout(entry(spec.weights, name, "weight")), ofUnits);
  const { weights: scaled } = frame.units.scales;
  return [...graph.weights].flatMap(([name, { shape }]): ChangedWeight[] => {
    const [ofSpaces, ofScales] = [mixing.weights.get(name), scaled.get(name)];
    const permuted = permutedRows(name);
    if (ofSpaces === undefined && ofScales === undefined && permuted.length === 0) return [];
    const mixed = ofSpaces === undefined ? [] : mixedRows(ofSpaces, mixing.spaces);
    const multiplied = ofScales === undefined ? [] : multipliedRows(ofScales);
    return [{ name, shape, mixed, multiplied, permuted }];
  });
}

/** Lists the rows of a weight that spaces lie in. */
function mixedRows({ view, fields }: MixedLayout, spaces: readonly MixingSpace[]): MixedRows[] {
  const rows = fields.map((field) => ({ view, axes: field.axes, groups: groupRows(field, spaces) }));
  return rows.filter(({ groups }) => groups.length > 0);
}

/** Lists the rows of a weight that factors multiply. */
function multipliedRows({ view, fields, origin = 0 }: FactorLayout): MultipliedRows[] {
  return fields.map(({ axes, variables }) => ({ view, axes, variables, origin }));
}

/** Groups the rows of a field by the size of the matrices that mix them. */
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

/** Subtracts a number from all elements; for 0 the value itself is returned. */
export function less(x: Value, number: number): Value {
  return number === 0 ? x : add(x, -number);
}

/** Brings axes of a weight to the front: `[positions, others]`. */
export function toRows(x: Value, { view, axes }: RowAxes): Value {
  const ahead = transpose(reshape(x, view), axesFirst(view, axes));
  return reshape(ahead, [axes.reduce((product, axis) => product * at(view, axis, "axis"), 1), -1]);
}

/** Brings axes back to their original places; the result has the shape of the view. */
export function fromRows(rows: Value, { view, axes }: RowAxes): Value {
  const order = axesFirst(view, axes);
  const extents = order.map((axis) => at(view, axis, "axis"));
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(reshape(rows, extents), back);
}

function axesFirst(view: readonly number[], axes: readonly number[]): number[] {
  return [...axes, ...view.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))];
}

/**
 * Mixes rows, `[positions, others]`; rows of no group stay.
 * @param matricesOf - the matrices of a group, `[factors, size, size]`
 */
export function mixRows(rows: Value, { groups }: MixedRows, matricesOf: (group: RowGroup) => Value): Value {
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

/** Multiplies rows of two weights, `[factors, size, size]`: the sums of `left_i right_j`. */
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
