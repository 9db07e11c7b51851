import { at, sizeOf } from "@isthmus/core";
import {
  concat,
  expand,
  gather,
  gatherElements,
  gatherND,
  pad,
  reshape,
  scatterElements,
  scatterND,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { constantNumbers, intAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { assertScatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/**
 * Differentiates rows of a table by index along an axis: to each row the sum of the gradients of its copies.
 */
const gatherRule: GradientRule = (context) => {
  const [table, indices] = [context.operand(0), context.operand(1)];
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), table.shape.length);
  const g = context.cotangent();
  const extent = at(table.shape, axis, "axis");
  const rows = constantNumbers(context, 1)?.map((row) => wrapAxis(row, extent));
  const withoutScatter = rows === undefined ? undefined : byConstantRows(g, { table, axis, rows });
  if (withoutScatter !== undefined) return [withoutScatter];
  assertScatterAdds(context);
  return [byScattering(g, { table, axis, indices })];
};

/** A table that is read by rows, and the axis along which its rows follow each other. */
interface Table {
  readonly table: Value;
  readonly axis: number;
}

/**
 * Returns the gradient for a table whose rows are read at constant positions, without scattering: for a run
 * of neighbouring rows or a reordering of all rows; undefined for other positions.
 */
function byConstantRows(
  g: Value,
  { table, axis, rows }: Table & { readonly rows: readonly number[] },
): Value | undefined {
  const extent = at(table.shape, axis, "axis");
  const lined = reshapeRows(g, { table, axis }, rows.length);
  const [first] = rows;
  if (first !== undefined && rows.every((row, i) => row === first + i)) {
    const onAxis = (value: number) => table.shape.map((_, i) => (i === axis ? value : 0));
    return pad(lined, onAxis(first), onAxis(extent - first - rows.length));
  }
  if (rows.length !== extent || new Set(rows).size !== extent) return undefined;
  const inverse = table.builder.ints(Array.from({ length: extent }, (_, row) => rows.indexOf(row)));
  return gather(lined, inverse, axis);
}

/** Reshapes `g` so that the axes of the indices become one axis of `count` rows. */
function reshapeRows(g: Value, { table, axis }: Table, count: number): Value {
  return reshape(
    g,
    table.shape.map((extent, i) => (i === axis ? count : extent)),
  );
}

function byScattering(g: Value, { table, axis, indices }: Table & { readonly indices: Value }): Value {
  const lined = reshapeRows(g, { table, axis }, sizeOf(indices.shape));
  // If the axis of the rows comes first, whole rows are added at once: by far the fastest way to scatter.
  const rowsFirst = [axis, ...[...table.shape.keys()].filter((other) => other !== axis)];
  const updates = transpose(lined, rowsFirst);
  const empty = zeros(
    table,
    rowsFirst.map((from) => at(table.shape, from, "axis")),
  );
  const places = reshape(indices, [sizeOf(indices.shape), 1]);
  const total = scatterND(empty, places, updates, { reduction: "add" });
  return transpose(
    total,
    rowsFirst.map((_, to) => rowsFirst.indexOf(to)),
  );
}

/** Differentiates elements by index along an axis: to each element the sum of the gradients of its copies. */
const gatherElementsRule: GradientRule = (context) => {
  assertScatterAdds(context);
  const x = context.operand(0);
  const axis = intAttribute(context.node, "axis", 0);
  const indices = context.operand(1);
  return [scatterElements(zeros(x, x.shape), indices, context.cotangent(), { axis, reduction: "add" })];
};

/** Differentiates slices by tuples of indices: to each slice the sum of the gradients of its copies. */
const gatherNDRule: GradientRule = (context) => {
  assertScatterAdds(context);
  const x = context.operand(0);
  const indices = withBatchIndices(context.operand(1), intAttribute(context.node, "batch_dims", 0));
  return [scatterND(zeros(x, x.shape), indices, context.cotangent(), { reduction: "add" })];
};

/**
 * Writes the indices of leading axes that table and indices share in front of the
 * indices, as scattering needs them.
 */
function withBatchIndices(indices: Value, batchAxes: number): Value {
  const { builder } = indices;
  const places = indices.shape.slice(0, -1);
  const counters = places.slice(0, batchAxes).map((extent, axis) => {
    const line = places.map((_, i) => (i === axis ? extent : 1));
    const counter = builder.ints(Array.from({ length: extent }, (_, i) => i));
    return expand(reshape(counter, [...line, 1]), [...places, 1]);
  });
  return counters.length === 0 ? indices : concat([...counters, indices], -1);
}

/** Differentiates the largest elements along an axis: their gradients at the places they come from. */
const topKRule: GradientRule = (context) => {
  const x = context.operand(0);
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  return [scatterElements(zeros(x, x.shape), context.result(1), context.cotangent(), { axis })];
};

/**
 * Differentiates elements written or added at indices along an axis. The gradient of the updates is `g` at
 * their indices; the gradient of the other input is `g`, with 0 at overwritten places. If two updates are
 * written to one place, each receives its gradient.
 */
const scatterElementsRule: GradientRule = (context) => {
  const isAdded = isAddition(context);
  const [indices, updates] = [context.operand(1), context.operand(2)];
  const g = context.cotangent();
  const axis = intAttribute(context.node, "axis", 0);
  const rest = () => (isAdded ? g : scatterElements(g, indices, zeros(updates, updates.shape), { axis }));
  return [
    context.needs(0) ? rest() : undefined,
    undefined,
    context.needs(2) ? gatherElements(g, indices, axis) : undefined,
  ];
};

/**
 * Differentiates slices written or added at tuples of indices. The gradient of the updates is `g` at their
 * indices; the gradient of the other input is `g`, with 0 at overwritten places. If two updates are written
 * to one place, each receives its gradient.
 */
const scatterNDRule: GradientRule = (context) => {
  const isAdded = isAddition(context);
  const [indices, updates] = [context.operand(1), context.operand(2)];
  const g = context.cotangent();
  const rest = () => (isAdded ? g : scatterND(g, indices, zeros(updates, updates.shape)));
  return [
    context.needs(0) ? rest() : undefined,
    undefined,
    context.needs(2) ? gatherND(g, indices) : undefined,
  ];
};

/**
 * Checks whether a scatter adds instead of replacing.
 * @throws UnsupportedError if it reduces in another way
 */
function isAddition(context: GradientContext): boolean {
  const reduction = stringAttribute(context.node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") {
    context.refuseVariant('must have reduction "none" or "add"', `"${reduction}"`);
  }
  return reduction === "add";
}

/** Rules of operators that read or write elements at indices. */
export const GATHER_SCATTER_RULES: GradientRules = {
  Gather: gatherRule,
  GatherElements: gatherElementsRule,
  GatherND: gatherNDRule,
  ScatterElements: scatterElementsRule,
  ScatterND: scatterNDRule,
  TopK: topKRule,
};
