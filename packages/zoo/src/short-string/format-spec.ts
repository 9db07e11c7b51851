import type { FieldValue } from "./field.ts";
import { type FamilyName, GRAMMAR } from "./grammar.ts";

/** Options by name; undefined where not given. */
export type PlainOptions = Readonly<Record<string, FieldValue | undefined>>;

/**
 * The short string of a network: segments in the order of the grammar, those of defaults left out.
 * @param options - resolved
 */
export function formatSpec(family: FamilyName, options: object, defaults: object): string {
  const { name, depth, fields } = GRAMMAR[family];
  const [given, standard] = [options as PlainOptions, defaults as PlainOptions];
  const segments = fields.flatMap(({ option, write }) => {
    const value = given[option];
    return value === undefined || value === standard[option] ? [] : [write(value)];
  });
  return [depth === undefined ? name : `${name}${given[depth.option]}`, ...segments].join(":");
}

/**
 * Checks options against the grammar.
 * @throws RangeError if one is not allowed
 */
export function assertOptions(family: FamilyName, options: object): void {
  const { name, depth, fields } = GRAMMAR[family];
  const given = options as PlainOptions;
  for (const { option, allowed, accepts } of fields) {
    const value = given[option];
    if (value === undefined || accepts(value)) continue;
    throw new RangeError(`Cannot build "${name}" as ${option} must be ${allowed}: it is ${String(value)}`);
  }
  if (depth === undefined || depth.depths.includes(given[depth.option] as number)) return;
  throw new RangeError(
    `Cannot build "${name}" as depth must be one of ${depth.depths.join(", ")}: it is ${String(given[depth.option])}`,
  );
}
