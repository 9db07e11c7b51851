import { at, gatherInto, strideTable, sumOf } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import { defineFunction } from "../labels/define-function.ts";
import {
  connect,
  coordinate,
  countPositions,
  extentOf,
  type Field,
  internKeys,
  type Labelled,
  spread,
} from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { compress } from "./move.ts";
import { simplify } from "./simplify.ts";
import { alike, MEETS_FIXED, tie } from "./tie.ts";

/**
 * Puts tensors, at least one, one after the other along an axis; along other axes they meet as in
 * {@link tie}.
 *
 * Positions of a block along which nothing varies, such as padding, stay interchangeable: they get fresh
 * labels.
 */
export function concatenate(store: LabelStore, inputs: readonly Labelled[], axis: number): Labelled {
  const extents = inputs.map((input) => extentOf(input, axis));
  const shape = at(inputs, 0, "input").shape.map((extent, other) =>
    other === axis ? sumOf(extents) : extent,
  );
  const bound = boundAxes(inputs, axis);
  const onBound = (field: Field): boolean => field.axes.some((other) => bound.includes(other));
  const rest = inputs.map((input) => ({
    shape: input.shape.map((extent, other) => (bound.includes(other) ? 1 : extent)),
    fields: input.fields.filter((field) => !onBound(field)),
  }));
  const blocks = inputs.map((input) => ({ shape: input.shape, fields: input.fields.filter(onBound) }));
  const joined = joinBlocks(store, blocks, { shape, axis, bound });
  return simplify(store, { shape, fields: [...tie(store, rest).fields, ...joined] });
}

/**
 * Stacks tensors, at least one, along an axis on which each has extent 1, so that each has separate labels on
 * all other axes: the units of one direction of a recurrent layer, or of one expert, may be permuted without
 * the units of the next.
 *
 * This leaves more labels free than {@link concatenate}, which ties the labels at the same place of different
 * tensors, but it takes a label for each place of each tensor. It is meant for weights, which are few.
 */
export function stack(store: LabelStore, inputs: readonly Labelled[], axis: number): Labelled {
  const shape = at(inputs, 0, "input").shape.map((extent, other) =>
    other === axis ? inputs.length : extent,
  );
  const fields = connect(inputs).flatMap(({ axes, parts }): readonly Field[] => {
    const first = at(parts, 0, "tensor");
    if (parts.every((part) => alike(store, part, first))) return first;
    const bound = [...axes, axis].sort((a, b) => a - b);
    const blocks = inputs.map((input, i) => ({ shape: input.shape, fields: at(parts, i, "tensor") }));
    return joinBlocks(store, blocks, { shape, axis, bound });
  });
  const isApart = fields.some((field) => field.axes.includes(axis));
  return simplify(store, { shape, fields: isApart ? fields : [...fields, coordinate(axis, inputs.length)] });
}

/** Finds the axis and all axes that fields of any input connect to it. */
function boundAxes(inputs: readonly Labelled[], axis: number): readonly number[] {
  const anchor: Field = { frozen: true, axes: [axis], data: new Int32Array(1) };
  const components = connect([...inputs, { shape: [], fields: [anchor] }]);
  const index = components.findIndex(({ axes }) => axes.includes(axis));
  return at(components, index, "component").axes;
}

/** The shape of a result, and the axes that its one field lies on. */
interface Target {
  readonly shape: readonly number[];
  readonly axis: number;
  /** Axes that the field lies on. */
  readonly bound: readonly number[];
}

/** Joins the fields of blocks into one field over the bound axes, or several if all are frozen. */
function joinBlocks(store: LabelStore, blocks: readonly Labelled[], target: Target): readonly Field[] {
  const { shape, axis, bound } = target;
  if (blocks.every(({ fields }) => fields.every(({ frozen }) => frozen))) return joinFrozen(blocks, target);
  const arrays: Int32Array[] = [];
  blocks.forEach((block, i) => {
    const data = contribute(store, block, bound, arrays);
    store.mark(data, new Int32Array(data.length).fill(i));
    arrays.push(data);
  });
  const extents = blocks.map((block) => extentOf(block, axis));
  const data = stackArrays(arrays, extents, countPositions(shape, bound.slice(bound.indexOf(axis) + 1)));
  return [compress({ frozen: false, axes: bound, data }, shape)];
}

/**
 * Returns labels for one block over the bound axes: its own labels if no earlier block has any of them, else
 * fresh ones.
 */
function contribute(
  store: LabelStore,
  { shape, fields }: Labelled,
  bound: readonly number[],
  earlier: readonly Int32Array[],
): Int32Array {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined && !only.frozen) {
    const data = spread(only, shape, bound);
    if (!earlier.some((other) => overlap(other, data))) return data;
  }
  const labels = store.create(countPositions(shape, bound));
  for (const field of fields) {
    const data = spread(field, shape, bound);
    if (field.frozen) store.mark(labels, data, MEETS_FIXED);
    else defineFunction(store, labels, data);
  }
  return labels;
}

function overlap(a: Int32Array, b: Int32Array): boolean {
  const labels = new Set(a);
  return b.some((label) => labels.has(label));
}

function joinFrozen(blocks: readonly Labelled[], { shape, axis, bound }: Target): readonly Field[] {
  if (bound.length > 1) return bound.map((other) => coordinate(other, extentOf({ shape }, other)));
  const columns = blocks.map((block, i) => {
    const { ids } = internKeys(block.fields, block.shape, bound);
    return { ids, block: ids.map(() => i) };
  });
  const total = extentOf({ shape }, axis);
  const ids = stackArrays(
    columns.map((column) => column.ids),
    columns.map((column) => column.ids.length),
    1,
  );
  const numbers = stackArrays(
    columns.map((column) => column.block),
    columns.map((column) => column.ids.length),
    1,
  );
  return [compress({ frozen: true, axes: bound, data: internTuples([numbers, ids], total).ids }, shape)];
}

/** Concatenates row-major arrays `[outer, extents[i], inner]` along their middle axis. */
function stackArrays(arrays: readonly Int32Array[], extents: readonly number[], inner: number): Int32Array {
  const total = sumOf(extents);
  const outer = at(arrays, 0, "array").length / Math.max(1, at(extents, 0, "extent") * inner);
  const flat = new Int32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  const offsets = new Int32Array(total);
  const strides = new Int32Array(total);
  let start = 0;
  let place = 0;
  arrays.forEach((data, i) => {
    flat.set(data, start);
    const extent = at(extents, i, "extent");
    for (let e = 0; e < extent; e++, place++) {
      offsets[place] = start + e * inner;
      strides[place] = extent * inner;
    }
    start += data.length;
  });
  const out = new Int32Array(flat.length);
  for (let o = 0; o < outer; o++) {
    const tables = [offsets.map((offset, i) => offset + o * (strides[i] as number)), strideTable(inner, 1)];
    const part = out.subarray(o * total * inner, (o + 1) * total * inner);
    gatherInto(flat, tables, part);
  }
  return out;
}
