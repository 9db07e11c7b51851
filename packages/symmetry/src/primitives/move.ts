import { at, entry, gatherInto, strideTable } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import {
  connectFields,
  countPositions,
  extentOf,
  type Field,
  fieldStrides,
  type Labelled,
  spread,
} from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { countOccurrences, joinFields } from "./reduce.ts";
import { simplify } from "./simplify.ts";

/** Reorders axes: axis `i` of the result is axis `order[i]` of the input. */
export function transpose(input: Labelled, order: readonly number[]): Labelled {
  const shape = order.map((axis) => extentOf(input, axis));
  const fields = input.fields.map((field): Field => {
    const axes = order.flatMap((axis, place) => (field.axes.includes(axis) ? [place] : []));
    const strides = fieldStrides(field.axes, input.shape);
    const tables = axes.map((place) => {
      const axis = at(order, place, "axis");
      return strideTable(extentOf(input, axis), entry(strides, axis, "axis"));
    });
    return {
      frozen: field.frozen,
      axes,
      data: gatherInto(field.data, tables, new Int32Array(field.data.length)),
    };
  });
  return { shape, fields };
}

/** Changes the shape to another with as many elements, which stay in row-major order. */
export function reshape(store: LabelStore, input: Labelled, shape: readonly number[]): Labelled {
  const groups = groupAxes(input.shape, shape);
  const fields = input.fields.map((field): Field => {
    const involved = groups.filter(({ from }) => from.some((axis) => field.axes.includes(axis)));
    const axes = involved.flatMap(({ from }) => from);
    const data = spread(field, input.shape, axes);
    return compress({ frozen: field.frozen, axes: involved.flatMap(({ to }) => to), data }, shape);
  });
  return simplify(store, { shape, fields });
}

