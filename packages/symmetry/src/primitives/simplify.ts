import { internTuples } from "../kernels/intern.ts";
import { connect, coordinate, type Field, type Labelled, sameAxes, sameData } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";

/**
 * Brings the fields of a tensor to their simplest equivalent form.
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
  const kept: Field[] = [];
  for (const field of fields) {
    if (!kept.some((other) => covers(store, other, field))) kept.push(field);
  }
  return kept;
}

/**
 * Tells whether a free field says all that another one does: labels of the same classes everywhere, and
 * nowhere one label where the other has two.
 */
function covers(store: LabelStore, kept: Field, field: Field): boolean {
  if (!sameAxes(kept.axes, field.axes)) return false;
  if (sameData(kept.data, field.data)) return true;
  if (!sameData(store.classesOf(kept.data), store.classesOf(field.data))) return false;
  const length = kept.data.length;
  return internTuples([kept.data], length).count === internTuples([kept.data, field.data], length).count;
}

/** Joins frozen fields on the same axes, and numbers their values in order of first occurrence. */
function joinFrozen(fields: readonly Field[]): Field[] {
  const joined: Field[] = [];
  for (const { axes } of fields) {
    if (joined.some((field) => sameAxes(field.axes, axes))) continue;
    const same = fields.filter((field) => sameAxes(field.axes, axes)).map(({ data }) => data);
    const { ids } = internTuples(same, same[0]?.length ?? 0);
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
  for (const { axes, parts } of connect([{ shape, fields: unbound }])) {
    const [part = []] = parts;
    if (part.length === 1 && axes.length === 1) result.push(...part);
    else result.push(...axes.map((axis) => coordinate(axis, shape[axis] ?? 1)));
  }
  return result;
}
