import type { Field } from "./field.ts";

/** A whole number within bounds. */
export interface WholeForm {
  readonly type: "whole";
  readonly least: number;
  readonly most: number;
}

/** A finite number within bounds; a bound that is missing does not bind. */
export interface NumberForm {
  readonly type: "number";
  readonly least?: number;
  readonly most?: number;
  /** A number that the value must exceed. */
  readonly above?: number;
  /** A number that the value must not reach. */
  readonly below?: number;
}

/** One of some words. */
export interface ChoiceForm {
  readonly type: "choice";
  readonly values: readonly string[];
}

/** Values of one form, one after the other. */
export interface ListForm {
  readonly type: "list";
  readonly of: Form;
  /** Fewest values. */
  readonly least: number;
}

/** An object with a value for each of some fields, any of which may be missing. */
export interface GroupForm {
  readonly type: "group";
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Name of the field whose value a command line may give in place of the whole group. @defaultValue none */
  readonly lead?: string;
}

/** An object whose keys are all there, each with a value of a form of its own. */
export interface ObjectForm {
  readonly type: "object";
  readonly parts: Readonly<Record<string, Form>>;
}

/** Values of one form by names that the user chooses. */
export interface RecordForm {
  readonly type: "record";
  readonly of: Form;
}

/** A form that another package defines, such as an optimizer; schemas of files know it by its name. */
export interface SpecialForm {
  readonly type: "special";
  readonly name: string;
  /** Says which values it allows, to follow "must be". */
  readonly rule: string;
  /** Returns whether it allows a value. */
  readonly accepts: (value: unknown) => boolean;
}

/**
 * The form of an option's value, as plain data. Checks of library functions, parsers of command lines,
 * schemas of files and tasks, help, and random values for tests are all made of it.
 *
 * `text` is any text of at most 4096 characters, `flag` is true or false, `seed` a whole number from 0,
 * `range` two numbers of which the first is smaller.
 */
export type Form =
  | WholeForm
  | NumberForm
  | ChoiceForm
  | ListForm
  | GroupForm
  | ObjectForm
  | RecordForm
  | SpecialForm
  | { readonly type: "text" }
  | { readonly type: "flag" }
  | { readonly type: "seed" }
  | { readonly type: "range" };

/** Most characters of a text: names and paths are shorter. */
export const MOST_CHARACTERS = 4096;

/** Says in words which values a form allows, to follow "must be". */
export function ruleOf(form: Form): string {
  switch (form.type) {
    case "whole":
      return form.most === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${form.least}`
        : `a whole number from ${form.least} to ${form.most}`;
    case "seed":
      return "a whole number of at least 0";
    case "number":
      return ["a number", ...boundsOf(form)].join(" ");
    case "choice":
      return `one of ${form.values.join(", ")}`;
    case "list":
      return `a list${form.least > 0 ? ` of ${form.least} or more` : ""}, each ${ruleOf(form.of)}`;
    case "group":
      return `an object with any of ${Object.keys(form.fields).join(", ")}`;
    case "object":
      return `an object with ${Object.keys(form.parts).join(", ")}`;
    case "record":
      return `an object, each value ${ruleOf(form.of)}`;
    case "range":
      return "two numbers, the first one smaller";
    case "special":
      return form.rule;
    case "flag":
      return "true or false";
    case "text":
      return `a text of at most ${MOST_CHARACTERS} characters`;
  }
}

function boundsOf({ least, most, above, below }: NumberForm): string[] {
  const bounds = [
    ["above", above],
    ["of at least", least],
    ["below", below],
    ["at most", most],
  ] as const;
  const said = bounds.flatMap(([words, bound]) => (bound === undefined ? [] : [`${words} ${bound}`]));
  return said.length < 2 ? said : [said.join(" and ")];
}

/** A part of a value that its form does not allow. */
export interface Misfit {
  /** Path of the part below the value, such as `.radius` or `[2]`; empty for the value itself. */
  readonly path: string;
  /** Rule that the part breaks, to follow "must be". */
  readonly rule: string;
  readonly value: unknown;
}

/** Finds the first part of a value that its form does not allow; undefined if there is none. */
export function findMisfit(form: Form, value: unknown, path = ""): Misfit | undefined {
  const parts = partsOf(form, value);
  if (parts === undefined) return { path, rule: ruleOf(form), value };
  for (const [step, part, inner] of parts) {
    const misfit = findMisfit(inner, part, path + step);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

type Part = readonly [step: string, value: unknown, form: Form];

/** Lists the parts of a value with their forms; undefined if the value itself does not fit its form. */
function partsOf(form: Form, value: unknown): readonly Part[] | undefined {
  if (form.type === "list") {
    if (!Array.isArray(value) || value.length < form.least) return undefined;
    return value.map((part, index) => [`[${index}]`, part, form.of]);
  }
  if (form.type !== "group" && form.type !== "object" && form.type !== "record") {
    return fits(form, value) ? [] : undefined;
  }
  return isObject(value) ? partsOfObject(form, value) : undefined;
}

function partsOfObject(
  form: GroupForm | ObjectForm | RecordForm,
  value: Readonly<Record<string, unknown>>,
): readonly Part[] | undefined {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  if (form.type === "record") return entries.map(([name, part]) => [`.${name}`, part, form.of]);
  const forms = new Map(
    form.type === "object"
      ? Object.entries(form.parts)
      : Object.entries(form.fields).map(([name, field]) => [name, field.form] as const),
  );
  if (entries.some(([name]) => !forms.has(name))) return undefined;
  // Every part of an object must be there, but a group may lack any.
  const names = form.type === "object" ? [...forms.keys()] : entries.map(([name]) => name);
  return names.flatMap((name): Part[] => {
    const inner = forms.get(name);
    return inner === undefined ? [] : [[`.${name}`, value[name], inner]];
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns whether a value without parts fits its form. */
function fits(form: Exclude<Form, ListForm | GroupForm | ObjectForm | RecordForm>, value: unknown): boolean {
  switch (form.type) {
    case "whole":
      return isWhole(value) && value >= form.least && value <= form.most;
    case "seed":
      return isWhole(value) && value >= 0;
    case "number":
      return typeof value === "number" && Number.isFinite(value) && isWithin(form, value);
    case "choice":
      return typeof value === "string" && form.values.includes(value);
    case "text":
      return typeof value === "string" && value.length <= MOST_CHARACTERS;
    case "special":
      return form.accepts(value);
    case "flag":
      return typeof value === "boolean";
    case "range":
      return (
        Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1]
      );
  }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function isWithin({ least, most, above, below }: NumberForm, value: number): boolean {
  const isHighEnough = (least === undefined || value >= least) && (above === undefined || value > above);
  return isHighEnough && (most === undefined || value <= most) && (below === undefined || value < below);
}
