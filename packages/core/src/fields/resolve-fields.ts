import { OutOfRangeError, UsageError } from "../errors.ts";
import { excerpt } from "../json/excerpt.ts";
import { resolveOptions } from "../options.ts";
import type { AnyField, FieldsOf } from "./field.ts";
import { findMisfit } from "./form.ts";

/** Options with defaults filled in; an option without a default may still be undefined. */
export type ResolvedOf<O> = { readonly [K in keyof O]-?: O[K] };

/** Options that callers may leave out. */
type OptionsOf<O> = Readonly<{ [K in keyof O]?: O[K] | undefined }>;

/**
 * Fills in the defaults of options and checks every value by the form of its field. No other code does so.
 * @param attempt - name of the operation for messages, such as `measure curvature`
 * @param others - defaults of options without fields, which are not plain data, such as a signal
 * @throws UsageError if an option has no field, requires a missing option, or excludes another
 * @throws OutOfRangeError if a value does not fit the form of its field
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type FieldsOf, resolveFields, wholeField } from "@isthmus/core";
 *
 * interface Trials {
 *   readonly trials?: number;
 * }
 * const trials = wholeField({ least: 1, default: 3, help: "choices at random" });
 * const fields: FieldsOf<Trials> = { trials };
 * assert.deepEqual(resolveFields("try it", fields, {}), { trials: 3 });
 * assert.throws(() => resolveFields("try it", fields, { trials: 0 }), /of at least 1: it is 0/);
 * ```
 */
export function resolveFields<O extends object, Others extends object = object>(
  attempt: string,
  fields: FieldsOf<O>,
  options: OptionsOf<NoInfer<O> & NoInfer<Others>>,
  others?: Others,
): ResolvedOf<O> & ResolvedOf<Others> {
  const listed = Object.entries<AnyField>(fields);
  const defaults = Object.fromEntries(listed.map(([name, field]) => [name, field.default]));
  const resolved = resolveOptions<object>(attempt, { ...defaults, ...others }, options);
  const values = new Map<string, unknown>(Object.entries(resolved));
  for (const [name, { form }] of listed) {
    const value = values.get(name);
    const misfit = value === undefined ? undefined : findMisfit(form, value);
    if (misfit === undefined) continue;
    throw new OutOfRangeError(
      `Cannot ${attempt} as "${name}${misfit.path}" must be ${misfit.rule}: it is ${excerpt(misfit.value)}`,
    );
  }
  const named = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  assertTogether(attempt, fields, { named, nameOf: (name) => `"${name}"` });
  return resolved as ResolvedOf<O> & ResolvedOf<Others>;
}

/**
 * Checks that the options that others require are given, and that no option is given together with one that
 * it excludes.
 * @param given - `named`: the options that the user has named; `nameOf`: the name of an option for messages
 * @throws UsageError if a required option is missing, or an excluded one is given
 */
export function assertTogether(
  attempt: string,
  fields: Readonly<Record<string, AnyField>>,
  { named, nameOf }: { readonly named: readonly string[]; readonly nameOf: (name: string) => string },
): void {
  for (const name of named) {
    const { requires, excludes = [] } = fields[name] ?? {};
    if (requires !== undefined && !named.includes(requires)) {
      throw new UsageError(
        `Cannot ${attempt} with ${nameOf(name)} alone as it belongs to ${nameOf(requires)}: add that, or leave out ${nameOf(name)}`,
      );
    }
    const excluded = excludes.find((other) => named.includes(other));
    if (excluded !== undefined) {
      throw new UsageError(
        `Cannot ${attempt} as ${nameOf(name)} and ${nameOf(excluded)} exclude each other: both are given; leave one out`,
      );
    }
  }
}

/** Returns the defaults of fields, with undefined for each option that has none. */
export function defaultsOf<O extends object>(fields: FieldsOf<O>): ResolvedOf<O> {
  const listed = Object.entries<AnyField>(fields);
  return Object.freeze(
    Object.fromEntries(listed.map(([name, field]) => [name, field.default])),
  ) as ResolvedOf<O>;
}
