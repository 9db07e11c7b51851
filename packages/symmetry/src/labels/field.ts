import { at, gatherInto, strideTable } from "@isthmus/core";
import { type Interned, internTuples } from "../kernels/intern.ts";

/**
 * The labels that lie on some axes of a tensor; along all other axes they are constant.
 *
 * Free fields hold labels, frozen fields plain numbers (coordinates, or any numbering of distinct values).
 */
export interface Field {
  /** Whether the field holds plain numbers, which do not move, instead of labels. */
  readonly frozen: boolean;
  /** Axes that the field depends on, ascending, each of extent > 1. */
  readonly axes: readonly number[];
  /** Labels or numbers, row-major over the extents of `axes`. */
  readonly data: Int32Array;
}

/**
 * A tensor as symmetry discovery represents it: a shape and fields of labels.
 *
 * The key of a position is the tuple of all its fields' values. Two invariants: permuting labels by an
 * element of the symmetry group moves values from key to permuted key; positions with equal keys hold equal
 * values, for any weights.
 */
export interface Labelled {
  /** Shape of the tensor. */
  readonly shape: readonly number[];
  /** Fields of the tensor; axes on which no field lies are constant in labels. */
  readonly fields: readonly Field[];
}

/** Row-major data over some axes of a tensor. */
interface Positions {
  readonly axes: readonly number[];
  readonly data: Int32Array;
}

/**
 * Returns the extent of an axis of a tensor.
 * @throws InvariantError if the tensor has no such axis
 */
export function extentOf({ shape }: { readonly shape: readonly number[] }, axis: number): number {
  return at(shape, axis, "axis");
}

/** Computes the row-major stride of each of some axes, ascending, within data over just these. */
export function fieldStrides(axes: readonly number[], shape: readonly number[]): ReadonlyMap<number, number> {
  const strides = new Map<number, number>();
  let stride = 1;
  for (const axis of [...axes].reverse()) {
    strides.set(axis, stride);
    stride *= at(shape, axis, "axis");
  }
  return strides;
}

/** Counts the positions over some axes. */
export function countPositions(shape: readonly number[], axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * at(shape, axis, "axis"), 1);
}

/** Repeats values over some axes along all of `axes`, which include these: `[positions over axes]`. */
export function spread(
  { axes: from, data }: Positions,
  shape: readonly number[],
  axes: readonly number[],
): Int32Array {
  if (from.length === axes.length) return data;
  let stride = data.length;
  const tables = axes.map((axis) => {
    const extent = at(shape, axis, "axis");
    if (!from.includes(axis)) return strideTable(extent, 0);
    stride /= extent;
    return strideTable(extent, stride);
  });
  return gatherInto(data, tables, new Int32Array(countPositions(shape, axes)));
}

/** Creates a frozen field with a different number at each index of one axis. */
export function coordinate(axis: number, extent: number): Field {
  return { frozen: true, axes: [axis], data: strideTable(extent, 1) };
}

/** Creates a tensor on which nothing may move: it has coordinates on every axis. */
export function freezeAll(shape: readonly number[]): Labelled {
  const fields = shape.flatMap((extent, axis) => (extent > 1 ? [coordinate(axis, extent)] : []));
  return { shape, fields };
}

/** Checks whether two lists of axes are equal. */
export function sameAxes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** Checks whether two arrays are equal, element by element. */
export function sameData(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Assigns numbers to the distinct keys that some fields give over `axes`, which include all axes of the
 * fields.
 */
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
  /** Axes, ascending. */
  readonly axes: readonly number[];
  /** Fields of each tensor on these axes. */
  readonly parts: readonly (readonly Field[])[];
}

/** Splits the axes of tensors of one rank into components; axes without any field are in none. */
export function connect(tensors: readonly Labelled[]): Component[] {
  let groups: ReadonlySet<number>[] = [];
  for (const { axes } of tensors.flatMap(({ fields }) => fields)) {
    const touching = groups.filter((group) => axes.some((axis) => group.has(axis)));
    // A field without axes is constant and connects nothing.
    if (axes.length === 0) continue;
    if (touching.length === 1 && axes.every((axis) => touching[0]?.has(axis))) continue;
    const joined = new Set([...axes, ...touching.flatMap((group) => [...group])]);
    groups = [...groups.filter((group) => !touching.includes(group)), joined];
  }
  return groups
    .map((group) => [...group].sort((a, b) => a - b))
    .sort((a, b) => at(a, 0, "axis") - at(b, 0, "axis"))
    .map((axes) => ({
      axes,
      parts: tensors.map(({ fields }) =>
        fields.filter((field) => field.axes.some((axis) => axes.includes(axis))),
      ),
    }));
}

/** Splits the axes of one tensor into components, each with the fields on it. */
export function connectFields(
  tensor: Labelled,
): (Pick<Component, "axes"> & { readonly fields: readonly Field[] })[] {
  return connect([tensor]).map(({ axes, parts }) => ({ axes, fields: at(parts, 0, "tensor") }));
}
