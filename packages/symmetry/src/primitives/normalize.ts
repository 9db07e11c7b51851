import { connectFields, type Field, type Labelled } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { simplify } from "./simplify.ts";
import { subordinate } from "./tie.ts";

/**
 * Keeps only the finest field of each component that has a finest one: a free field with a different class at
 * each position determines all others, which become functions of it, or marks if they are frozen.
 */
export function normalize(store: LabelStore, input: Labelled): Labelled {
  const fields: Field[] = [];
  for (const component of connectFields(input)) {
    fields.push(...normalizeComponent(store, input.shape, component.axes, component.fields));
  }
  return simplify(store, { shape: input.shape, fields });
}

function normalizeComponent(
  store: LabelStore,
  shape: readonly number[],
  axes: readonly number[],
  fields: readonly Field[],
): readonly Field[] {
  if (fields.length < 2) return fields;
  const finest = fields.find(
    (field) => !field.frozen && field.axes.length === axes.length && store.isInjective(field.data),
  );
  if (finest === undefined) return fields;
  for (const field of fields) if (field !== finest) subordinate(store, shape, finest, field);
  return [finest];
}
