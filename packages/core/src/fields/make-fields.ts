import type { DefaultedField, Field, FieldsOf, Form, ListForm, NumberForm } from "./field.ts";
import { readBytes } from "./read-bytes.ts";

/** Properties of a field other than its form. */
export type Said<T> = Omit<Field<T>, "form" | "default"> & { readonly default?: T | undefined };

/** The help, the default and the flag of a field that has a default. */
type Defaulted<T> = Said<T> & { readonly default: T };

/** Makes a field of a form; the caller declares the type of its values. */
export function fieldOf<T>(form: Form, said: Defaulted<T>): DefaultedField<T>;
export function fieldOf<T>(form: Form, said: Said<T>): Field<T>;
export function fieldOf<T>(form: Form, { default: missing, ...said }: Said<T>): Field<T> {
  return { ...said, form, default: missing };
}

/** Bounds of whole numbers. */
interface WholeBounds {
  readonly least: number;
  readonly most?: number;
}

/** Makes a field of whole numbers from `least` to `most`. */
export function wholeField(said: Defaulted<number> & WholeBounds): DefaultedField<number>;
export function wholeField(said: Said<number> & WholeBounds): Field<number>;
export function wholeField({
  least,
  most = Number.MAX_SAFE_INTEGER,
  ...said
}: Said<number> & WholeBounds): Field<number> {
  return fieldOf({ type: "whole", least, most }, said);
}

/** Makes a field of a number of bytes, which a command line may give with a unit, such as 4GB. */
export function bytesField(said: Said<number>): Field<number> {
  return wholeField({ least: 1, placeholder: "<size>", parse: readBytes, ...said });
}

/** Bounds of finite numbers. */
type NumberBounds = Omit<NumberForm, "type">;

/** Makes a field of finite numbers within bounds. */
export function numberField(said: Defaulted<number> & NumberBounds): DefaultedField<number>;
export function numberField(said: Said<number> & NumberBounds): Field<number>;
export function numberField({
  least,
  most,
  above,
  below,
  ...said
}: Said<number> & NumberBounds): Field<number> {
  return fieldOf(numberForm({ least, most, above, below }), said);
}

/** Makes the form of finite numbers within bounds; undefined bounds do not limit. */
export function numberForm(
  bounds: {
    readonly [K in Exclude<keyof NumberForm, "type">]?: number | undefined;
  },
): NumberForm {
  const named = Object.entries(bounds).filter(([, bound]) => bound !== undefined);
  return { type: "number", ...Object.fromEntries(named) };
}

/** Makes a field for a choice among words. */
export function choiceField<const T extends string>(
  values: readonly T[],
  said: Defaulted<NoInfer<T>>,
): DefaultedField<T>;
export function choiceField<const T extends string>(values: readonly T[], said: Said<T>): Field<T>;
export function choiceField<const T extends string>(values: readonly T[], said: Said<T>): Field<T> {
  return fieldOf<T>({ type: "choice", values }, said);
}

/** Makes a field that is true or false. */
export function flagField(said: Defaulted<boolean>): DefaultedField<boolean>;
export function flagField(said: Said<boolean>): Field<boolean>;
export function flagField(said: Said<boolean>): Field<boolean> {
  return fieldOf({ type: "flag" }, said);
}

/** Makes a field of any text, such as a name. */
export function textField(said: Defaulted<string>): DefaultedField<string>;
export function textField(said: Said<string>): Field<string>;
export function textField(said: Said<string>): Field<string> {
  return fieldOf({ type: "text" }, said);
}

/** Makes a field of lists of values of one form; the caller declares the type of these values. */
export function listField<T>(
  of: Form,
  said: Defaulted<readonly T[]> & { readonly least?: ListForm["least"] },
): DefaultedField<readonly T[]>;
export function listField<T>(
  of: Form,
  said: Said<readonly T[]> & { readonly least?: ListForm["least"] },
): Field<readonly T[]>;
export function listField<T>(
  of: Form,
  { least = 1, ...said }: Said<readonly T[]> & { readonly least?: ListForm["least"] },
): Field<readonly T[]> {
  return fieldOf<readonly T[]>({ type: "list", of, least }, said);
}

/** Makes a field of lists of names, in which `*` matches any characters. */
export function namesField(said: Defaulted<readonly string[]>): DefaultedField<readonly string[]>;
export function namesField(said: Said<readonly string[]>): Field<readonly string[]>;
export function namesField(said: Said<readonly string[]>): Field<readonly string[]> {
  return listField<string>({ type: "text" }, said);
}

/** Makes a field of two numbers, the first one smaller. */
export function rangeField(
  said: Defaulted<readonly [from: number, to: number]>,
): DefaultedField<readonly [from: number, to: number]>;
export function rangeField(
  said: Said<readonly [from: number, to: number]>,
): Field<readonly [from: number, to: number]>;
export function rangeField(
  said: Said<readonly [from: number, to: number]>,
): Field<readonly [from: number, to: number]> {
  return fieldOf<readonly [number, number]>({ type: "range" }, { placeholder: "<from:to>", ...said });
}

/**
 * Makes a field of several options that belong together, each with its own field.
 * @param lead - name of the option whose value a command line may give in place of the group
 */
export function groupField<O extends object>(
  fields: FieldsOf<O>,
  { lead, ...said }: Said<O> & { readonly lead?: string & keyof O },
): Field<O> {
  const form = { type: "group", fields, ...(lead !== undefined && { lead }) } as const;
  return fieldOf<O>(form, said);
}

/** Makes a field for a random seed. */
export function seedField(help: string): DefaultedField<number> {
  return fieldOf({ type: "seed" }, { help, default: 0 });
}

/** Maximum number of examples of a data set: a file for one has at most as many bytes. */
const MOST_EXAMPLES = 2 ** 31 - 1;

/**
 * Makes a field for a number of examples, counted from the first; `least` is 0 if 0 stands for all examples.
 */
export function examplesField(said: Said<number> & { readonly least: 0 | 1 }): Field<number> {
  return wholeField({ ...said, most: MOST_EXAMPLES });
}

/** Maximum number of random directions, products or steps that contribute to one measured number. */
const MOST_TRIES = 10_000;

/**
 * Makes a field for a number of random directions, products or steps that contribute to one measured number.
 */
export function triesField(said: Said<number> & { readonly least: number }): Field<number> {
  return wholeField({ ...said, most: MOST_TRIES });
}

/** Maximum number of places on a line: at each one a network is measured. */
const MOST_PLACES = 10_000;

/** Makes a field for a number of places on a line at which networks are measured. */
export function placesField(said: Defaulted<number> & { readonly least: number }): DefaultedField<number>;
export function placesField(said: Said<number> & { readonly least: number }): Field<number>;
export function placesField(said: Said<number> & { readonly least: number }): Field<number> {
  return wholeField({ ...said, most: MOST_PLACES });
}

/** Maximum number of examples in one engine call: memory is allocated for all of them. */
const MOST_AT_ONCE = 2 ** 20;

/** Field of the number of examples in one engine call. */
export const BATCH_SIZE_FIELD: DefaultedField<number> = wholeField({
  least: 1,
  most: MOST_AT_ONCE,
  default: 100,
  rare: true,
  help: "examples in one engine call: more are faster for small networks, and take more memory",
});
