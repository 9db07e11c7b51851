import { entry, gatherInto, strideTable } from "@isthmus/core";
import { internRows, internTuples } from "../kernels/intern.ts";
import { defineFunction, partitionParents } from "../labels/define-function.ts";
import {
  connectFields,
  countPositions,
  extentOf,
  type Field,
  fieldStrides,
  internKeys,
  type Labelled,
  spread,
} from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { simplify } from "./simplify.ts";
import { MEETS_FIXED, subordinate } from "./tie.ts";

/**
 * Reduces some axes by an operation that does not depend on order, such as a sum, mean or maximum.
 *
 * A field over reduced axes only disappears, since a sum in another order is the same sum. A field over
 * reduced and other axes is projected: each remaining position gets a label that the labels of its row
 * determine.
 *
 * @returns the result, in which reduced axes stay, with extent 1
 */
export function reduce(store: LabelStore, input: Labelled, axes: readonly number[]): Labelled {
  const reduced = new Set(axes);
  const fields: Field[] = [];
  for (const component of connectFields(input)) {
    fields.push(...reduceComponent(store, input.shape, component, reduced));
  }
  const shape = input.shape.map((extent, axis) => (reduced.has(axis) ? 1 : extent));
  return simplify(store, { shape, fields });
}

function reduceComponent(
  store: LabelStore,
  shape: readonly number[],
  { axes, fields }: { readonly axes: readonly number[]; readonly fields: readonly Field[] },
  reduced: ReadonlySet<number>,
): readonly Field[] {
  if (axes.every((axis) => !reduced.has(axis))) return fields;
  if (axes.every((axis) => reduced.has(axis))) return [];
  const untouched = fields.filter((field) => field.axes.every((axis) => !reduced.has(axis)));
  const touching = fields.filter((field) => field.axes.some((axis) => reduced.has(axis)));
  const sound = projectable(store, shape, touching, reduced);
  return [...untouched, ...sound.flatMap((field) => project(store, shape, field, reduced))];
}

/**
 * Returns fields that may be projected one by one without losing how they depend on each other: `fields`
 * themselves, if each determines its row and their rows together are the rows of all; otherwise one with a
 * different label at each position, or a join.
 */
function projectable(
  store: LabelStore,
  shape: readonly number[],
  fields: readonly Field[],
  reduced: ReadonlySet<number>,
): readonly Field[] {
  if (fields.length < 2) return fields;
  const whole = fields.filter((field) => !hasSharedRows(store, shape, field, reduced));
  if (whole.length === fields.length && projectsSeparately(shape, fields, reduced)) return fields;
  const axes = unionAxes(fields);
  const finest = fields.find(
    (field) =>
      !field.frozen &&
      field.axes.length === axes.length &&
      store.distinct(field.data).length === field.data.length,
  );
  if (finest === undefined) return [joinFields(store, shape, fields)];
  for (const field of fields) if (field.frozen) subordinate(store, shape, finest, field);
  return [finest, ...whole.filter((field) => field !== finest && !field.frozen)];
}

/** Checks whether a class or a fixed number lies in two different rows. */
function hasSharedRows(
  store: LabelStore,
  shape: readonly number[],
  field: Field,
  reduced: ReadonlySet<number>,
): boolean {
  const rows = rowsOf(shape, field, reduced);
  if (rows.axes.length === 0) return false;
  const { ids } = internSortedRows(rows);
  const rowOf = Int32Array.from(
    { length: rows.data.length },
    (_, place) => ids[Math.floor(place / rows.width)] as number,
  );
  return isShared(field.frozen ? rows.data : store.classesOf(rows.data), rowOf);
}

/** The rows of a field: one for each position of the axes that remain. */
interface Rows {
  readonly axes: readonly number[];
  readonly count: number;
  readonly width: number;
  /** Rows `[count, width]`. */
  readonly data: Int32Array;
}

function rowsOf(shape: readonly number[], field: Field, reduced: ReadonlySet<number>): Rows {
  const axes = field.axes.filter((axis) => !reduced.has(axis));
  const along = field.axes.filter((axis) => reduced.has(axis));
  const strides = fieldStrides(field.axes, shape);
  const tables = [...axes, ...along].map((axis) =>
    strideTable(extentOf({ shape }, axis), entry(strides, axis, "axis")),
  );
  const data = gatherInto(field.data, tables, new Int32Array(field.data.length));
  return { axes, count: countPositions(shape, axes), width: countPositions(shape, along), data };
}

/** Assigns numbers to rows, equal numbers to rows that hold the same values equally often in any order. */
function internSortedRows({ data, count, width }: Rows): {
  ids: Int32Array;
  count: number;
  first: Int32Array;
} {
  const sorted = data.slice();
  for (let row = 0; row < count; row++) sorted.subarray(row * width, (row + 1) * width).sort();
  return internRows(sorted, count, width);
}

