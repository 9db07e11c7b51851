import { gatherInto, strideTable } from "@isthmus/core";
import { type Interned, internTuples } from "../kernels/intern.ts";

/**
 * How labels lie on some axes of a tensor; along all other axes it is constant.
 *
 * Free fields hold labels, frozen fields plain numbers (coordinates, or any numbering of distinct values).
 */
export interface Field {
  readonly frozen: boolean;
  /** Axes it depends on, ascending, each of extent > 1. */
  readonly axes: readonly number[];
  /** Row-major over the extents of `axes`. */
  readonly data: Int32Array;
}

/**
 * A tensor as symmetry discovery sees it: a shape and fields of labels.
 *
 * The key of a position is the tuple of all its fields' values. Two invariants: permuting labels by an
 * element of the symmetry group moves values from key to permuted key; positions with equal keys hold
 * equal values, whatever the weights.
 */
export interface Labelled {
  readonly shape: readonly number[];
  readonly fields: readonly Field[];
}

/** Row-major data over some axes of a tensor. */
interface Positions {
  readonly axes: readonly number[];
  readonly data: Int32Array;
}

/** Number of positions over some axes. */
export function countPositions(shape: readonly number[], axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * (shape[axis] ?? 1), 1);
}

/** Repeats values given over some axes along all of `axes`, a superset, `[positions over axes]`. */
export function spread(
  { axes: own, data }: Positions,
  shape: readonly number[],
  axes: readonly number[],
): Int32Array {
  if (own.length === axes.length) return data;
  let stride = data.length;
  const tables = axes.map((axis) => {
    const extent = shape[axis] ?? 1;
    if (!own.includes(axis)) return strideTable(extent, 0);
    stride /= extent;
    return strideTable(extent, stride);
  });
  return gatherInto(data, tables, new Int32Array(countPositions(shape, axes)));
}

/** A frozen field that tells all indices of one axis apart. */
export function coordinate(axis: number, extent: number): Field {
  return { frozen: true, axes: [axis], data: strideTable(extent, 1) };
}

/** A tensor on which nothing may move: coordinates on every axis. */
export function freezeAll(shape: readonly number[]): Labelled {
  const fields = shape.flatMap((extent, axis) => (extent > 1 ? [coordinate(axis, extent)] : []));
  return { shape, fields };
}

/** Tells whether two lists of axes are equal. */
export function sameAxes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** Tells whether two arrays are equal, element by element. */
export function sameData(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Numbers the distinct keys that some fields give over `axes`, a superset of all of theirs. */
export function internKeys(
  fields: readonly Field[],
  shape: readonly number[],
  axes: readonly number[],
): Interned {
  return internTuples(
    fields.map((field) => spread(field, shape, axes)),
    countPositions(shape, axes),
  );
}

/** A maximal set of axes that fields connect, and the fields on them by tensor. */
export interface Component {
  /** Ascending. */
  readonly axes: readonly number[];
  /** For each tensor, its fields on these axes. */
  readonly parts: readonly (readonly Field[])[];
}

/** Splits the axes of tensors of one rank into components; axes without any field are in none. */
export function connect(tensors: readonly Labelled[]): Component[] {
  let groups: ReadonlySet<number>[] = [];
  for (const { axes } of tensors.flatMap(({ fields }) => fields)) {
    const touching = groups.filter((group) => axes.some((axis) => group.has(axis)));
    if (touching.length === 1 && axes.every((axis) => touching[0]?.has(axis))) continue;
    const joined = new Set([...axes, ...touching.flatMap((group) => [...group])]);
    groups = [...groups.filter((group) => !touching.includes(group)), joined];
  }
  return groups
    .map((group) => [...group].sort((a, b) => a - b))
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
    .map((axes) => ({
      axes,
      parts: tensors.map(({ fields }) => fields.filter((field) => axes.includes(field.axes[0] ?? -1))),
    }));
}
