import { OutOfRangeError } from "@isthmus/core";
import type { FieldValue } from "./field.ts";
import { type FamilyName, GRAMMAR } from "./grammar.ts";

/** Values of options by name; undefined for an option that is not set. */
export type PlainOptions = Readonly<Record<string, FieldValue | undefined>>;

/**
 * Returns the short string of a network: segments in the order of the grammar, without options that have
 * their default value.
 * @param options - resolved options
 */
export function formatSpec(family: FamilyName, options: object, defaults: object): string {
  const { name, depth, fields } = GRAMMAR[family];
  const [values, standard] = [options as PlainOptions, defaults as PlainOptions];
  const segments = fields.flatMap(({ option, write }) => {
    const value = values[option];
    return value === undefined || value === standard[option] ? [] : [write(value)];
  });
  return [depth === undefined ? name : `${name}${values[depth.option]}`, ...segments].join(":");
}

/**
 * Checks options against the grammar.
 * @throws OutOfRangeError if an option is not allowed
 */
export function assertOptions(family: FamilyName, options: object): void {
  const { name, depth, fields } = GRAMMAR[family];
  const values = options as PlainOptions;
  for (const { option, allowed, accepts } of fields) {
    const value = values[option];
    if (value === undefined || accepts(value)) continue;
    throw new OutOfRangeError(
      `Cannot build "${name}" as ${option} must be ${allowed}: it is ${String(value)}`,
    );
  }
  if (depth === undefined || depth.depths.includes(values[depth.option] as number)) return;
  throw new OutOfRangeError(
    `Cannot build "${name}" as depth must be one of ${depth.depths.join(", ")}: it is ${String(values[depth.option])}`,
  );
}
