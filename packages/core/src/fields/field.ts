import type { Form, ListForm, NumberForm } from "./form.ts";

/**
 * When an option is part of the key of a task: `always`, with its default if it is left out; `if-named`, only
 * if a description names it; `if-changed`, only if its value is not the default. The last two are for
 * options that came later, so that tasks from before keep their keys.
 */
export type Keyed = "always" | "if-named" | "if-changed";

/** One option: all that a library, a command line, a study and their documents need to know of it. */
export interface Field<T> {
  /** Says what the option decides, as the help of a command and the schema of a file say it. */
  readonly help: string;
  /** Form of its value, with bounds. */
  readonly form: Form;
  /** Value if the option is left out; undefined if `help` says what happens then. */
  readonly default: T | undefined;
  /** Name on a command line. @defaultValue the name of the option in kebab-case */
  readonly flag?: string;
  /** Name of the value on a command line, such as `<from:to>`. @defaultValue by the form */
  readonly placeholder?: string;
  /** Name of an option without which this one means nothing. @defaultValue none */
  readonly requires?: string;
  /** Names of options that cannot be given beside this one. @defaultValue none */
  readonly excludes?: readonly string[];
  /** When the option is part of the key of a task. @defaultValue "always" */
  readonly keyed?: Keyed;
  /** Whether only tasks have it, as it follows from other options and the data. @defaultValue false */
  readonly tasksOnly?: boolean;
  /** Whether only the whole help of a command shows it. @defaultValue false */
  readonly rare?: boolean;
  /**
   * Reads the value from the word of a command line; its form is checked afterwards.
   * @defaultValue by the form
   */
  readonly parse?: (text: string) => unknown;
}

/** Any field. */
export type AnyField = Field<unknown>;

/** A field for each option of a type: an option without a field, and a field without an option, do not compile. */
export type FieldsOf<O> = { readonly [K in keyof O]-?: Field<Exclude<O[K], undefined>> };

/** What is said of a field beside its form. */
export type Said<T> = Omit<Field<T>, "form" | "default"> & { readonly default?: T | undefined };

/** Makes a field of a form; the caller says of which type its values are. */
export function fieldOf<T>(form: Form, { default: missing, ...said }: Said<T>): Field<T> {
  return { ...said, form, default: missing };
}

/** A field of whole numbers from `least` to `most`. */
export function wholeField({
  least,
  most = Number.MAX_SAFE_INTEGER,
  ...said
}: Said<number> & { readonly least: number; readonly most?: number }): Field<number> {
  return fieldOf({ type: "whole", least, most }, said);
}

/** A field of finite numbers within bounds. */
export function numberField({
  least,
  most,
  above,
  below,
  ...said
}: Said<number> & Omit<NumberForm, "type">): Field<number> {
  return fieldOf(numberForm({ least, most, above, below }), said);
}

/** The form of finite numbers within bounds, of which undefined ones do not bind. */
export function numberForm(
  bounds: {
    readonly [K in Exclude<keyof NumberForm, "type">]?: number | undefined;
  },
): NumberForm {
  const named = Object.entries(bounds).filter(([, bound]) => bound !== undefined);
  return { type: "number", ...Object.fromEntries(named) };
}

/** A field of one of some words. */
export function choiceField<T extends string>(values: readonly T[], said: Said<T>): Field<T> {
  return fieldOf<T>({ type: "choice", values }, said);
}

/** A field that is true or false. */
export function flagField(said: Said<boolean>): Field<boolean> {
  return fieldOf({ type: "flag" }, said);
}

/** A field of any text, such as a name. */
export function textField(said: Said<string>): Field<string> {
  return fieldOf({ type: "text" }, said);
}

/** A field of lists of values of one form; the caller says of which type these are. */
export function listField<T>(
  of: Form,
  { least = 1, ...said }: Said<readonly T[]> & { readonly least?: ListForm["least"] },
): Field<readonly T[]> {
  return fieldOf<readonly T[]>({ type: "list", of, least }, said);
}

/** A field of names, in which `*` may stand for any characters. */
export function namesField(said: Said<readonly string[]>): Field<readonly string[]> {
  return listField<string>({ type: "text" }, said);
}

/** A field of two numbers, the first one smaller. */
export function rangeField(
  said: Said<readonly [from: number, to: number]>,
): Field<readonly [from: number, to: number]> {
  return fieldOf<readonly [number, number]>({ type: "range" }, { placeholder: "<from:to>", ...said });
}

/**
 * A field of several options that belong together, each with a field of its own.
 * @param lead - name of the option whose value a command line may give in place of the group
 */
export function groupField<O extends object>(
  fields: FieldsOf<O>,
  { lead, ...said }: Said<O> & { readonly lead?: string & keyof O },
): Field<O> {
  const form = { type: "group", fields, ...(lead !== undefined && { lead }) } as const;
  return fieldOf<O>(form, said);
}

/** The field of the seed that decides what is random. */
export function seedField(help: string): Field<number> {
  return fieldOf({ type: "seed" }, { help, default: 0 });
}

/** Most examples in one engine call: memory is taken for all of them. */
const MOST_AT_ONCE = 2 ** 20;

/** The field of the number of examples in one engine call. */
export const BATCH_SIZE_FIELD: Field<number> = wholeField({
  least: 1,
  most: MOST_AT_ONCE,
  default: 100,
  rare: true,
  help: "examples in one engine call: more are faster for small networks, and take more memory",
});
