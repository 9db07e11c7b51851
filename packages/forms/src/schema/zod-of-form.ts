import type { AnyField, Field, Form, NumberForm } from "@isthmus/core";
import * as z from "zod";
import { count, seed, text } from "./numbers.ts";

/** Schemas of the forms that other packages define, by their names. */
type SpecialSchemas = ReadonlyMap<string, z.ZodType>;

/**
 * Makes the schema of the values of a form.
 * @param special - schemas of special forms; the schema of any other special form calls the form's own
 *   check
 */
export function zodOfForm(form: Form, special: SpecialSchemas = new Map()): z.ZodType {
  switch (form.type) {
    case "whole":
      return count(form.least, form.most);
    case "seed":
      return seed;
    case "number":
      return numberOf(form);
    case "choice":
      return z.enum(form.values);
    case "list":
      return z.array(zodOfForm(form.of, special)).min(form.least);
    case "range":
      return z.tuple([z.number(), z.number()]).refine(([from, to]) => from < to, {
        error: "must be two numbers, the first one smaller",
      });
    case "group":
      return z.strictObject(shapeOfFields(form.fields, [], special));
    case "object":
      return z.strictObject(mapValues(form.parts, (part) => zodOfForm(part, special)));
    case "record":
      return z.record(text, zodOfForm(form.of, special));
    case "special":
      return special.get(form.name) ?? z.custom(form.accepts, { error: `must be ${form.rule}` });
    case "text":
      return text;
    case "flag":
      return z.boolean();
  }
}

/** Makes the schema of the values of a field of plain data. */
export function zodOfField<T>({ form }: Field<T>): z.ZodType<T> {
  // A form describes the values of its field.
  return zodOfForm(form) as z.ZodType<T>;
}

/**
 * Makes the schemas of the options that fields describe.
 * @param required - names of the options that must be present; any other may be missing
 * @param special - schemas of special forms
 */
export function shapeOfFields(
  fields: Readonly<Record<string, AnyField>>,
  required: readonly string[] = [],
  special: SpecialSchemas = new Map(),
): Record<string, z.ZodType> {
  return mapValues(fields, ({ form, help }, name) => {
    const schema = zodOfForm(form, special);
    return (required.includes(name) ? schema : schema.optional()).describe(help);
  });
}

function numberOf({ least, most, above, below }: NumberForm): z.ZodNumber {
  const bounded = [
    (schema: z.ZodNumber) => (least === undefined ? schema : schema.min(least)),
    (schema: z.ZodNumber) => (most === undefined ? schema : schema.max(most)),
    (schema: z.ZodNumber) => (above === undefined ? schema : schema.gt(above)),
    (schema: z.ZodNumber) => (below === undefined ? schema : schema.lt(below)),
  ];
  return bounded.reduce((schema, bind) => bind(schema), z.number());
}

function mapValues<T, U>(
  values: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}
