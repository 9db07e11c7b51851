import { gatherInto, strideTable } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import { connect, countPositions, type Field, type Labelled, spread } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { countOccurrences, joinFields } from "./reduce.ts";
import { simplify } from "./simplify.ts";

/** Reorders axes: axis `i` of the result is axis `order[i]` of the input. */
export function transpose(input: Labelled, order: readonly number[]): Labelled {
  const shape = order.map((axis) => input.shape[axis] ?? 1);
  const fields = input.fields.map((field): Field => {
    const axes = order.flatMap((axis, place) => (field.axes.includes(axis) ? [place] : []));
    const strides = new Map<number, number>();
    let stride = 1;
    for (const axis of [...field.axes].reverse()) {
      strides.set(axis, stride);
      stride *= input.shape[axis] ?? 1;
    }
    const tables = axes.map((place) => strideTable(shape[place] ?? 1, strides.get(order[place] ?? -1) ?? 0));
    return {
      frozen: field.frozen,
      axes,
      data: gatherInto(field.data, tables, new Int32Array(field.data.length)),
    };
  });
  return { shape, fields };
}

/** Changes the shape to one of as many elements, row-major order kept. */
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

/** Consecutive axes before and after a reshape with the same product of extents; axes of extent 1 are left out. */
interface AxisGroup {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

function groupAxes(before: readonly number[], after: readonly number[]): AxisGroup[] {
  const from = before.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const to = after.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const ends = commonEnds(
    from.map((axis) => before[axis] ?? 1),
    to.map((axis) => after[axis] ?? 1),
  );
  return ends.map(([endFrom, endTo], i) => {
    const [startFrom, startTo] = ends[i - 1] ?? [0, 0];
    return { from: from.slice(startFrom, endFrom), to: to.slice(startTo, endTo) };
  });
}

/** Numbers of leading extents of two lists after which their products are equal. */
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

/** Removes axes along which a field turned out to be constant. */
export function compress(field: Field, shape: readonly number[]): Field {
  let { axes, data } = field;
  for (const axis of field.axes) {
    const place = axes.indexOf(axis);
    const extent = shape[axis] ?? 1;
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

/** Reason recorded where only some indices of an axis are used. */
const PARTLY_TAKEN = "only part of the axis is taken there, or in another order";

/**
 * Takes the indices `indices` along one axis, in that order and with repeats.
 *
 * Labels are marked by how often they were taken unless all were equally often, so that what is left out or
 * repeated is told apart.
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
  const even = isEven(indices, input.shape[axis] ?? 1);
  const bound = even ? [] : boundTogether(input, axis);
  if (bound.length === 0) return simplify(store, { shape, fields });
  const joint = joinFields(
    store,
    shape,
    fields.filter((_, i) => bound.includes(i)),
  );
  return simplify(store, { shape, fields: [...fields.filter((_, i) => !bound.includes(i)), joint] });
}

/** Tells whether every index is taken equally often. */
function isEven(indices: Int32Array, extent: number): boolean {
  if (indices.length % extent !== 0) return false;
  const counts = countOccurrences(indices, extent);
  return counts.every((count) => count === counts[0]);
}

/**
 * Fields that lie on the axis together with others, one of them free: which pairs of their values were taken is
 * then a relation between them, which single fields do not show.
 */
function boundTogether({ shape, fields }: Labelled, axis: number): number[] {
  const component = connect([{ shape, fields }]).find(({ axes }) => axes.includes(axis));
  const part = component?.parts[0] ?? [];
  if (part.length < 2 || part.every((field) => field.frozen)) return [];
  return fields.flatMap((field, i) => (part.includes(field) ? [i] : []));
}

function takeAlong(field: Field, shape: readonly number[], axis: number, indices: Int32Array): Int32Array {
  const extent = shape[axis] ?? 1;
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

/** Inserts an axis of extent 1 before each of the given places of the result, ascending. */
export function insertAxes(input: Labelled, places: readonly number[]): Labelled {
  const rank = input.shape.length + places.length;
  const kept = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !places.includes(axis));
  const shape = new Array<number>(rank).fill(1);
  kept.forEach((place, axis) => {
    shape[place] = input.shape[axis] ?? 1;
  });
  const fields = input.fields.map((field) => ({ ...field, axes: field.axes.map((axis) => kept[axis] ?? 0) }));
  return { shape, fields };
}

/** Removes axes of extent 1. */
export function removeAxes(input: Labelled, axes: readonly number[]): Labelled {
  const removed = new Set(axes);
  const kept = input.shape.flatMap((_, axis) => (removed.has(axis) ? [] : [axis]));
  const shape = kept.map((axis) => input.shape[axis] ?? 1);
  const fields = input.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => kept.indexOf(axis)),
  }));
  return { shape, fields };
}