/**
 * Checks whether projecting fields one by one preserves the information of their combination: rows with equal
 * projections of each field must hold equal keys equally often.
 */
function projectsSeparately(
  shape: readonly number[],
  fields: readonly Field[],
  reduced: ReadonlySet<number>,
): boolean {
  const axes = unionAxes(fields);
  const data = internKeys(fields, shape, axes).ids;
  const joint = rowsOf(shape, { frozen: true, axes, data }, reduced);
  const whole = internSortedRows(joint);
  const separate = fields.map((field): Field => {
    const rows = rowsOf(shape, field, reduced);
    return { frozen: true, axes: rows.axes, data: internSortedRows(rows).ids };
  });
  return internKeys(separate, shape, joint.axes).count === whole.count;
}

function unionAxes(fields: readonly Field[]): number[] {
  return [...new Set(fields.flatMap(({ axes }) => axes))].sort((a, b) => a - b);
}

/**
 * Joins fields into one field of fresh labels, one for each distinct key, that determine the labels of all
 * fields.
 */
export function joinFields(store: LabelStore, shape: readonly number[], fields: readonly Field[]): Field {
  const axes = unionAxes(fields);
  if (fields.every(({ frozen }) => frozen)) {
    return { frozen: true, axes, data: internKeys(fields, shape, axes).ids };
  }
  const { ids, count, first } = internKeys(fields, shape, axes);
  const labels = store.create(count);
  store.mark(labels, countOccurrences(ids, count));
  for (const field of fields) {
    const values = pick(spread(field, shape, axes), first);
    if (field.frozen) store.mark(labels, values, MEETS_FIXED);
    else defineFunction(store, labels, values);
  }
  return { frozen: false, axes, data: pick(labels, ids) };
}

/** Counts how often each number below `count` occurs. */
export function countOccurrences(ids: Int32Array, count: number): Int32Array {
  const occurrences = new Int32Array(count);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    occurrences[id] = (occurrences[id] as number) + 1;
  }
  return occurrences;
}

function pick(values: Int32Array, indices: Int32Array): Int32Array {
  return indices.map((index) => values[index] as number);
}

/** Projects a field along its reduced axes: equal rows get equal labels or numbers. */
function project(
  store: LabelStore,
  shape: readonly number[],
  field: Field,
  reduced: ReadonlySet<number>,
): readonly Field[] {
  const rows = rowsOf(shape, field, reduced);
  if (rows.axes.length === 0) return [];
  const { ids, count, first } = internSortedRows(rows);
  if (count === 1) return [];
  if (field.frozen) return [{ frozen: true, axes: rows.axes, data: ids }];
  const labels = projectRows(store, distinctRows(rows, first), count);
  return [{ frozen: false, axes: rows.axes, data: pick(labels, ids) }];
}

/**
 * Returns the rows `[first.length, width]` that differ as one array, and the number of the row of each
 * element.
 */
function distinctRows({ data, width }: Rows, first: Int32Array): readonly [Int32Array, Int32Array] {
  const children = new Int32Array(first.length * width);
  first.forEach((row, i) => {
    children.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return [children, children.map((_, place) => Math.floor(place / width))];
}

/**
 * Returns one label per row, reusing the labels of a recorded function if it has the same partition; records
 * that elements determine rows.
 */
function projectRows(
  store: LabelStore,
  [children, rowOf]: readonly [Int32Array, Int32Array],
  count: number,
): Int32Array {
  const shared = isShared(store.classesOf(children), rowOf);
  const [finer, parts] = shared ? refine(store, children, rowOf) : [children, rowOf];
  const labels = partitionParents(store, finer, parts, count) ?? store.create(count);
  defineFunction(store, finer, pick(labels, parts));
  return labels;
}

/** Checks whether a value lies in two rows, so that it does not determine its row. */
function isShared(values: Int32Array, rowOf: Int32Array): boolean {
  const distinct = internTuples([values], values.length);
  return internTuples([distinct.ids, rowOf], values.length).count !== distinct.count;
}

/** Creates a label for each label in each row, which determines both, marked by how often it occurs there. */
function refine(
  store: LabelStore,
  children: Int32Array,
  rowOf: Int32Array,
): readonly [Int32Array, Int32Array] {
  const pairs = internTuples([children, rowOf], children.length);
  const labels = store.create(pairs.count);
  store.mark(labels, countOccurrences(pairs.ids, pairs.count));
  defineFunction(store, labels, pick(children, pairs.first));
  return [labels, pick(rowOf, pairs.first)];
}