/** Consecutive axes before and after a reshape with equal products of extents, without axes of extent 1. */
interface AxisGroup {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function groupAxes(before: readonly number[], after: readonly number[]): AxisGroup[] {
  const from = before.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const to = after.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const ends = commonEnds(
    from.map((axis) => at(before, axis, "axis")),
    to.map((axis) => at(after, axis, "axis")),
  );
  return ends.map(([endFrom, endTo], i) => {
    const [startFrom, startTo] = ends[i - 1] ?? [0, 0];
    return { from: from.slice(startFrom, endFrom), to: to.slice(startTo, endTo) };
  });
}

/** Finds all numbers of leading extents of two lists whose products are equal. */
function commonEnds(a: readonly number[], b: readonly number[]): (readonly [number, number])[] {
  const ends: (readonly [number, number])[] = [];
  let i = 0;
  let j = 0;
  let left = 1;
  let right = 1;
  while (i < a.length || j < b.length) {
    if (left <= right) left *= a[i++] ?? Number.POSITIVE_INFINITY;
    else right *= b[j++] ?? Number.POSITIVE_INFINITY;
    if (left === right) ends.push([i, j]);
  }
  return ends;
}

/** Removes the axes along which a field is constant. */
export function compress(field: Field, shape: readonly number[]): Field {
  let { axes, data } = field;
  for (const axis of field.axes) {
    const place = axes.indexOf(axis);
    const extent = extentOf({ shape }, axis);
    const inner = countPositions(shape, axes.slice(place + 1));
    if (extent > 1 && !isConstant(data, extent, inner)) continue;
    data = firstAlong(data, extent, inner);
    axes = axes.filter((other) => other !== axis);
  }
  return { frozen: field.frozen, axes, data };
}

function isConstant(data: Int32Array, extent: number, inner: number): boolean {
  const block = extent * inner;
  for (let outer = 0; outer < data.length; outer += block) {
    for (let i = outer + inner; i < outer + block; i++) {
      if (data[i] !== data[i - inner]) return false;
    }
  }
  return true;
}

function firstAlong(data: Int32Array, extent: number, inner: number): Int32Array {
  const outer = data.length / (extent * inner);
  return gatherInto(
    data,
    [strideTable(outer, extent * inner), strideTable(inner, 1)],
    new Int32Array(outer * inner),
  );
}

/** Reason that is recorded if only some indices of an axis are used. */
const PARTLY_TAKEN = "only part of the axis is taken there, or in another order";

/**
 * Takes the indices `indices` along one axis, in that order and with repeats.
 *
 * Labels are marked by how often they were taken, unless all were taken equally often, so that a label that
 * is left out or repeated differs from the others.
 */
export function take(store: LabelStore, input: Labelled, axis: number, indices: Int32Array): Labelled {
  const shape = input.shape.map((extent, other) => (other === axis ? indices.length : extent));
  const moved = (field: Field): Field => {
    if (!field.axes.includes(axis)) return field;
    const data = takeAlong(field, input.shape, axis, indices);
    if (!field.frozen) markTaken(store, field.data, data);
    return compress({ frozen: field.frozen, axes: field.axes, data }, shape);
  };
  const fields = input.fields.map(moved);
  const even = isEven(indices, extentOf(input, axis));
  const bound = even ? [] : boundTogether(input, axis);
  if (bound.length === 0) return simplify(store, { shape, fields });
  const joint = joinFields(
    store,
    shape,
    fields.filter((_, i) => bound.includes(i)),
  );
  return simplify(store, { shape, fields: [...fields.filter((_, i) => !bound.includes(i)), joint] });
}

/** Checks whether every index is taken equally often. */
function isEven(indices: Int32Array, extent: number): boolean {
  if (indices.length % extent !== 0) return false;
  const counts = countOccurrences(indices, extent);
  return counts.every((count) => count === counts[0]);
}

/**
 * Finds the fields that lie on the axis together with others, one of them free: the pairs of their values
 * that were taken are then a relation between them, which single fields do not show.
 */
function boundTogether({ shape, fields }: Labelled, axis: number): number[] {
  const component = connectFields({ shape, fields }).find(({ axes }) => axes.includes(axis));
  if (component === undefined) return [];
  const part = component.fields;
  if (part.length < 2 || part.every((field) => field.frozen)) return [];
  return fields.flatMap((field, i) => (part.includes(field) ? [i] : []));
}

function takeAlong(field: Field, shape: readonly number[], axis: number, indices: Int32Array): Int32Array {
  const extent = extentOf({ shape }, axis);
  const inner = countPositions(shape, field.axes.slice(field.axes.indexOf(axis) + 1));
  const outer = field.data.length / (extent * inner);
  const tables = [strideTable(outer, extent * inner), indices.map((i) => i * inner), strideTable(inner, 1)];
  return gatherInto(field.data, tables, new Int32Array(outer * indices.length * inner));
}

function markTaken(store: LabelStore, before: Int32Array, after: Int32Array): void {
  const taken = internTuples([after], after.length);
  const counts = countOccurrences(taken.ids, taken.count);
  const labels = taken.first.map((index) => after[index] as number);
  const all = store.distinct(before).length === labels.length;
  if (all && counts.every((count) => count === counts[0])) return;
  store.mark(labels, counts);
  store.note(before, PARTLY_TAKEN);
}

/** Inserts axes of extent 1, which are axes `places` of the result, ascending. */
export function insertAxes(input: Labelled, places: readonly number[]): Labelled {
  const rank = input.shape.length + places.length;
  const placeOf = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !places.includes(axis));
  const shape = new Array<number>(rank).fill(1);
  placeOf.forEach((place, axis) => {
    shape[place] = extentOf(input, axis);
  });
  const fields = input.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => at(placeOf, axis, "axis")),
  }));
  return { shape, fields };
}

/** Removes axes of extent 1. */
export function removeAxes(input: Labelled, axes: readonly number[]): Labelled {
  const removed = new Set(axes);
  const remaining = input.shape.flatMap((_, axis) => (removed.has(axis) ? [] : [axis]));
  const shape = remaining.map((axis) => extentOf(input, axis));
  const fields = input.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => remaining.indexOf(axis)),
  }));
  return { shape, fields };
}
