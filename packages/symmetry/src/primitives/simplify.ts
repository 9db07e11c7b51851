import { at } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import {
  connectFields,
  coordinate,
  extentOf,
  type Field,
  type Labelled,
  sameAxes,
  sameData,
} from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";

/**
 * Simplifies the fields of a tensor to an equivalent form.
 *
 * Drops fields without axes and duplicates, joins frozen fields on the same axes into one, and turns frozen
 * fields on axes that no free field touches into one coordinate for each axis.
 */
export function simplify(store: LabelStore, { shape, fields }: Labelled): Labelled {
  const free = dropDuplicates(
    store,
    fields.filter((field) => !field.frozen && field.axes.length > 0),
  );
  const frozen = fields.filter((field) => field.frozen && field.axes.length > 0);
  if (frozen.length === 0) return { shape, fields: free };
  return { shape, fields: [...free, ...simplifyFrozen(shape, free, joinFrozen(frozen))] };
}

function dropDuplicates(store: LabelStore, fields: readonly Field[]): Field[] {
  const distinct: Field[] = [];
  for (const field of fields) {
    if (!distinct.some((other) => covers(store, other, field))) distinct.push(field);
  }
  return distinct;
}

/**
 * Checks whether a free field holds all information of another: labels of the same classes everywhere, and at
 * no place one label for two labels of the other.
 */
function covers(store: LabelStore, covering: Field, { axes, data }: Field): boolean {
  if (!sameAxes(covering.axes, axes)) return false;
  if (sameData(covering.data, data)) return true;
  if (!sameData(store.classesOf(covering.data), store.classesOf(data))) return false;
  const { length } = data;
  return internTuples([covering.data], length).count === internTuples([covering.data, data], length).count;
}

/** Joins frozen fields on the same axes, and renumbers their values in order of first occurrence. */
function joinFrozen(fields: readonly Field[]): Field[] {
  const joined: Field[] = [];
  for (const { axes } of fields) {
    if (joined.some((field) => sameAxes(field.axes, axes))) continue;
    const same = fields.filter((field) => sameAxes(field.axes, axes)).map(({ data }) => data);
    const { ids } = internTuples(same, at(same, 0, "field").length);
    joined.push({ frozen: true, axes, data: ids });
  }
  return joined;
}

function simplifyFrozen(shape: readonly number[], free: readonly Field[], frozen: readonly Field[]): Field[] {
  const touched = new Set(free.flatMap(({ axes }) => axes));
  const bound: Field[] = [];
  const unbound: Field[] = [];
  for (const field of frozen) {
    (field.axes.some((axis) => touched.has(axis)) ? bound : unbound).push(field);
  }
  const result = [...bound];
  for (const { axes, fields } of connectFields({ shape, fields: unbound })) {
    if (fields.length === 1 && axes.length === 1) result.push(...fields);
    else result.push(...axes.map((axis) => coordinate(axis, extentOf({ shape }, axis))));
  }
  return result;
}
